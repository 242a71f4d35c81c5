import { commands } from 'vscode';

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
