import { test } from 'node:test';
import { properties } from './properties.ts';

/** `npm run fuzz -- --runs 1000000` runs more inputs; `-- --seed <seed>` reproduces a failure. */
const inputs = 20_000;
const seed = Date.now() % 2 ** 31;

for (const { name, check } of properties) {
  test(`fuzz: ${name} (seed ${seed})`, () => check(Math.ceil(inputs / properties.length), seed));
}
