import { type Clock, within } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import { isTransientStatus } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';
import { whenAborted } from './awaitCallback.ts';

/** How often a sign-in sends the same request again. */
export type Repetition = 'never' | 'aFewTimes' | 'untilLimit';

/**
 * Decides whether the request that failed at a sign-in may be sent again. `isNewClient` says whether the client was
 * registered for this sign-in.
 */
export function repetitionOf({ kind, details }: Failure, isNewClient: boolean): Repetition {
  const { step, code, status, retryAfterMs, wasSent } = details;
  const isTransient = kind === 'transient';
  switch (step) {
    case 'registration':
      // A registration spends nothing. If the server itself gave no response, though, the user may have to act, and has
      // not been to the browser yet.
      if (!isTransient) {
        return 'never';
      }
      return status !== undefined && isTransientStatus(status) ? 'untilLimit' : 'aFewTimes';
    case 'token': {
      // A code is spent by the first request that the server processes; presenting it again then revokes what it was
      // exchanged for (RFC 6749 section 4.1.2). A reset, a time-out or another 5xx does not say whether it was.
      const wasRefusedForNow = (status === 429 || status === 503) && retryAfterMs !== undefined;
      // The server's stores may not have received the registration yet, and it reads no code of an unknown client.
      const isUnknownYet = kind === 'invalidClient' && isNewClient;
      return isUnknownYet || (isTransient && (wasSent === false || wasRefusedForNow)) ? 'untilLimit' : 'never';
    }
    case 'identity':
      // The token is seconds old, so the server's stores may not have received it yet. The account works without
      // identity and learns it later, so the user need not wait long.
      return isTransient || code === 'invalid_token' ? 'aFewTimes' : 'never';
    default:
      return 'never';
  }
}

/**
 * Sends a request, and sends it again after a failure and a pause, as `repetitionOf` says.
 * @throws Failure: the last one, or of kind `cancelled` as soon as the sign-in is cancelled in a pause
 */
export type Attempt = <T>(send: () => Promise<T>) => Promise<T>;

export interface AttemptOptions {
  /** Whether the client was registered for this sign-in. */
  isNewClient: boolean;
  /** Aborts when the user cancels the sign-in. */
  signal: AbortSignal;
  /** Called at the beginning of each pause, with the failure that it follows. */
  onPause: (failure: Failure) => void;
  clock: Clock;
  randomness: Pick<Randomness, 'fraction'>;
  log: Log;
}

/** A request is not sent again after this time. It is shorter than the life of an authorization code. */
const limitMs = 60_000;
const tryLimits: Record<Repetition, number> = { never: 1, aFewTimes: 4, untilLimit: Number.POSITIVE_INFINITY };
const firstPauseMs = 1_000;
/** Longer pauses would leave too much of the time limit unused. */
const longestPauseMs = 8_000;

/** Creates an `Attempt`. Its time limit, which all requests sent with it share, begins now. */
export function createAttempt({ isNewClient, signal, onPause, clock, randomness, log }: AttemptOptions): Attempt {
  const endMs = clock.monotonicMs() + limitMs;
  return async (send) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof Failure) || tries >= tryLimits[repetitionOf(error, isNewClient)]) {
          throw error;
        }
        const { step, code, status, retryAfterMs = 0 } = error.details;
        const growingMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1));
        const pauseMs = Math.round(Math.max(retryAfterMs, growingMs * (0.75 + randomness.fraction() / 2)));
        if (clock.monotonicMs() + pauseMs > endMs) {
          throw error;
        }
        log.info('A request of the sign-in is sent again after a pause.', { step, code, status, tries, pauseMs });
        onPause(error);
        await pause(clock, pauseMs, signal);
      }
    }
  };
}

async function pause(clock: Clock, pauseMs: number, signal: AbortSignal): Promise<void> {
  const cancelled = whenAborted(signal);
  try {
    await within<void>(cancelled.promise, { clock, limitMs: pauseMs, late: () => undefined });
  } finally {
    cancelled.stop();
  }
}
