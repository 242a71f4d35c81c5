import type { StorageProblem } from '../../accounts/accountState.ts';
import type { DisplayText } from '../../core/displayText.ts';
import type { Grant } from '../../grants/grant.ts';
import type { Failure } from '../../oauth/errors.ts';
import type { Message } from './actions.ts';
import { refusalSentence } from './callback.ts';
import { l10n } from './l10n.ts';
import { accountName, codeName, hostName, hostOf } from './names.ts';
import { fewerScopesMessage } from './stepUp.ts';
import { exposedMessage, staleWindowMessage, transientMessage } from './transientFailure.ts';

/** Maps a failure to its sentence and buttons; `undefined` if the user cancelled and needs no message. */
export function messageFor(failure: Failure): Message | undefined {
  const { details } = failure;
  const host = details.host === undefined ? l10n.t('The server') : hostName(details.host);
  switch (failure.kind) {
    case 'cancelled':
      return cancelledMessage(details.code);
    case 'misconfigured':
      if (details.code === 'no_channel') {
        return {
          sentence: l10n.t('The selected sign-in channel isn’t available here. Choose another one in the settings.'),
          actions: ['openChannelSetting'],
        };
      }
      if (details.code === 'no_registration') {
        return {
          sentence: l10n.t(
            '{0} does not let this editor register itself. Register an app there yourself and enter its client ID, or check the server URL.',
            host,
          ),
          actions: ['openClientSetting', 'openSetting'],
        };
      }
      if (details.code === 'no_client_metadata') {
        return {
          sentence: l10n.t(
            '{0} does not read client metadata documents. Enter the client ID of an app that is registered there, or leave the setting empty.',
            host,
          ),
          actions: ['openClientSetting', 'openSetting'],
        };
      }
      return { sentence: misconfiguredSentence(details.code), actions: ['openSetting'] };
    case 'accessDenied':
      return details.code === 'fewer_scopes'
        ? fewerScopesMessage()
        : {
            sentence: l10n.t('You denied access in the browser. Nothing changed. Try again to allow it.'),
            actions: ['tryAgain'],
          };
    case 'invalidGrant':
      if (details.code === 'signed_out') {
        return {
          sentence: l10n.t('This account was signed out of Notion. Sign in again to use it.'),
          actions: ['signIn'],
        };
      }
      return details.step === 'token' && details.code !== 'ended'
        ? {
            sentence: l10n.t('{0} no longer accepts this sign-in. Sign in again.', host),
            actions: ['signIn', 'showLog'],
          }
        : { sentence: l10n.t('Notion ended this sign-in. Sign in again.'), actions: ['signIn', 'showLog'] };
    case 'invalidClient':
      return {
        sentence: l10n.t('{0} no longer knows this editor. Sign in again to register it afresh.', host),
        actions: ['signIn', 'showLog'],
      };
    case 'serverRejected':
      return { sentence: rejectedSentence(failure, host), actions: ['tryAgain', 'showLog'] };
    case 'transient':
      return transientMessage(failure, host);
    case 'invalidResponse':
      return invalidResponseMessage(failure, host);
    case 'unsafe':
      if (details.code === 'no_pkce_s256') {
        return {
          sentence: l10n.t({
            message: '{0} does not support PKCE, which a secure sign-in requires. Check the server URL.',
            comment: ['{0} is the name of a server. PKCE is the name of a standard.'],
            args: [host],
          }),
          actions: ['openSetting', 'showLog'],
        };
      }
      if (details.step === 'discovery') {
        return { sentence: unsafeServerSentence(details.code, host), actions: ['openSetting', 'showLog'] };
      }
      return { sentence: refusalSentence(details.code, host), actions: ['tryAgain', 'showLog'] };
  }
}

/** Prefixes a message with the name of an account, as the user may have several. */
export function aboutAccount(name: DisplayText, { sentence, actions }: Message): Message {
  return {
    sentence: l10n.t({
      message: '{0}: {1}',
      comment: ['{0} is the name of an account, {1} a sentence that says what is wrong with it.'],
      args: [name, sentence],
    }),
    actions,
  };
}

/** Explains why an account needs a new sign-in, and asks the user to sign in. */
export function needsSignInSentence(grant: Grant): DisplayText {
  const name = accountName(grant);
  switch (grant.needsSignIn?.reason) {
    case 'tooOld':
      return l10n.t('The sign-in of {0} has reached Notion’s limit of 180 days. Sign in again.', name);
    case 'idle':
      return l10n.t('{0} was not used for 30 days, so Notion ended its sign-in. Sign in again.', name);
    case 'invalidClient':
      return l10n.t('Notion no longer knows this editor, so {0} has to sign in again.', name);
    case 'noRefreshToken':
      return l10n.t(
        'The sign-in of {0} has expired, and Notion issued it without a way to renew it. Sign in again.',
        name,
      );
    default:
      return l10n.t('Notion ended the sign-in of {0}. Sign in again.', name);
  }
}

/** Explains that the server refuses to renew an account, and asks the user to sign in or wait. */
export function refusedSentence(grant: Grant): DisplayText {
  return l10n.t({
    message:
      '{0} refuses to renew the sign-in of {1} ({2}). Sign in again, or wait: it will be tried again from time to time.',
    comment: ['{0} is the name of a server, {1} of an account, {2} an error code such as invalid_scope.'],
    args: [hostOf(grant.authorizationServer.tokenEndpoint), accountName(grant), codeName(grant.refusal?.code)],
  });
}

