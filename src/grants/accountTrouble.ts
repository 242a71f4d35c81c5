import type { Failure } from '../oauth/errors.ts';

/**
 * Why the last renewal of an account failed, where that may pass. `refused`: the server's refusal is confirmed soon,
 * before it is believed. `storage`: this computer's disk or another window. `offline`: everything on the way to the server.
 */
export type AccountTrouble = 'refused' | 'storage' | 'offline';

export function troubleIn(failure: Failure | undefined): AccountTrouble | undefined {
  if (failure === undefined) {
    return undefined;
  }
  const { step, code } = failure.details;
  if (code === 'unconfirmed' || code === 'waiting') {
    return 'refused';
  }
  return step === 'storage' ? 'storage' : 'offline';
}
