import { type Extension, ExtensionKind, env, UIKind, Uri, workspace } from 'vscode';
import { listen } from '#platform/listen';
import { hostProcess } from '#platform/process';
import type { Clock } from '../core/clock.ts';
import type { Randomness } from '../core/random.ts';
import { Failure } from '../oauth/errors.ts';
import type { OpenChannel, OpenChannelByName } from '../signIn/channel.ts';
import type { HostEnvironment } from '../signIn/channels.ts';
import { type CompletionPage, type CompletionPageText, renderCompletionPage } from '../signIn/completionPage.ts';
import { openLoopbackChannel } from '../signIn/loopback.ts';
import { openPasteChannel } from '../signIn/paste.ts';
import type { SecretsHome } from './messages/failure.ts';
import { l10n } from './messages/l10n.ts';
import { promptForPaste } from './pasteBox.ts';
import { configuredClientId, signInChannel } from './settings.ts';
import { callbackPath } from './uriHandler.ts';

/** Returns the function that opens a sign-in channel on this host. It throws a `Failure` if the host cannot listen. */
export function channelOpener(extension: Extension<unknown>, clock: Clock, randomness: Randomness): OpenChannelByName {
  const completionPage: CompletionPage = async (outcome) => {
    const file = await workspace.fs.readFile(Uri.joinPath(extension.extensionUri, 'media', 'completionPage.html'));
    return renderCompletionPage(new TextDecoder().decode(file), completionPageText(outcome));
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
        return openLoopbackChannel({ listen, completionPage, clock, randomness, path });
      }
      case 'paste':
        return openPasteChannel(promptForPaste, randomness);
    }
  };
}

/** The redirect URI is exactly what `asExternalUri` returns for our callback in this sign-in. */
async function openUriHandlerChannel(extensionId: string): Promise<OpenChannel> {
  const external = await env.asExternalUri(Uri.parse(`${env.uriScheme}://${extensionId}${callbackPath}`));
  // `toString()` without `true` would encode the `=` and `&` of the query, and the URI would no longer work.
  return { name: 'uriHandler', redirectUri: external.toString(true), close: () => undefined };
}

/** The text of the completion page, which the browser shows at the end of a sign-in. */
export function completionPageText(outcome: 'allowed' | 'declined'): CompletionPageText {
  return outcome === 'allowed'
    ? {
        language: env.language,
        title: l10n.t('Access allowed'),
        sentence: l10n.t('You can close this page and return to your editor, where the sign-in is being finished.'),
      }
    : {
        language: env.language,
        title: l10n.t('Access was not allowed'),
        sentence: l10n.t('Nothing has changed. Close this page and return to your editor to try again.'),
      };
}

/** Describes where this extension runs, as far as that decides which sign-in channels work. */
export function hostEnvironment(extension: Extension<unknown>): HostEnvironment {
  const side = extension.extensionKind === ExtensionKind.UI ? 'ui' : 'workspace';
  return {
    host: listen === undefined ? 'webWorker' : side,
    remote: env.remoteName !== undefined,
    web: env.uiKind === UIKind.Web,
    portableOnWindows: isPortableOnWindows(),
    clientConfigured: configuredClientId() !== undefined,
    setting: signInChannel(),
  };
}

/** The editor sets `VSCODE_PORTABLE` for its processes. */
function isPortableOnWindows(): boolean {
  return hostProcess?.system === 'win32' && hostProcess.environment('VSCODE_PORTABLE') !== undefined;
}

/** In a remote window the secrets are on the local computer, whose system is not known here. */
export function secretsHome(): SecretsHome {
  if (env.uiKind === UIKind.Web) {
    return 'browser';
  }
  return hostProcess?.system === 'linux' && env.remoteName === undefined ? 'keyring' : 'other';
}
