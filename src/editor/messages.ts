import { l10n } from 'vscode';
import type { StorageProblem } from '../grants/accounts.ts';
import type { Grant } from '../grants/grant.ts';
import type { Failure } from '../oauth/failure.ts';

/** What a button under a message does. */
export type Remedy =
  | 'tryAgain'
  | 'signIn'
  | 'reconnect'
  | 'manageAccounts'
  | 'reloadWindow'
  | 'openSetting'
  | 'openChannelSetting'
  | 'showLog';

/** One sentence that says what happened and what to do, and the buttons that do it. */
export interface Message {
  sentence: string;
  remedies: readonly Remedy[];
}

/** The one table from a kind of failure to a sentence and buttons; `undefined` where the person ended it and knows. */
export function messageFor(failure: Failure): Message | undefined {
  const { details } = failure;
  const host = details.host ?? l10n.t('the server');
  switch (failure.kind) {
    case 'cancelled':
      return cancelledMessage(details.code);
    case 'misconfigured':
      if (details.code === 'no_channel') {
        return {
          sentence: l10n.t('The chosen way back from the browser cannot work here. Choose another one.'),
          remedies: ['openChannelSetting'],
        };
      }
      return { sentence: misconfiguredSentence(details.code, host), remedies: ['openSetting'] };
    case 'refused':
      return {
        sentence: l10n.t('Access was not allowed in the browser, so nothing changed. Try again to allow it.'),
        remedies: ['tryAgain'],
      };
    case 'signInAgain':
      return details.step === 'token' && details.code !== 'ended'
        ? {
            sentence: l10n.t('{0} no longer accepts this sign-in. Sign in again.', host),
            remedies: ['signIn', 'showLog'],
          }
        : { sentence: l10n.t('Notion ended this sign-in. Sign in again.'), remedies: ['signIn', 'showLog'] };
    case 'registrationGone':
      return {
        sentence: l10n.t('{0} no longer knows this editor. Sign in again to register it afresh.', host),
        remedies: ['signIn', 'showLog'],
      };
    case 'serverRefuses':
      return { sentence: refusedSentence(failure, host), remedies: ['tryAgain', 'showLog'] };
    case 'transient':
      return transientMessage(failure, host);
    case 'nonsense':
      return nonsenseMessage(failure, host);
    case 'unsafe':
      if (details.code === 'no_pkce_s256') {
        return {
          sentence: l10n.t('{0} lacks a protection (PKCE) that signing in needs. Check the server URL.', host),
          remedies: ['openSetting', 'showLog'],
        };
      }
      return {
        sentence: l10n.t('{0} sent something that does not fit this sign-in, so it was not used. Try again.', host),
        remedies: ['tryAgain', 'showLog'],
      };
  }
}

/** Why an account needs its person, and what to do. */
export function needsSignInSentence({ label, needsSignIn }: Grant): string {
  switch (needsSignIn?.reason) {
    case 'tooOld':
      return l10n.t('The sign-in of {0} is 180 days old, and Notion asks for a new one. Sign in again.', label);
    case 'idle':
      return l10n.t('{0} was not used for 30 days, so Notion ended its sign-in. Sign in again.', label);
    case 'registrationGone':
      return l10n.t('Notion no longer knows this editor, so {0} has to sign in again.', label);
    case 'noRefreshToken':
      return l10n.t('Notion gave no way to renew the sign-in of {0}. Sign in again.', label);
    default:
      return l10n.t('Notion ended the sign-in of {0}. Sign in again.', label);
  }
}

/** The same where the account is named already and one short line has to do. */
export function needsSignInWhy({ needsSignIn }: Grant): string {
  switch (needsSignIn?.reason) {
    case 'tooOld':
      return l10n.t('Needs sign-in: the last one is 180 days old');
    case 'idle':
      return l10n.t('Needs sign-in: it was not used for 30 days');
    case 'registrationGone':
      return l10n.t('Needs sign-in: Notion no longer knows this editor');
    case 'noRefreshToken':
      return l10n.t('Needs sign-in: Notion gave no way to renew it');
    default:
      return l10n.t('Needs sign-in: Notion ended the last one');
  }
}

/** What the person should hear of how sign-ins are kept here. */
export function storageMessage(problem: StorageProblem): Message {
  switch (problem) {
    case 'damaged':
      return {
        sentence: l10n.t('A stored Notion sign-in cannot be read, so it was kept aside. Sign in again.'),
        remedies: ['signIn', 'showLog'],
      };
    case 'stale':
      return {
        sentence: l10n.t('Another window has signed in to Notion since this one was opened. Reload this window.'),
        remedies: ['reloadWindow'],
      };
    case 'forgetful':
      return {
        sentence: l10n.t(
          'This computer forgot the Notion sign-ins when the editor closed. Set up a keyring for it, then sign in again.',
        ),
        remedies: ['signIn', 'showLog'],
      };
  }
}

