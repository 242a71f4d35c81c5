import assert from 'node:assert/strict';
import { Failure, type FailureDetails, type FailureKind } from '../../../src/oauth/errors.ts';

/** Some details of a `Failure`, as a test writes them. */
export type ExpectedDetails = {
  [K in keyof FailureDetails]?: (K extends 'serverReason' ? string : FailureDetails[K]) | undefined;
};

/** Asserts that `action` throws a `Failure` of this kind with these details, and returns it. */
export async function fails(action: () => unknown, kind: FailureKind, details: ExpectedDetails = {}): Promise<Failure> {
  let thrown: unknown;
  try {
    await action();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof Failure)) {
    assert.fail(`expected a Failure of kind ${kind}, got ${thrown}`);
  }
  const picked = Object.fromEntries(
    Object.keys(details).map((key) => [key, thrown.details[key as keyof FailureDetails]]),
  );
  assert.deepEqual({ kind: thrown.kind, ...picked }, { kind, ...details }, thrown.message);
  return thrown;
}
