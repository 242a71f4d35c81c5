import { type Extension, version as editorVersion, env, UIKind, workspace } from 'vscode';
import type { Clock } from '../clock.ts';
import type { Account, Accounts } from '../grants/accounts.ts';
import type { Failure } from '../oauth/failure.ts';
import { describeChannels } from '../signIn/channels.ts';
import type { ConnectionReport } from './connectionReport.ts';
import { defaultServerUrl, serverUrlText } from './settings.ts';
import { situation } from './situation.ts';

export interface DiagnosticsParts {
  extension: Extension<unknown>;
  accounts: Accounts;
  clock: Clock;
  /** Walks the chain with an account. */
  check: (account: Account) => Promise<ConnectionReport>;
}

/**
 * Everything that an issue needs, redacted by construction: accounts are A1, A2, …; no name, id, path, host or text of
 * a server is ever read into it, only kinds, codes, counts, ages and times.
 */
export async function diagnostics({ extension, accounts, clock, check }: DiagnosticsParts): Promise<string> {
  const here = situation(extension);
  const storage = accounts.diagnostics();
  const lines = [
    'Notion MCP Authentication diagnostics',
    '',
    `extension ${String(extension.packageJSON.version)}, editor ${editorVersion}, ${env.uiKind === UIKind.Web ? 'web' : 'desktop'}`,
    `host ${here.host}, remote ${yesNo(here.remote)}, platform ${typeof process === 'undefined' ? 'web' : process.platform}`,
    `server ${serverKind()}, client ${here.clientConfigured ? 'configured' : 'registered at sign-in'}`,
    `channels (${here.setting}): ${describeChannels(here)
      .map(({ name, ability, why }) => `${name} ${ability}${why === undefined ? '' : ` (${why})`}`)
      .join('; ')}`,
    `proxy: ${proxyKind()}`,
    `storage: journal ${yesNo(storage.hasJournal)}, hears other windows ${yesNo(storage.hears)}, forgetful ${yesNo(storage.isForgetful)}, problems ${[...accounts.problems].join(', ') || 'none'}`,
  ];
  for (const [index, account] of accounts.list().entries()) {
    lines.push(
      '',
      ...(await accountLines(`A${index + 1}`, account, storage.lastFailures.get(account.grant.id), { check, clock })),
    );
  }
  return `${lines.join('\n')}\n`;
}

async function accountLines(
  name: string,
  account: Account,
  lastFailure: Failure | undefined,
  { check, clock }: Pick<DiagnosticsParts, 'check' | 'clock'>,
): Promise<string[]> {
  const { grant, state } = account;
  const { tokens, needsSignIn } = grant;
  const nowMs = clock.nowMs();
  const seconds = (spanMs: number): string => `${Math.round(spanMs / 1_000)} s`;
  const lines = [
    `${name}: ${state}${needsSignIn === undefined ? '' : ` (${needsSignIn.reason})`}, generation ${grant.generation}, identity ${yesNo(grant.identity !== undefined)}`,
    `  signed in ${Math.floor((nowMs - grant.signedInAtMs) / 86_400_000)} days ago; token ${seconds(nowMs - tokens.obtainedAtMs)} old, life ${tokens.expiresInSeconds ?? 'unknown'} s, renewable ${yesNo(tokens.refreshToken !== undefined)}, client ${grant.client.authMethod}`,
    `  last failure: ${failureCode(lastFailure)}`,
  ];
  if (state === 'dormant' || state === 'needsSignIn') {
    return lines;
  }
  const report = await check(account);
  lines.push(
    `  chain: ${report.checks.map((each) => `${each.name} ${each.tookMs} ms${each.failure === undefined ? '' : ` FAILED ${failureCode(each.failure)}`}`).join(', ')}`,
    `  tools ${report.tools.length}, known server fault ${yesNo(report.isServerFault)}, clock skew ${report.clockSkewSeconds ?? 'unknown'} s`,
  );
  return lines;
}

/** Kind, step and status, and the code only where it is one of ours or OAuth's. */
function failureCode(failure: Failure | undefined): string {
  if (failure === undefined) {
    return 'none';
  }
  const { step, code, status } = failure.details;
  const safe = /^[a-z][a-z0-9_]{0,40}$/.test(code) ? code : 'other';
  return `${failure.kind}/${step}/${safe}${status === undefined ? '' : `/${status}`}`;
}

function serverKind(): string {
  return serverUrlText().trim() === defaultServerUrl ? 'Notion' : 'custom';
}

function proxyKind(): string {
  const setting = workspace.getConfiguration('http').get<string>('proxy', '') !== '' ? 'editor setting' : undefined;
  const names = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
  const environment =
    typeof process !== 'undefined' && names.some((name) => (process.env?.[name] ?? '') !== '')
      ? 'environment'
      : undefined;
  return [setting, environment].filter((kind) => kind !== undefined).join(' and ') || 'none known';
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
