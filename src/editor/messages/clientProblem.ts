import type { ClientFailure, ClientProblem } from '../../client/problem.ts';
import { type DisplayText, display } from '../../core/displayText.ts';
import { problemSentence } from './callProblem.ts';
import { l10n } from './l10n.ts';
import { codeName, hostName } from './names.ts';

const notion = hostName('Notion');

/** Tells another extension, and its user, why its request failed and what to do. */
export function clientProblemSentence({ problem, code }: Pick<ClientFailure, 'problem' | 'code'>): DisplayText {
  if (code === 'outcomeUnknown' || problem.kind === 'taskLost') {
    return l10n.t('Notion did not confirm the change, but it may have been made: check before you try again.');
  }
  switch (problem.kind) {
    case 'call':
      return problemSentence(problem.problem);
    case 'tool':
      return toolSentence(problem);
    case 'toolUnavailable':
      return problem.link === undefined
        ? l10n.t({
            message: 'Your Notion workspace does not have the tool {0}. Ask an admin of the workspace.',
            comment: ['{0} is the name of a tool, such as notion-search.'],
            args: [codeName(problem.tool)],
          })
        : l10n.t('This tool is not included in the plan of your Notion workspace. See {0}.', problem.link);
    case 'unknownToken':
      return l10n.t('Sign in to Notion, and allow this extension to use your account.');
    case 'cancelled':
      return l10n.t('The request to Notion was cancelled.');
    case 'timeOver':
      return l10n.t('{0} did not respond in time. Try again later.', hostName(problem.host));
    case 'unexpectedResult':
      return l10n.t({
        message: 'Notion returned an unexpected result ({0} is missing). Run “Notion MCP: Test Connection” to see why.',
        comment: ['{0} is the name of a field, such as results.'],
        args: [codeName(problem.missing)],
      });
    case 'notAPage':
      return l10n.t('This is not a Notion page but something else, such as a database.');
    case 'badArgument':
      return l10n.t({
        message: 'The extension passed an invalid value ({0}) for Notion. Report this to its author.',
        comment: ['{0} is the name of a parameter, such as title.'],
        args: [codeName(problem.name)],
      });
  }
}

function toolSentence({ code, reason, retryAfterMs }: Extract<ClientProblem, { kind: 'tool' }>): DisplayText {
  switch (code) {
    case 'rate_limited':
    case 'service_overload':
      return retryAfterMs === undefined
        ? l10n.t('{0} is limiting requests. Try again later.', notion)
        : l10n.t('{0} is limiting requests. Try again in {1} seconds.', notion, Math.ceil(retryAfterMs / 1_000));
    case 'object_not_found':
      return l10n.t('Notion cannot find this. It may have been deleted, or your account has no access to it.');
    case 'unauthorized':
    case 'restricted_resource':
      return withReason(l10n.t('Your Notion account has no access to this.'), reason);
    case 'serverFault':
      return l10n.t('A tool failed because of a known bug in Notion’s server. Try again, or rephrase your request.');
    case 'validation_error':
    case 'invalid_json':
    case 'invalid_request':
    case 'invalid_request_url':
    case 'invalidParams':
      return withReason(l10n.t('Notion does not accept this request.'), reason);
    default:
      return withReason(l10n.t('Notion is having problems. Try again later.'), reason);
  }
}

/** Adds what Notion says, which may be nothing. */
function withReason(sentence: DisplayText, reason: DisplayText): DisplayText {
  return reason === '' ? sentence : display`${sentence} ${l10n.t('Notion says: “{0}”', reason)}`;
}