/** The words on a button. */
export function remedyLabel(remedy: Remedy): string {
  switch (remedy) {
    case 'tryAgain':
      return l10n.t('Try Again');
    case 'signIn':
      return l10n.t('Sign In');
    case 'reconnect':
      return l10n.t({ message: 'Reconnect', comment: ['Button: signs the same account in again.'] });
    case 'manageAccounts':
      return l10n.t('Manage Accounts');
    case 'reloadWindow':
      return l10n.t('Reload Window');
    case 'openSetting':
    case 'openChannelSetting':
      return l10n.t('Open Setting');
    case 'showLog':
      return l10n.t('Show Log');
  }
}

function cancelledMessage(code: string): Message | undefined {
  switch (code) {
    case 'browser_limit':
      return {
        sentence: l10n.t('Nothing came back from the browser within 5 minutes. Try again when you are ready.'),
        remedies: ['tryAgain', 'showLog'],
      };
    case 'browser_not_opened':
      return {
        sentence: l10n.t('The sign-in page was not opened in the browser. Try again and allow it to open.'),
        remedies: ['tryAgain'],
      };
    default:
      return undefined;
  }
}

function misconfiguredSentence(code: string, host: string): string {
  switch (code) {
    case 'server_url_empty':
      return l10n.t('The Notion MCP server URL is empty. Enter the address of the server, or reset the setting.');
    case 'server_url_no_scheme':
      return l10n.t('The Notion MCP server URL must begin with https://.');
    case 'server_url_insecure':
      return l10n.t('The Notion MCP server URL must begin with https://; http:// is only for this computer.');
    case 'server_url_credentials':
      return l10n.t('The Notion MCP server URL must not hold a user name or a password.');
    case 'server_url_query':
      return l10n.t('The Notion MCP server URL must not hold a question mark.');
    case 'server_url_fragment':
      return l10n.t('The Notion MCP server URL must not hold a number sign (#).');
    case 'server_url_trailing_slash':
      return l10n.t('The Notion MCP server URL must not end in a slash.');
    case 'server_url_sse':
      return l10n.t(
        'The Notion MCP server URL ends in /sse, the old way to connect. Use the address that ends in /mcp.',
      );
    case 'no_registration':
      return l10n.t('{0} does not let new apps register themselves, so this editor cannot sign in there.', host);
    default:
      return l10n.t('The Notion MCP server URL is not a web address. Enter one such as https://mcp.notion.com/mcp.');
  }
}

function refusedSentence({ details }: Failure, host: string): string {
  const reason = details.serverReason ?? details.code;
  if (details.step === 'registration') {
    return l10n.t('{0} refused to register this editor and says: “{1}”. Try again later.', host, reason);
  }
  return l10n.t('{0} refused and says: “{1}”. Try again.', host, reason);
}

function transientMessage({ details }: Failure, host: string): Message {
  if (details.code === 'stale_window') {
    return storageMessage('stale');
  }
  const remedies: Remedy[] = ['tryAgain', 'showLog'];
  if (details.retryAfterMs !== undefined) {
    const seconds = String(Math.ceil(details.retryAfterMs / 1000));
    return { sentence: l10n.t('{0} asks for a pause. Try again in {1} seconds.', host, seconds), remedies };
  }
  if (details.status !== undefined) {
    return {
      sentence: l10n.t('{0} has trouble at the moment (status {1}). Try again later.', host, String(details.status)),
      remedies,
    };
  }
  switch (details.code) {
    case 'timeout':
      return { sentence: l10n.t('{0} did not answer in time. Check your network and try again.', host), remedies };
    case 'certificate':
      return {
        sentence: l10n.t(
          'The certificate of {0} is not trusted on this computer. If your company issued it, add its authority to the system’s certificates.',
          host,
        ),
        remedies,
      };
    case 'proxy':
      return {
        sentence: l10n.t('The proxy did not let the request to {0} through. Check its settings.', host),
        remedies,
      };
    default:
      return { sentence: l10n.t('{0} cannot be reached. Check your network and try again.', host), remedies };
  }
}

function nonsenseMessage({ details }: Failure, host: string): Message {
  if (details.step === 'discovery') {
    const sentence =
      details.missing === undefined
        ? l10n.t('{0} does not look like a Notion MCP server. Check the server URL.', host)
        : l10n.t('{0} does not say where to sign in: “{1}” is missing. Check the server URL.', host, details.missing);
    return { sentence, remedies: ['openSetting', 'showLog'] };
  }
  return {
    sentence: l10n.t('{0} gave an answer that makes no sense. Try again; the log has the details.', host),
    remedies: ['tryAgain', 'showLog'],
  };
}
