// npm run torture [-- --minutes n --windows n --accounts n --seed n]: kills, stops and starves windows, and counts what is lost.
import { parseArgs } from 'node:util';
import { torment } from './torment.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0.75' },
    windows: { type: 'string', default: '4' },
    accounts: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}`);
const { renewals, kills, stops, faults, lost, astray, evidence } = await torment({
  seed,
  spanMs: Number(values.minutes) * 60_000,
  windows: Number(values.windows),
  accounts: Number(values.accounts),
});
for (const line of evidence) {
  console.log(line);
}
console.log(`${faults} faults, ${stops} stops, ${astray} windows astray`);
console.log(`torture: ${renewals} renewals, ${kills} kills, ${lost} lost`);
process.exitCode = lost + astray === 0 ? 0 : 1;
