/** `npm run fuzz -- --runs <n> [--seed <n>]`: the properties of the parsers, on `n` inputs in all. */
import { parseArgs } from 'node:util';
import { properties } from './properties.ts';

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } });
const runs = Number(values.runs ?? 1_000_000);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run fuzz -- --runs <number of inputs> [--seed <number>]');
  process.exit(2);
}

const each = Math.ceil(runs / properties.length);
const startMs = performance.now();
let failed = 0;
console.log(`seed ${seed}`);
for (const { name, check } of properties) {
  const sinceMs = performance.now();
  try {
    await check(each, seed);
    console.log(`held for ${each} inputs in ${((performance.now() - sinceMs) / 1000).toFixed(1)} s: ${name}`);
  } catch (error) {
    failed += 1;
    console.error(`BROKEN: ${name} (seed ${seed})\n${error instanceof Error ? error.message : error}`);
  }
}
const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
console.log(
  `${each * properties.length} inputs in ${seconds} s, ${properties.length - failed} properties held, ${failed} broken`,
);
process.exitCode = failed === 0 ? 0 : 1;
