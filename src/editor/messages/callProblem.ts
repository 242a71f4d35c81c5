import { agentName } from '../../agents/agentNames.ts';
import type { Problem } from '../../calls/problem.ts';
import type { DisplayText } from '../../core/displayText.ts';
import { messageFor } from './failure.ts';
import { l10n } from './l10n.ts';
import { codeName, editorName, hostName, scopeNames } from './names.ts';
import { transientMessage } from './transientFailure.ts';

/** Tells a caller of the gateway, and thus perhaps the user in a chat, what happened and what to do. */
export function problemSentence(problem: Problem): DisplayText {
  const { status = 0, waitSeconds, scopes = [] } = problem;
  const host = hostName(problem.host);
  switch (problem.kind) {
    case 'signInNeeded':
      return l10n.t(
        'Notion ended the sign-in of this account. Run “Notion MCP: Manage Accounts”, choose the account, then “Reconnect”.',
      );
    case 'signedOut':
      return l10n.t('This account was signed out of Notion. Run “Notion MCP: Sign In” to sign in again.');
    case 'notOffered':
      return l10n.t({
        message:
          'This account is not offered in chat. Turn on “notionMcp.offerMcpServer” in the settings and “Offer in chat” in “Notion MCP: Manage Accounts”, then try again.',
        comment: ['notionMcp.offerMcpServer is the name of a setting.'],
      });
    case 'notAllowed':
      return l10n.t({
        message:
          '{0} does not allow {1} to use this Notion account. Run “Notion MCP: Manage Accounts” there and choose the account to allow it.',
        comment: ['{0} is the name of the editor, {1} that of an agent such as Codex.'],
        args: [editorName(), agentName(problem.agent ?? '')],
      });
    case 'consentPending':
      return l10n.t({
        message: '{0} is asking whether {1} may use this Notion account. Allow it there, then try again.',
        comment: ['{0} is the name of the editor, {1} that of an agent such as Codex.'],
        args: [editorName(), agentName(problem.agent ?? '')],
      });
    case 'renewalFailed':
      if (problem.failure.kind === 'serverRejected') {
        return l10n.t({
          message:
            '{0} refuses to renew the sign-in of this account ({1}). Run “Notion MCP: Manage Accounts” to reconnect it.',
          comment: ['{0} is the name of a server, {1} an error code such as invalid_scope.'],
          args: [host, codeName(problem.failure.details.code)],
        });
      }
      return (
        messageFor(problem.failure)?.sentence ??
        l10n.t('The sign-in to {0} could not be renewed. Try again later.', host)
      );
    case 'tokenRejected':
      return l10n.t(
        '{0} rejected a sign-in that was just renewed. Run “Notion MCP: Test Connection” to see why.',
        host,
      );
    case 'insufficientScope':
      return scopes.length === 0
        ? l10n.t(
            '{0} asks for more access than was allowed. Run “Notion MCP: Manage Accounts” to reconnect the account.',
            host,
          )
        : l10n.t(
            '{0} asks for more access ({1}) than was allowed. Run “Notion MCP: Manage Accounts” to reconnect the account.',
            host,
            scopeNames(scopes),
          );
    case 'unreachable':
      // The sentence that a sign-in would show for the same cause: a certificate, a proxy or a network login. The request
      // that failed may have been a renewal's, to another host.
      return transientMessage(problem.failure, hostName(problem.failure.details.host ?? problem.host)).sentence;
    case 'outcomeUnknown':
      return problem.failure.details.code === 'timeout'
        ? l10n.t('{0} did not respond in time. The change may have been made: check before you try again.', host)
        : l10n.t(
            'The connection to Notion was lost before the response arrived. The change may have been made: check before you try again.',
          );
    case 'rateLimited':
      return waitSeconds === undefined
        ? l10n.t('{0} is limiting requests. Try again later.', host)
        : l10n.t('{0} is limiting requests. Try again in {1} seconds.', host, waitSeconds);
    case 'serverError':
      return l10n.t('{0} is having problems (status {1}). Try again later.', host, status);
    case 'serverRejected':
      return l10n.t(
        '{0} refused the request (status {1}). Run “Notion MCP: Test Connection” to see why.',
        host,
        status,
      );
    case 'invalidResponse':
      return l10n.t('{0} does not respond like an MCP server. Check the server URL in the settings.', host);
    case 'tooLarge':
      return l10n.t('The request is larger than the limit of 16 MB. Send less at once.');
    case 'internal':
      return l10n.t(
        'Something went wrong in the Notion extension. Run “Notion MCP: Copy Diagnostics” and report the problem.',
      );
  }
}
