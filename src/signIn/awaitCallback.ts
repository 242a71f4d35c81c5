import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import { Failure } from '../oauth/errors.ts';
import type { OpenChannel } from './channel.ts';
import type { PendingSignIn } from './pending.ts';

/** How long the person may take in the browser. */
export const browserLimitMs = 5 * 60_000;

export interface AwaitCallbackParts {
  /** Opens the authorization URL byte for byte as built; `false` when it was not opened. */
  openBrowser: (url: string) => Promise<boolean>;
  clock: Clock;
}

/** The person asked for the next channel. */
export const nextChannel = Symbol('nextChannel');

/**
 * Opens the consent page and waits for its answer: the code, or the wish to try another way.
 * @throws Failure of kind `cancelled` when `signal` aborts, the person gives up or the time is over, else what the
 *   server's refusal means
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
    // What it collects goes to `pending`; what counts here is that the person may give up while it asks.
    const collecting = channel.collect?.(pending.receive, ended.signal).then(() => pending.code);
    return await Promise.race([collecting ?? pending.code, pending.code, limit.promise, cancel, whenNextChannel]);
  } finally {
    ended.abort();
    stopLimit();
    stopCancel();
  }
}

/** A promise that rejects with a `cancelled` failure once `signal` aborts; `stop` lets go of the signal. */
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

function cancelled(code: string): Failure {
  return new Failure('cancelled', { step: 'authorization', code });
}
