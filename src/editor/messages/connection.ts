import { type DisplayText, display, displayText } from '../../core/displayText.ts';
import type { Check, CheckName, ConnectionReport } from '../../diagnostics/connectionTest.ts';
import { displayName, displayNames } from '../../notion/identity.ts';
import { accessTo, type ToolAccess } from '../../notion/toolAccess.ts';
import type { Message } from './actions.ts';
import { aboutAccount, messageFor } from './failure.ts';
import { l10n } from './l10n.ts';
import { timeText } from './names.ts';
import { lackingScopesMessage } from './stepUp.ts';

/** Describes a connection test in lines of plain text: its time, each check, user and workspace, and which tools can be used. */
export function connectionLines(name: DisplayText, report: ConnectionReport, testedAtMs: number): DisplayText[] {
  const { checks, notTried, identity, tools, access, wasRenewed, clockSkewSeconds = 0 } = report;
  const lines = [
    l10n.t('Notion connection of {0}', name),
    l10n.t({
      message: 'Tested on {0}',
      comment: ['{0} is a date with a time.'],
      args: [timeText(testedAtMs)],
    }),
    emptyLine,
    ...checks.map(checkLine),
    ...notTried.map((check) => display`– ${l10n.t('{0}: not tried', checkTitle(check))}`),
  ];
  if (wasRenewed) {
    lines.push(emptyLine, renewedSentence());
  }
  if (identity !== undefined) {
    const { user, workspace } = displayNames(identity);
    lines.push(emptyLine, l10n.t('User: {0}', user), l10n.t('Workspace: {0}', workspace));
  }
  if (Math.abs(clockSkewSeconds) > 60) {
    const seconds = Math.abs(clockSkewSeconds);
    lines.push(
      emptyLine,
      l10n.t('This computer’s clock is off by {0} seconds. Correct it, or sign-ins may fail.', seconds),
    );
  }
  if (tools.length > 0) {
    lines.push(emptyLine, l10n.t('Tools ({0})', tools.length));
    lines.push(...tools.map((tool) => display`  ${displayName(tool)}: ${describeAccess(accessTo(access, tool))}`));
  }
  return lines;
}

const emptyLine = display``;

/** Summarizes a connection test in one sentence, with the buttons that help. */
export function connectionMessage(name: DisplayText, { checks, tools, wasRenewed }: ConnectionReport): Message {
  const failed = checks.find(({ failure }) => failure !== undefined);
  if (failed === undefined) {
    const sentence = l10n.t('{0} is connected and has {1} tools.', name, tools.length);
    return { sentence: wasRenewed ? display`${sentence} ${renewedSentence()}` : sentence, actions: ['showDetails'] };
  }
  const { sentence, actions } = messageOf(failed);
  return aboutAccount(name, {
    sentence,
    actions: [...actions.filter((action) => action !== 'showLog'), 'showDetails'],
  });
}

function renewedSentence(): DisplayText {
  return l10n.t({
    message: 'The server had ended the access early, so it was just renewed.',
    comment: ['“it” is the access of an account.'],
  });
}

function checkLine(check: Check): DisplayText {
  const { name, tookMs, failure } = check;
  const title = display`${checkTitle(name)} (${tookMs} ms)`;
  return failure === undefined ? display`✓ ${title}` : display`✗ ${title}: ${messageOf(check).sentence}`;
}

function messageOf({ failure }: Check): Message {
  if (failure?.details.code === 'invalid_token') {
    return {
      sentence: l10n.t('The server rejects this sign-in. Reconnect the account.'),
      actions: ['reconnect'],
    };
  }
  if (failure?.details.code === 'insufficient_scope') {
    return lackingScopesMessage(failure.details.scopes);
  }
  const message = failure && messageFor(failure);
  return message ?? { sentence: l10n.t('The test took too long and was stopped. Try again.'), actions: ['tryAgain'] };
}

function checkTitle(name: CheckName): DisplayText {
  switch (name) {
    case 'server':
      return l10n.t('Reach the server');
    case 'discovery':
      return l10n.t('Find the sign-in page');
    case 'token':
      return l10n.t('Get a valid access token');
    case 'initialize':
      return l10n.t('Open an MCP session');
    case 'tools':
      return l10n.t('List the tools');
    case 'identity':
      return l10n.t('Identify the account');
    case 'access':
      return l10n.t('Read the access to tools');
  }
}

/** Describes an access in one line of plain text: its status, then what is not included and where to get it. */
function describeAccess(access: ToolAccess | undefined): DisplayText {
  const { status = '', link, restrictedParameters = [] } = access ?? {};
  const restricted = displayText(restrictedParameters.join(', '), longestList);
  const described = describeStatus(displayName(status));
  const included = restricted === '' ? described : display`${described}, ${l10n.t('restrictions on {0}', restricted)}`;
  return link === undefined ? included : display`${included}: ${link}`;
}

const longestList = 300;

function describeStatus(status: DisplayText): DisplayText {
  switch (status) {
    case 'available':
      return l10n.t('available');
    case 'available_with_limit':
      return l10n.t('available, with a limit');
    case 'plan_required':
    case 'upgrade_required':
      return l10n.t('needs a higher Notion plan');
    case 'full_version_required':
      return l10n.t('needs the full version of Notion MCP');
    case 'not_enabled':
      return l10n.t('not enabled in this workspace');
    case '':
      return l10n.t('not stated by Notion');
    default:
      return l10n.t('Notion says: “{0}”', status);
  }
}
