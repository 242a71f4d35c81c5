import { commands, ProgressLocation, window } from 'vscode';
import type { Clock } from '../core/clock.ts';
import { type stoppedWaiting, withDelayedProgress } from './delayedProgress.ts';

/** Runs `work` and, if it takes long, shows a notification with Cancel. See `withDelayedProgress`. */
export function withProgress<T>(
  clock: Clock,
  title: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | typeof stoppedWaiting> {
  return withDelayedProgress(
    clock,
    (ended, stop) =>
      void window.withProgress({ location: ProgressLocation.Notification, title, cancellable: true }, (_, token) => {
        token.onCancellationRequested(stop);
        return ended;
      }),
    work,
  );
}

/** A link in a progress notification, which has only one button. Each link needs a command of its own. */
export class ProgressLink {
  readonly #command: string;
  readonly #registration: { dispose(): void };
  #action: (() => void) | undefined;

  constructor(command: string) {
    this.#command = command;
    this.#registration = commands.registerCommand(command, () => this.#action?.());
  }

  /** Returns a Markdown link that runs `action`, or an empty string if there is none. */
  to(action: (() => void) | undefined, label: string): string {
    this.#action = action;
    return action === undefined ? '' : `[${label}](command:${this.#command} "${label}")`;
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
