import { type Extension, env, Uri, workspace } from 'vscode';
import { listen } from '#platform/listen';
import type { Clock, Randomness } from '../core/clock.ts';
import { Failure } from '../oauth/errors.ts';
import type { OpenChannel, OpenChannelByName } from '../signIn/channels.ts';
import { fillLastPage, type LastPage } from '../signIn/completionPage.ts';
import { openLoopbackChannel } from '../signIn/loopback.ts';
import { openPasteChannel } from '../signIn/paste.ts';
import { lastPageWords } from './lastPageWords.ts';
import { askForPaste } from './pasteBox.ts';
import { configuredClientId } from './settings.ts';
import { callbackPath } from './uriHandler.ts';

/** Makes a channel ready with what this editor has for it. */
export function channelOpener(extension: Extension<unknown>, clock: Clock, randomness: Randomness): OpenChannelByName {
  const lastPage: LastPage = async (outcome) => {
    const file = await workspace.fs.readFile(Uri.joinPath(extension.extensionUri, 'media', 'completionPage.html'));
    return fillLastPage(new TextDecoder().decode(file), lastPageWords(outcome));
  };
  return async (name) => {
    switch (name) {
      case 'uriHandler':
        return openUriHandlerChannel(extension.id);
      case 'loopback': {
        if (listen === undefined) {
          throw new Failure('misconfigured', { step: 'authorization', code: 'no_channel' });
        }
        const path = configuredClientId() === undefined ? undefined : callbackPath;
        return openLoopbackChannel({ listen, lastPage, clock, randomness, path });
      }
      case 'paste':
        return openPasteChannel(askForPaste, randomness);
    }
  };
}

/** The editor's own address for our callback: what `asExternalUri` gives for this sign-in, as it is. */
async function openUriHandlerChannel(extensionId: string): Promise<OpenChannel> {
  const external = await env.asExternalUri(Uri.parse(`${env.uriScheme}://${extensionId}${callbackPath}`));
  // `toString()` would encode the `=` and `&` of the query, and with them the address would lead nowhere.
  return { name: 'uriHandler', redirectUri: external.toString(true), close: () => undefined };
}
