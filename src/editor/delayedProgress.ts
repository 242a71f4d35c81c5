import type { Clock } from '../core/clock.ts';

/** Returned instead of a result if the user stopped waiting for it. */
export const stoppedWaiting = Symbol('stoppedWaiting');

/** Shows progress until `ended` resolves; calls `stop` when the user cancels. */
export type ShowProgress = (ended: Promise<void>, stop: () => void) => void;

/** Shorter progress would vanish before the user can read it, and the editor would keep it on screen for 0.8 s. */
const delayMs = 500;

/**
 * Runs `work` and shows progress only once it has taken half a second. When the user cancels, this returns at once and
 * aborts the signal of `work`; whatever cannot be stopped continues in the background.
 * @throws what `work` throws, unless the user has stopped waiting
 */
export async function withDelayedProgress<T>(
  clock: Clock,
  show: ShowProgress,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | typeof stoppedWaiting> {
  const cancel = new AbortController();
  const stopped = Promise.withResolvers<typeof stoppedWaiting>();
  const working = Promise.race([stopped.promise, work(cancel.signal)]);
  const ended = working.then(
    () => undefined,
    () => undefined,
  );
  const stop = (): void => {
    stopped.resolve(stoppedWaiting);
    cancel.abort();
  };
  const cancelDelay = clock.after(delayMs, () => show(ended, stop));
  try {
    return await working;
  } finally {
    cancelDelay();
  }
}
