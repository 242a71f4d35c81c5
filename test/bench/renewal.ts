import { Swarm } from '../stress/swarm.ts';
import { type Figure, figure, median } from './figure.ts';

const expiries = 5;

/** How many refresh requests each expiry causes, and how soon the other windows have the new token. */
export async function renewalFigures(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const windows of [1, 2, 8]) {
    const swarm = await Swarm.start({ accounts: 1, lifeSeconds: 2 });
    try {
      const delays = await renewals(swarm, windows);
      const generations = Math.max(
        ...swarm.windows.flatMap(({ accounts }) => [...(accounts?.values() ?? [])].map(({ generation }) => generation)),
      );
      const perExpiry = swarm.server.front.ledger.refreshes.length / (generations - 1);
      // Windows that do not share a renewal send one request each.
      figures.push(figure(`refresh requests an expiry, ${windows} windows`, 'requests', perExpiry, windows));
      if (windows > 1) {
        figures.push(
          figure(`adoption delay, ${windows} windows (aim: < 50)`, 'ms', median(delays), Number.NaN, delays),
        );
      }
    } finally {
      await swarm.stop();
    }
  }
  return figures;
}

/** Milliseconds from when the first window has a generation until each of the other windows has it. */
async function renewals(swarm: Swarm, count: number): Promise<number[]> {
  const windows = Array.from({ length: count }, () => swarm.open());
  const seen = new Map<number, number[]>();
  await Promise.all(
    windows.map(async (window) => {
      for (let generation = 2; generation <= expiries + 1; generation += 1) {
        await window.reports((accounts) => (accounts[0]?.generation ?? 0) >= generation);
        seen.set(generation, [...(seen.get(generation) ?? []), performance.now()]);
      }
    }),
  );
  return [...seen.values()].flatMap((times) => times.slice(1).map((time) => time - (times[0] ?? time)));
}
