import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import { Failure, type FailureCode } from '../oauth/errors.ts';
import { browserLimitMs, type OpenChannel } from './channel.ts';
import type { PendingSignIn } from './pending.ts';

/** The result when the user chooses to try the next channel. */
export const nextChannel = Symbol('nextChannel');

export interface AwaitCallbackOptions {
  /** Resolves once the editor has opened the consent page, or has left that to the user. */
  opening: Promise<void>;
  signal: AbortSignal;
  whenNextChannel: Promise<typeof nextChannel>;
  clock: Clock;
}

/**
 * Waits for the authorization code, or for the user to choose the next channel.
 * @throws Failure of kind `cancelled` when `signal` aborts, the user gives up or `browserLimitMs` has passed; otherwise
 *   the failure for the error that the authorization server returned
 */
export async function awaitCallback(
  pending: PendingSignIn,
  channel: OpenChannel,
  { opening, signal, whenNextChannel, clock }: AwaitCallbackOptions,
): Promise<Secret | typeof nextChannel> {
  const ended = new AbortController();
  const limit = Promise.withResolvers<never>();
  const stopLimit = clock.after(browserLimitMs, () => limit.reject(cancelled('browser_limit')));
  const { promise: cancel, stop: stopCancel } = whenAborted(signal);
  // `pending` receives the callback itself; this promise matters because it rejects when the user gives up.
  const collect = async (): Promise<Secret> => {
    await opening;
    if (!ended.signal.aborted) {
      await channel.collect?.(pending.receive, ended.signal);
    }
    return pending.code;
  };
  try {
    return await Promise.race([collect(), pending.code, limit.promise, cancel, whenNextChannel]);
  } finally {
    ended.abort();
    stopLimit();
    stopCancel();
  }
}

/** A promise that rejects with a `cancelled` failure once `signal` aborts; `stop` removes the abort listener. */
export function whenAborted(signal: AbortSignal): { promise: Promise<never>; stop: () => void } {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => undefined);
  const abort = () => reject(cancelled('cancelled'));
  if (signal.aborted) {
    abort();
  } else {
    signal.addEventListener('abort', abort, { once: true });
  }
  return { promise, stop: () => signal.removeEventListener('abort', abort) };
}

function cancelled(code: FailureCode): Failure {
  return new Failure('cancelled', { step: 'authorization', code });
}
