// npm run bench [-- --only <name> …] [-- --json] [-- --samples <number>]: compares the extension with its alternatives,
// on the same work in one run. No speed makes it fail, because that depends on the machine. The network is measured with
// so many calls after each pause, by default 10, which take half an hour.
import { parseArgs } from 'node:util';
import type { Figure } from './figure.ts';

const benches: Record<string, () => Promise<Figure[]>> = {
  sizes: async () => {
    await prepare();
    return (await import('./sizes.ts')).sizeFigures();
  },
  activation: async () => {
    await prepare();
    return (await import('./activation.ts')).activationFigures();
  },
  getSessions: async () => (await import('./getSessions.ts')).getSessionsFigures(),
  signIn: async () => (await import('./signIn.ts')).signInFigures(),
  renewal: async () => (await import('./renewal.ts')).renewalFigures(),
  idle: async () => (await import('./idle.ts')).idleFigures(),
  growth: async () => (await import('./growth.ts')).growthFigures(),
  callGrowth: async () => (await import('./callGrowth.ts')).callGrowthFigures(),
  gateway: async () => (await import('./gateway.ts')).gatewayFigures(),
  bridge: async () => (await import('./bridge.ts')).bridgeFigures(),
  network: async () => {
    await prepare();
    return (await import('./network.ts')).networkFigures(Number(values.samples));
  },
};

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'boolean' },
    samples: { type: 'string', default: '10' },
  },
});
/** Makes the editor, the VSIX and the extension's bundle ready; a second call finds them done. */
async function prepare(): Promise<void> {
  await import('../e2e/prepare.ts');
}

const figures: Figure[] = [];
for (const [name, measure] of Object.entries(benches)) {
  if (values.only === undefined || values.only.includes(name)) {
    console.log(`measuring ${name} …`);
    figures.push(...(await measure()));
  }
}
const shown = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(2));
console.table(
  figures.map(({ figure, unit, ours, peer, ratio, noise }) => ({
    figure,
    ours: shown(ours),
    peer: shown(peer),
    unit,
    ratio: shown(ratio),
    'ours, min to max': noise?.map(shown).join(' to ') ?? '',
  })),
);
if (values.json) {
  const entries = figures.map(({ figure, ours, peer, ratio }) => [figure, { ours, peer, ratio }]);
  console.log(JSON.stringify(Object.fromEntries(entries)));
}
process.exit();
