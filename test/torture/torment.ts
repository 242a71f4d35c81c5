import { type Step, steps } from './protocol.ts';
import { Swarm, type WindowProcess } from './swarm.ts';

export interface TormentOptions {
  seed: number;
  /** How long windows are killed and stopped and the network fails. */
  spanMs: number;
  windows: number;
  accounts: number;
}

export interface Torment {
  renewals: number;
  kills: number;
  stops: number;
  faults: number;
  /** Accounts that need their person although the server ended nothing, or that are gone. */
  lost: number;
  /** Windows that do not hold the token that the others hold. */
  astray: number;
  /** What the windows logged of accounts that were given up. */
  evidence: string[];
}

/** Kills windows at random moments and at each step of a renewal, stops them, breaks the network, sets a clock wrong. */
export async function torment({ seed, spanMs, windows, accounts }: TormentOptions): Promise<Torment> {
  const random = randomFrom(seed);
  const swarm = await Swarm.start({ accounts, lifeSeconds: 3 });
  const done = { kills: 0, stops: 0, faults: 0 };
  try {
    const alive: WindowProcess[] = [];
    const open = (dieAt?: Step): void => {
      const clockWrongByMs = random() < 0.2 ? 3_600_000 : 0;
      alive.push(swarm.open({ clockWrongByMs, ...(dieAt && { dieAt }) }));
    };
    for (let index = 0; index < windows; index += 1) {
      open();
    }
    const endMs = performance.now() + spanMs;
    while (performance.now() < endMs) {
      await pause(50 + random() * 250);
      const deed = random();
      const index = Math.floor(random() * alive.length);
      const victim = alive[index];
      if (victim === undefined || !victim.isAlive) {
        alive.splice(index, victim === undefined ? 0 : 1);
        done.kills += victim === undefined ? 0 : 1;
        open(random() < 0.7 ? steps[Math.floor(random() * steps.length)] : undefined);
      } else if (deed < 0.2) {
        victim.child.kill('SIGKILL');
      } else if (deed < 0.35) {
        done.stops += 1;
        victim.child.kill('SIGSTOP');
        setTimeout(() => victim.child.kill('SIGCONT'), random() * 4_000).unref();
      } else if (deed < 0.55) {
        done.faults += 1;
        swarm.notion.fault({ path: '/token', times: 1 }, fault(random));
      }
    }
    swarm.notion.faults.clear();
    for (const window of alive) {
      window.child.kill('SIGCONT');
    }
    await Promise.all(alive.map((window) => window.kill()));
    return { ...done, renewals: swarm.renewals, ...(await judge(swarm, windows, accounts)) };
  } finally {
    await swarm.stop();
  }
}

/** In peace: every account is renewed once more, and all windows hold the same tokens. */
async function judge(
  swarm: Swarm,
  windows: number,
  accounts: number,
): Promise<Pick<Torment, 'lost' | 'astray' | 'evidence'>> {
  // Long enough that nothing changes while all are asked.
  swarm.notion.accessTokenLifeSeconds = 3_600;
  const judges = Array.from({ length: windows }, () => swarm.open());
  const first = judges[0] as WindowProcess;
  const settled = (state: string): boolean => state === 'healthy' || state === 'needsSignIn';
  await first.reports((report) => report.accounts.every(({ state }) => settled(state))).catch(() => undefined);
  const reports = [];
  for (const window of judges) {
    await window.reports(() => true);
    reports.push(await window.look());
  }
  const truth = JSON.stringify(reports[0]?.accounts);
  const healthy = reports[0]?.accounts.filter(({ state }) => state === 'healthy') ?? [];
  return {
    lost: accounts - healthy.length,
    astray: reports.filter((report) => JSON.stringify(report.accounts) !== truth).length,
    evidence: swarm.windows.flatMap(({ lines }) => lines.filter((line) => /needs to be signed in/.test(line))),
  };
}

function fault(random: () => number): Parameters<Swarm['notion']['fault']>[1] {
  const faults = [
    { kind: 'drop', when: 'before' },
    { kind: 'drop', when: 'after' },
    { kind: 'answer', status: 503, body: '<html>Down</html>' },
    { kind: 'answer', status: 429, body: '', headers: { 'retry-after': '1' } },
    { kind: 'answer', status: 200, body: '<html>Sign in to this network</html>' },
  ] as const;
  return faults[Math.floor(random() * faults.length)] ?? faults[0];
}

function pause(spanMs: number): Promise<void> {
  return new Promise((end) => setTimeout(end, spanMs));
}

/** Mulberry32: the same seed, the same deeds (though processes keep their own time). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
