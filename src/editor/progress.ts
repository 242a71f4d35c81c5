import { commands, ProgressLocation, window } from 'vscode';
import type { Clock } from '../core/clock.ts';
import { type stoppedWaiting, withDelayedProgress } from './delayedProgress.ts';

/** Does `work` behind a notification with Cancel, if it takes so long that anybody would ask. See `withDelayedProgress`. */
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

/** A progress notification has one button, so other choices are links; the command of one is its sign-in's own. */
export class ProgressLink {
  readonly #command: string;
  readonly #registration: { dispose(): void };
  #act: (() => void) | undefined;

  constructor(command: string) {
    this.#command = command;
    this.#registration = commands.registerCommand(command, () => this.#act?.());
  }

  /** The link to `act` as text; empty without one. */
  to(act: (() => void) | undefined, label: string): string {
    this.#act = act;
    return act === undefined ? '' : `[${label}](command:${this.#command} "${label}")`;
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
