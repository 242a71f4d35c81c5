import type { Clock } from '../core/clock.ts';

/** In place of a result: the person no longer wants to wait for it. */
export const stoppedWaiting = Symbol('stoppedWaiting');

/** Shows that something is under way, until `ended` resolves; calls `stop` when the person cancels. */
export type ShowProgress = (ended: Promise<void>, stop: () => void) => void;

/** What a person sees of this comes and goes too fast to be read, and the editor would keep it for 0.8 s. */
const delayMs = 500;

/**
 * Does `work`, and shows it only once it has taken half a second. Who cancels is free at once, however the work
 * stands: its signal aborts, and what cannot be stopped goes on unseen.
 * @throws what `work` throws, unless the person had stopped waiting
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
  const disarm = clock.after(delayMs, () => show(ended, stop));
  try {
    return await working;
  } finally {
    disarm();
  }
}
