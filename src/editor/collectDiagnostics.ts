import { type Extension, version as editorVersion, env, workspace } from 'vscode';
import { hostProcess } from '#platform/process';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/registry.ts';
import type { Consent } from '../agents/consent.ts';
import type { AccountNumbers } from '../core/accountNumbers.ts';
import type { Clock } from '../core/clock.ts';
import type { ConnectionReport } from '../diagnostics/connectionTest.ts';
import { type DiagnosticFacts, diagnosticsText } from '../diagnostics/report.ts';
import type { SignInHistory } from '../diagnostics/signInHistory.ts';
import { Failure } from '../oauth/errors.ts';
import { configuredServer } from './configuredServer.ts';
import { hostEnvironment } from './openChannel.ts';
import { isUsable } from './sessions.ts';
import { defaultServerUrl, serverUrlText } from './settings.ts';

export interface DiagnosticsParts {
  extension: Extension<unknown>;
  accounts: Accounts;
  /** Which agents may use which accounts; undefined on a host that no agent can reach. */
  consent: Pick<Consent, 'uses'> | undefined;
  history: SignInHistory;
  accountNumbers: AccountNumbers;
  clock: Clock;
  /** Runs all checks with an account; returns the same report that Test Connection shows. */
  check: (account: Account, signal: AbortSignal) => Promise<ConnectionReport>;
  /** Runs the checks that need no account. */
  checkServer: (serverUrl: URL, signal: AbortSignal) => Promise<ConnectionReport>;
}

/** The time limit for all checks: one that hangs is cut off, so that it cannot block the report. */
const limitMs = 20_000;

/** Collects what an issue report needs and returns it as redacted text. */
export async function diagnostics(parts: DiagnosticsParts, signal: AbortSignal): Promise<string> {
  const { extension, accounts, consent, history, accountNumbers, clock, check } = parts;
  const agentsOf = ({ grant: { serverNames } }: Account) => (serverNames && consent?.uses(serverNames.handle)) ?? [];
  const limit = new AbortController();
  const cancelLimit = clock.after(limitMs, () => limit.abort());
  const checkSignal = AbortSignal.any([signal, limit.signal]);
  try {
    const [server, storage, ...checkedAccounts] = await Promise.all([
      serverReport(parts, checkSignal),
      accounts.diagnostics(),
      ...accounts.list().map(async (account) => ({
        number: accountNumbers.of(account.grant.id),
        account,
        agents: agentsOf(account),
        ...(isUsable(account) && { report: await check(account, checkSignal) }),
      })),
    ]);
    const nowMs = clock.nowMs();
    return diagnosticsText({
      nowMs,
      utcOffsetMinutes: -new Date(nowMs).getTimezoneOffset(),
      ...environmentFacts(extension),
      storage,
      problems: accounts.problems,
      server,
      attempts: history.list(),
      accounts: checkedAccounts,
    });
  } finally {
    cancelLimit();
  }
}

async function serverReport(
  { checkServer }: DiagnosticsParts,
  signal: AbortSignal,
): Promise<ConnectionReport | Failure> {
  try {
    return await checkServer(configuredServer(), signal);
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return error;
  }
}

type EnvironmentFacts = Omit<
  DiagnosticFacts,
  'nowMs' | 'utcOffsetMinutes' | 'storage' | 'problems' | 'server' | 'attempts' | 'accounts'
>;

function environmentFacts(extension: Extension<unknown>): EnvironmentFacts {
  return {
    versions: {
      extension: String(extension.packageJSON.version),
      editor: editorVersion,
      node: hostProcess?.nodeVersion,
    },
    uriScheme: env.uriScheme,
    platform: hostProcess === undefined ? 'web' : `${hostProcess.system}-${hostProcess.architecture}`,
    remoteName: env.remoteName,
    hostEnvironment: hostEnvironment(extension),
    isNotionsServer: serverUrlText().trim() === defaultServerUrl,
    proxies: proxies(),
    proxySupport: workspace.getConfiguration('http').get<string>('proxySupport', ''),
  };
}

function proxies(): DiagnosticFacts['proxies'] {
  const setting = workspace.getConfiguration('http').get<string>('proxy', '');
  const variables = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
  const environment = variables.flatMap((name) => hostProcess?.environment(name) || []).slice(0, 1);
  return [
    ...(setting === '' ? [] : [{ where: 'editor setting', url: setting } as const]),
    ...environment.map((url) => ({ where: 'environment', url }) as const),
  ];
}
