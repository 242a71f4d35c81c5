import { env, l10n } from 'vscode';
import { displayText } from '../../core/displayText.ts';
import type { Check, CheckName, ConnectionReport } from '../../diagnostics/connectionTest.ts';
import { displayName, displayNames } from '../../notion/identity.ts';
import { accessTo, type ToolAccess } from '../../notion/toolAccess.ts';
import type { Message } from './actions.ts';
import { aboutAccount, messageFor } from './failure.ts';

/** Renders a connection test as plain text: its time, each check, user and workspace, and which tools can be used. */
export function connectionText(label: string, report: ConnectionReport, testedAtMs: number): string {
  const { checks, notTried, identity, tools, access, wasRenewed, clockSkewSeconds = 0 } = report;
  const lines = [
    l10n.t('Notion connection of {0}', label),
    l10n.t({
      message: 'Tested on {0}',
      comment: ['{0} is a date with a time.'],
      args: [new Date(testedAtMs).toLocaleString(env.language)],
    }),
    '',
    ...checks.map(checkLine),
    ...notTried.map((name) => `– ${l10n.t('{0}: not tried', checkTitle(name))}`),
  ];
  if (wasRenewed) {
    lines.push('', renewedSentence());
  }
  if (identity !== undefined) {
    const { user, workspace } = displayNames(identity);
    lines.push('', l10n.t('User: {0}', user), l10n.t('Workspace: {0}', workspace));
  }
  if (Math.abs(clockSkewSeconds) > 60) {
    const seconds = String(Math.abs(clockSkewSeconds));
    lines.push(
      '',
      l10n.t('The clock of this computer is wrong by {0} seconds. Set it, or sign-ins may fail.', seconds),
    );
  }
  if (tools.length > 0) {
    lines.push('', l10n.t('Tools ({0})', String(tools.length)));
    lines.push(...tools.map((tool) => `  ${displayName(tool)}: ${describeAccess(accessTo(access, tool))}`));
  }
  return `${lines.join('\n')}\n`;
}

/** Summarizes a connection test in one sentence, with the buttons that help. */
export function connectionMessage(label: string, { checks, tools, wasRenewed }: ConnectionReport): Message {
  const failed = checks.find(({ failure }) => failure !== undefined);
  if (failed === undefined) {
    const sentence = l10n.t('{0} is connected and has {1} tools.', label, String(tools.length));
    return { sentence: wasRenewed ? `${sentence} ${renewedSentence()}` : sentence, actions: ['showDetails'] };
  }
  const { sentence, actions } = messageOf(failed);
  return aboutAccount(label, {
    sentence,
    actions: [...actions.filter((action) => action !== 'showLog'), 'showDetails'],
  });
}

function renewedSentence(): string {
  return l10n.t({
    message: 'The server had ended its access early, so it was renewed just now.',
    comment: ['“it” is the access of an account.'],
  });
}

function checkLine(check: Check): string {
  const { name, tookMs, failure } = check;
  const title = `${checkTitle(name)} (${tookMs} ms)`;
  return failure === undefined ? `✓ ${title}` : `✗ ${title}: ${messageOf(check).sentence}`;
}

function messageOf({ failure }: Check): Message {
  if (failure?.details.code === 'invalid_token') {
    return {
      sentence: l10n.t('The server rejects this sign-in. Reconnect the account.'),
      actions: ['reconnect'],
    };
  }
  const message = failure && messageFor(failure);
  return (
    message ?? { sentence: l10n.t('This took too long, so the test ended here. Try again.'), actions: ['tryAgain'] }
  );
}

function checkTitle(name: CheckName): string {
  switch (name) {
    case 'server':
      return l10n.t('Server responds');
    case 'discovery':
      return l10n.t('Sign-in page found');
    case 'token':
      return l10n.t('Access token is valid');
    case 'initialize':
      return l10n.t('Token accepted');
    case 'tools':
      return l10n.t('Tools listed');
    case 'identity':
      return l10n.t('Account identified');
    case 'access':
      return l10n.t('Access to tools read');
  }
}

/** Describes an access in one line of plain text: its status, then what is not included and where to get it. */
function describeAccess(access: ToolAccess | undefined): string {
  const { status = '', link, restrictedParameters = [] } = access ?? {};
  const restricted = displayText(restrictedParameters.join(', '), longestList);
  const parts = [
    describeStatus(displayName(status)),
    ...(restricted === '' ? [] : [l10n.t('restrictions on {0}', restricted)]),
  ];
  return `${parts.join(', ')}${link === undefined ? '' : `: ${link}`}`;
}

const longestList = 300;

function describeStatus(status: string): string {
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
      return l10n.t('Notion does not say');
    default:
      return l10n.t('Notion says: “{0}”', status);
  }
}