/** Explains what happens to the accounts with these labels when the configured server changes. */
export function serverChangedMessage(labels: readonly string[]): Message {
  const [label = '', ...others] = labels;
  const sentence =
    others.length === 0
      ? l10n.t(
          'The Notion server URL has changed, and {0} belongs to the previous server. It is kept: change the URL back to use it again.',
          accountName({ label }),
        )
      : l10n.t(
          'The Notion server URL has changed, and {0} accounts belong to the previous server. They are kept: change the URL back to use them again.',
          labels.length,
        );
  return { sentence, actions: ['manageAccounts', 'openSetting'] };
}

/** Where the editor keeps its secrets, as far as the user can do something about it. */
export type SecretsHome = 'browser' | 'keyring' | 'other';

/** Tells the user about a problem with the stored sign-ins. */
export function storageMessage(problem: StorageProblem, home: SecretsHome): Message {
  switch (problem) {
    case 'damaged':
      return {
        sentence: l10n.t('A stored Notion sign-in could not be read and was set aside. Sign in again.'),
        actions: ['signIn', 'showLog'],
      };
    case 'stale':
      return staleWindowMessage();
    case 'exposed':
      return exposedMessage();
    case 'keyLost':
      return { sentence: keyLostSentence(home), actions: ['signIn', 'showLog'] };
  }
}

function keyLostSentence(home: SecretsHome): DisplayText {
  switch (home) {
    case 'browser':
      return l10n.t(
        'This browser no longer has the key to your Notion sign-ins, perhaps because its data for this site was deleted. Sign in again.',
      );
    case 'keyring':
      return l10n.t(
        'Your Notion sign-ins were lost when the editor closed, because this computer has no keyring. Set one up, then sign in again.',
      );
    case 'other':
      return l10n.t('This computer no longer has the key to your Notion sign-ins. Sign in again.');
  }
}

function cancelledMessage(code: string): Message | undefined {
  switch (code) {
    case 'browser_limit':
      return {
        sentence: l10n.t('No response came from the browser within 5 minutes. Try again when you are ready.'),
        actions: ['tryAgain', 'showLog'],
      };
    default:
      return undefined;
  }
}

function misconfiguredSentence(code: string): DisplayText {
  switch (code) {
    case 'server_url_empty':
      return l10n.t('The Notion MCP server URL is empty. Enter the address of the server, or reset the setting.');
    case 'server_url_no_scheme':
      return l10n.t('The Notion MCP server URL must begin with https://. Enter the whole address.');
    case 'server_url_insecure':
      return l10n.t(
        'The Notion MCP server URL must begin with https://; http:// is only for this computer. Correct the setting.',
      );
    case 'server_url_credentials':
      return l10n.t('The Notion MCP server URL must not contain a user name or password. Remove them.');
    case 'server_url_query':
      return l10n.t('The Notion MCP server URL must not contain a question mark. Remove it and everything after it.');
    case 'server_url_fragment':
      return l10n.t('The Notion MCP server URL must not contain a number sign (#). Remove it and everything after it.');
    case 'server_url_trailing_slash':
      return l10n.t('The Notion MCP server URL must not end in a slash. Remove the slash.');
    case 'server_url_sse':
      return l10n.t(
        'The Notion MCP server URL ends in /sse, which is no longer supported. Use the address that ends in /mcp.',
      );
    default:
      return l10n.t('The Notion MCP server URL is not a web address. Enter one such as https://mcp.notion.com/mcp.');
  }
}

function unsafeServerSentence(code: string, host: DisplayText): DisplayText {
  return code === 'insecure' || code === 'private_address'
    ? l10n.t('{0} points to an address that is not safe for a sign-in. Check the server URL.', host)
    : l10n.t('{0} returned the description of a different server, so it was ignored. Check the server URL.', host);
}

function rejectedSentence({ details }: Failure, host: DisplayText): DisplayText {
  const reason = details.serverReason ?? codeName(details.code);
  if (details.code === 'guest_not_allowed') {
    return l10n.t(
      '{0} can be used only by members of a workspace, and you are a guest. Try again and choose another workspace, or ask its owner to make you a member.',
      host,
    );
  }
  if (details.code === 'client_not_allowed') {
    return l10n.t(
      '{0} accepts only apps that an admin of the workspace has allowed. Ask an admin to allow this editor, then try again.',
      host,
    );
  }
  if (details.step === 'registration') {
    return l10n.t('{0} refused to register this editor and says: “{1}”. Try again later.', host, reason);
  }
  return l10n.t('{0} refused the request and says: “{1}”. Try again.', host, reason);
}

function invalidResponseMessage({ details }: Failure, host: DisplayText): Message {
  if (details.step === 'discovery') {
    const sentence =
      details.missing === undefined
        ? l10n.t('{0} does not look like a Notion MCP server. Check the server URL.', host)
        : l10n.t(
            '{0} does not say where to sign in: “{1}” is missing. Check the server URL.',
            host,
            codeName(details.missing),
          );
    return { sentence, actions: ['openSetting', 'showLog'] };
  }
  if (details.step === 'authorization') {
    return { sentence: refusalSentence(details.code, host), actions: ['tryAgain', 'showLog'] };
  }
  return {
    sentence: l10n.t('{0} returned an unexpected response. Try again; if it happens again, check the log.', host),
    actions: ['tryAgain', 'showLog'],
  };
}

/** For an unexpected error, which is a bug in this extension. */
export function unexpectedErrorMessage(): Message {
  return {
    sentence: l10n.t(
      'Something went wrong in the Notion extension. Try again; if it happens again, copy the diagnostics and report the problem.',
    ),
    actions: ['tryAgain', 'copyDiagnostics', 'showLog'],
  };
}
