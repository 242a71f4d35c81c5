import type { DisplayText } from '../../core/displayText.ts';
import type { Failure } from '../../oauth/errors.ts';
import { defaultServerUrl } from '../settings.ts';
import type { Message, MessageAction } from './actions.ts';
import { l10n } from './l10n.ts';
import { codeName } from './names.ts';

const retry: readonly MessageAction[] = ['tryAgain', 'showLog'];
/** For a custom server, whose URL in the settings may be wrong. */
const retryOrOpenSetting: readonly MessageAction[] = ['tryAgain', 'openSetting', 'showLog'];

/** The message for a transient failure, which leaves the stored sign-in untouched. */
export function transientMessage({ details }: Failure, host: DisplayText): Message {
  const { step, code, status, retryAfterMs, serverReason } = details;
  if (step === 'storage') {
    return localStorageMessage(code);
  }
  if (code === 'unconfirmed' || code === 'waiting') {
    const sentence = l10n.t({
      message:
        '{0} refused to renew the sign-in. It will be tried once more in a minute or two before you have to sign in again.',
      comment: ['{0} is the name of a server, such as mcp.notion.com.'],
      args: [host],
    });
    return { sentence, actions: ['reconnect', 'showLog'] };
  }
  if (code === 'no_refresh_token') {
    const sentence = l10n.t(
      'Notion issued no refresh token for this account, so it cannot be renewed. Sign in again when it ends.',
    );
    return { sentence, actions: ['reconnect', 'manageAccounts'] };
  }
  if (retryAfterMs !== undefined) {
    const seconds = Math.ceil(retryAfterMs / 1000);
    return { sentence: l10n.t('{0} is limiting requests. Try again in {1} seconds.', host, seconds), actions: retry };
  }
  if (code === 'html') {
    return {
      sentence: l10n.t(
        'The network returned its own page instead of the response from {0}. Open any web page to log in to the network, then try again.',
        host,
      ),
      actions: retry,
    };
  }
  if (status === 401 || status === 403 || status === 407) {
    return {
      sentence: l10n.t(
        'Something between this computer and {0} blocked the request (status {1}). Check the proxy or firewall, then try again.',
        host,
        status,
      ),
      actions: ['tryAgain', 'openProxySetting', 'showLog'],
    };
  }
  if (status !== undefined) {
    return {
      sentence: l10n.t('{0} is having problems (status {1}). Try again later.', host, status),
      actions: retry,
    };
  }
  switch (code) {
    case 'rate_limited':
      return { sentence: l10n.t('{0} is limiting requests. Try again later.', host), actions: retry };
    case 'server_fault':
      return {
        sentence: l10n.t(
          'A tool failed because of a known bug in Notion’s server. Try again, or rephrase your request.',
        ),
        actions: retry,
      };
    case 'tool_error':
    case 'rpc_error':
      return {
        sentence: l10n.t(
          '{0} is having problems and says: “{1}”. Try again later.',
          host,
          serverReason || codeName(code),
        ),
        actions: retry,
      };
    default:
      return networkMessage(code, host, details.host);
  }
}

function networkMessage(code: string, host: DisplayText, rawHost: string | undefined): Message {
  switch (code) {
    case 'timeout':
      return isNotionHost(rawHost)
        ? { sentence: l10n.t('{0} did not respond in time. Check your network and try again.', host), actions: retry }
        : {
            sentence: l10n.t(
              '{0} did not respond in time. Check your network and the server URL, and try again.',
              host,
            ),
            actions: retryOrOpenSetting,
          };
    case 'certificate':
      return {
        sentence: l10n.t(
          'The certificate of {0} is not trusted on this computer. If your company issued it, add its authority to the system’s certificates, then try again.',
          host,
        ),
        actions: retry,
      };
    case 'unverified':
      return {
        sentence: l10n.t({
          message:
            'Nothing was sent to {0}, because NODE_TLS_REJECT_UNAUTHORIZED=0 stops this editor from checking certificates. Remove it from the environment of the editor, then restart the editor.',
          comment: ['{0} is the name of a server. NODE_TLS_REJECT_UNAUTHORIZED is the name of a variable.'],
          args: [host],
        }),
        actions: ['tryAgain', 'reloadWindow', 'showLog'],
      };
    case 'proxy':
      return {
        sentence: l10n.t(
          'The proxy did not let the request to {0} through. Check the proxy setting, then try again.',
          host,
        ),
        actions: ['openProxySetting', 'tryAgain', 'showLog'],
      };
    case 'interrupted':
      return {
        sentence: l10n.t('The network changed or this computer went to sleep before {0} responded. Try again.', host),
        actions: retry,
      };
    case 'ending':
      return {
        sentence: l10n.t('This window is closing. Reload it to continue.'),
        actions: ['reloadWindow'],
      };
    default:
      return isNotionHost(rawHost)
        ? { sentence: l10n.t('{0} cannot be reached. Check your network and try again.', host), actions: retry }
        : {
            sentence: l10n.t('{0} cannot be reached. Check your network and the server URL, and try again.', host),
            actions: retryOrOpenSetting,
          };
  }
}

function isNotionHost(host: string | undefined): boolean {
  return host === undefined || host === new URL(defaultServerUrl).host;
}

/** For a window that must not store anything until it is reloaded. */
export function staleWindowMessage(): Message {
  return {
    sentence: l10n.t('Another window has signed in to Notion since this one was opened. Reload this window.'),
    actions: ['reloadWindow'],
  };
}

/** For a folder of sign-ins that other users of the computer can change. */
export function exposedMessage(): Message {
  return {
    sentence: l10n.t(
      'Other users of this computer can change the folder that holds your Notion sign-ins, and it could not be made private. Correct its owner and permissions, then reload this window.',
    ),
    actions: ['reloadWindow', 'showLog'],
  };
}

/** For failures of the storage on this computer, which involve neither the server nor the network. */
function localStorageMessage(code: string): Message {
  switch (code) {
    case 'stale_window':
      return staleWindowMessage();
    case 'read_only':
      return {
        sentence: l10n.t('Another window has newer credentials for this account. Reload this window to use it.'),
        actions: ['reloadWindow'],
      };
    case 'newer_version':
      return {
        sentence: l10n.t('A newer version of this extension stored this account. Update the extension to use it.'),
        actions: ['showExtension'],
      };
    case 'unreadable':
      return {
        sentence: l10n.t(
          'The stored sign-in of this account cannot be read on this computer. Try again, or sign in again to replace it.',
        ),
        actions: ['tryAgain', 'reconnect', 'showLog'],
      };
    case 'not_private':
      return exposedMessage();
    case 'locked':
    case 'lock_lost':
      return {
        sentence: l10n.t('Another window is busy with this account. Try again in a moment.'),
        actions: retry,
      };
    default:
      return {
        sentence: l10n.t(
          'The sign-in could not be stored on this computer. Make sure that the disk is not full and the keyring is unlocked, then try again.',
        ),
        actions: retry,
      };
  }
}
