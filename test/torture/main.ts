// npm run torture [-- --rotations n --processes n --accounts n --seed n --minutes n]: kills, stops and starves windows
// while they renew. The last line is one JSON object with what was counted.
import { parseArgs } from 'node:util';
import { torment } from './torment.ts';

const { values } = parseArgs({
  options: {
    rotations: { type: 'string', default: '300' },
    processes: { type: 'string', default: '3' },
    accounts: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '30' },
  },
});
const seed = Number(values.seed);
const { evidence, ...tally } = await torment({
  seed,
  rotations: Number(values.rotations),
  limitMs: Number(values.minutes) * 60_000,
  processes: Number(values.processes),
  accounts: Number(values.accounts),
});
for (const line of evidence) {
  console.log(line);
}
console.log(JSON.stringify({ seed, ...tally }));
process.exitCode = tally.signOuts + tally.astray === 0 ? 0 : 1;
