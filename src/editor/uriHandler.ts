import type { Uri, UriHandler } from 'vscode';
import type { Log } from '../core/log.ts';

/** The path of our redirect URI. */
export const callbackPath = '/callback';

/** Receives OAuth callbacks from the editor, which gives an extension a single handler for all its URIs. */
export class CallbackUriHandler implements UriHandler {
  readonly #receive: (query: string) => Promise<void>;
  readonly #log: Log;
  #hasIgnoredLink = false;

  constructor(receive: (query: string) => Promise<void>, log: Log) {
    this.#receive = receive;
    this.#log = log;
  }

  async handleUri(uri: Uri): Promise<void> {
    if (uri.path === callbackPath) {
      await this.#receive(uri.query);
    } else if (!this.#hasIgnoredLink) {
      this.#hasIgnoredLink = true;
      this.#log.warn('Ignored a link to this extension with an unknown path.', { furtherLinesSuppressed: true });
    }
  }
}
