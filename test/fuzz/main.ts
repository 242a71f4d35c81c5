/** `npm run fuzz -- --runs <n> [--seed <n>]`: checks the properties of the parsers on `n` inputs in total. */
import { parseArgs } from 'node:util';
import { properties } from './properties.ts';

const { values } = parseArgs({ options: { runs: { type: 'string' }, seed: { type: 'string' } } });
const runs = Number(values.runs ?? 1_000_000);
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(runs) || runs < 1 || !Number.isSafeInteger(seed)) {
  console.error('usage: npm run fuzz -- --runs <number of inputs> [--seed <number>]');
  process.exit(2);
}

const inputsPerProperty = Math.ceil(runs / properties.length);
const startMs = performance.now();
let failed = 0;
console.log(`seed ${seed}`);
for (const { name, check } of properties) {
  const propertyStartMs = performance.now();
  try {
    await check(inputsPerProperty, seed);
    console.log(
      `passed ${inputsPerProperty} inputs in ${((performance.now() - propertyStartMs) / 1000).toFixed(1)} s: ${name}`,
    );
  } catch (error) {
    failed += 1;
    console.error(`FAILED: ${name} (seed ${seed})\n${error instanceof Error ? error.message : error}`);
  }
}
const seconds = ((performance.now() - startMs) / 1000).toFixed(0);
console.log(
  `${inputsPerProperty * properties.length} inputs in ${seconds} s, ${properties.length - failed} properties passed, ${failed} failed`,
);
process.exitCode = failed === 0 ? 0 : 1;
