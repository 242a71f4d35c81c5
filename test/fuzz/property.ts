import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Failure } from '../../src/oauth/errors.ts';
import type { AuthorizationServer } from '../../src/oauth/model.ts';
import { origin, secrets } from './inputs.ts';

/** A property that must hold for every input. */
export interface Property {
  name: string;
  /** @throws Error with the seed and the smallest input that violates the property */
  check(inputs: number, seed: number): Promise<void>;
}

/** The time limit for one input. */
const longestMs = 2000;

/** Creates a property; an input that takes too long violates it too. */
export function property<T extends unknown[]>(
  name: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  predicate: (...input: T) => void | Promise<void>,
): Property {
  const timed = async (...input: T) => {
    const startMs = performance.now();
    await predicate(...input);
    assert.ok(performance.now() - startMs < longestMs, 'took too long');
  };
  return {
    name,
    check: (inputs, seed) =>
      fc.assert(
        fc.asyncProperty(fc.tuple<T>(...arbitraries), (input) => timed(...input)),
        { numRuns: inputs, seed, timeout: 10_000 },
      ),
  };
}

/** Returns the result, or undefined after a `Failure`, which must not contain a secret. Rethrows any other error. */
export async function attempt<T>(action: () => T | Promise<T>, ...alsoSent: string[]): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    const { cause: _cause, ...details } = error.details;
    const text = `${error.message} ${error.stack} ${JSON.stringify(details)}`;
    for (const secret of [...Object.values(secrets), ...alsoSent]) {
      assert.ok(!text.includes(secret), `the failure contains ${secret}`);
    }
    assert.ok((details.serverReason ?? '').length <= 400);
    return undefined;
  }
}

export const server: AuthorizationServer = {
  issuer: origin,
  authorizationEndpoint: `${origin}/authorize`,
  tokenEndpoint: `${origin}/token`,
  registrationEndpoint: `${origin}/register`,
  revocationEndpoint: `${origin}/token`,
};
