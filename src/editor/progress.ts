import { commands, ProgressLocation, window } from 'vscode';
import type { Clock } from '../core/clock.ts';
import type { DisplayText } from '../core/displayText.ts';
import { type stoppedWaiting, withDelayedProgress } from './delayedProgress.ts';

/** Runs `work` and, if it takes long, shows a notification with Cancel. See `withDelayedProgress`. */
export function withProgress<T>(
  clock: Clock,
  title: DisplayText,
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

/** Shows what `work` is doing in a notification with Cancel, with links after it. */
export function withLinks<T>(
  title: DisplayText,
  work: (report: (text: DisplayText, links: readonly ProgressLink[]) => void, signal: AbortSignal) => Promise<T>,
): Thenable<T> {
  return window.withProgress(
    { location: ProgressLocation.Notification, cancellable: true, title },
    async (progress, token) => {
      const cancel = new AbortController();
      const listening = token.onCancellationRequested(() => cancel.abort());
      const report = (text: DisplayText, links: readonly ProgressLink[]) => {
        const offered = links.flatMap((link) => link.markdown ?? []).join(' · ');
        // A bracket in the text could begin the link that follows it.
        progress.report({ message: `${text.replaceAll('[', '(').replaceAll(']', ')')} ${offered}`.trimEnd() });
      };
      try {
        return await work(report, cancel.signal);
      } finally {
        listening.dispose();
      }
    },
  );
}

/** A link in a progress notification, which has only one button. Each link needs a command of its own. */
export class ProgressLink {
  readonly #command: string;
  readonly #label: DisplayText;
  readonly #registration: { dispose(): void };
  /** What a click does; without it, the link is not shown. */
  action: (() => void) | undefined;

  constructor(command: string, label: DisplayText) {
    this.#command = command;
    this.#label = label;
    this.#registration = commands.registerCommand(command, () => this.action?.());
  }

  /** The link as the editor renders it; undefined while it has no action. */
  get markdown(): string | undefined {
    return this.action && `[${this.#label}](command:${this.#command} "${this.#label}")`;
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
