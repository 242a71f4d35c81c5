import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import { Failure, type FailureCode } from '../oauth/errors.ts';
import type { OpenChannel } from './channel.ts';
import type { PendingSignIn } from './pending.ts';

/** How long the sign-in waits for the user to finish in the browser. */
export const browserLimitMs = 5 * 60_000;

export interface AwaitCallbackParts {
  /** Opens the authorization URL byte for byte as built; resolves to `false` when it was not opened. */
  openBrowser: (url: string) => Promise<boolean>;
  clock: Clock;
}

/** The result when the user chooses to try the next channel. */
export const nextChannel = Symbol('nextChannel');

/**
 * Opens the consent page and waits for the authorization code, or for the user to choose the next channel.
 * @throws Failure of kind `cancelled` when `signal` aborts, the user gives up, the browser does not open or
 *   `browserLimitMs` has passed; otherwise the failure for the error that the authorization server returned
 */
export async function awaitCallback(
  { openBrowser, clock }: AwaitCallbackParts,
  url: string,
  pending: PendingSignIn,
  channel: OpenChannel,
  { signal, whenNextChannel }: { signal: AbortSignal; whenNextChannel: Promise<typeof nextChannel> },
): Promise<Secret | typeof nextChannel> {
  const ended = new AbortController();
  const limit = Promise.withResolvers<never>();
  const stopLimit = clock.after(browserLimitMs, () => limit.reject(cancelled('browser_limit')));
  const { promise: cancel, stop: stopCancel } = whenAborted(signal);
  try {
    if (!(await Promise.race([openBrowser(url), cancel]))) {
      throw cancelled('browser_not_opened');
    }
    // `pending` receives the callback itself; this promise matters because it rejects when the user gives up.
    const collecting = channel.collect?.(pending.receive, ended.signal).then(() => pending.code);
    return await Promise.race([collecting ?? pending.code, pending.code, limit.promise, cancel, whenNextChannel]);
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
