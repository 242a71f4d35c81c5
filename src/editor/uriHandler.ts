import type { Uri, UriHandler } from 'vscode';
import type { Log } from '../core/log.ts';

/** The path of our redirect URI. */
export const callbackPath = '/callback';

/** Takes the browser's answer from the editor. The editor gives an extension one handler for all its URIs. */
export class CallbackUriHandler implements UriHandler {
  readonly #receive: (query: string) => Promise<void>;
  readonly #log: Log;

  constructor(receive: (query: string) => Promise<void>, log: Log) {
    this.#receive = receive;
    this.#log = log;
  }

  async handleUri(uri: Uri): Promise<void> {
    if (uri.path === callbackPath) {
      await this.#receive(uri.query);
    } else {
      this.#log.warn('A link to this extension has a path that it does not know; it was ignored.');
    }
  }
}
