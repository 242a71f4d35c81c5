import { ProgressLocation, window } from 'vscode';
import type { Clock } from '../core/clock.ts';
import { type stoppedWaiting, withPatience } from './delayedProgress.ts';

/** Does `work` behind a notification with Cancel, if it takes so long that anybody would ask. See `withPatience`. */
export function withProgress<T>(
  clock: Clock,
  title: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | typeof stoppedWaiting> {
  return withPatience(
    clock,
    (ended, stop) =>
      void window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, (_, token) => {
        token.onCancellationRequested(stop);
        return ended;
      }),
    work,
  );
}
