import { type Extension, version as editorVersion, env, workspace } from 'vscode';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/registry.ts';
import type { Clock } from '../core/clock.ts';
import type { ConnectionReport } from '../diagnostics/connectionTest.ts';
import { type DiagnosticFacts, diagnosticsText } from '../diagnostics/report.ts';
import { Failure } from '../oauth/errors.ts';
import { parseServerUrl } from '../oauth/serverUrl.ts';
import { hostEnvironment } from './openChannel.ts';
import { defaultServerUrl, serverUrlText } from './settings.ts';

export interface DiagnosticsParts {
  extension: Extension<unknown>;
  accounts: Accounts;
  clock: Clock;
  /** Walks the chain with an account; the same report that Test Connection shows. */
  check: (account: Account, signal: AbortSignal) => Promise<ConnectionReport>;
  /** Walks the part of the chain that needs no account. */
  checkServer: (serverUrl: URL, signal: AbortSignal) => Promise<ConnectionReport>;
}

/** Whatever hangs, the report comes: what it could not learn by then is in it as such. */
const limitMs = 20_000;

/** Gathers what an issue needs and writes it down, redacted. */
export async function diagnostics(parts: DiagnosticsParts, signal: AbortSignal): Promise<string> {
  const { extension, accounts, clock, check } = parts;
  const limit = new AbortController();
  const disarm = clock.after(limitMs, () => limit.abort());
  const ending = AbortSignal.any([signal, limit.signal]);
  try {
    const [server, storage, ...checked] = await Promise.all([
      serverReport(parts, ending),
      accounts.diagnostics(),
      ...accounts.list().map(async (account) => ({
        account,
        trouble: accounts.trouble(account.grant.id),
        ...(isChecked(account) && { report: await check(account, ending) }),
      })),
    ]);
    return diagnosticsText({
      nowMs: clock.nowMs(),
      ...environmentFacts(extension),
      storage,
      problems: accounts.problems,
      server,
      accounts: checked,
    });
  } finally {
    disarm();
  }
}

function isChecked({ state }: Account): boolean {
  return state === 'healthy' || state === 'expired';
}

async function serverReport(
  { checkServer }: DiagnosticsParts,
  signal: AbortSignal,
): Promise<ConnectionReport | Failure> {
  try {
    return await checkServer(parseServerUrl(serverUrlText()), signal);
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return error;
  }
}

type EnvironmentFacts = Omit<DiagnosticFacts, 'nowMs' | 'storage' | 'problems' | 'server' | 'accounts'>;

function environmentFacts(extension: Extension<unknown>): EnvironmentFacts {
  const hasProcess = typeof process !== 'undefined' && process.versions?.node !== undefined;
  return {
    versions: {
      extension: String(extension.packageJSON.version),
      editor: editorVersion,
      node: hasProcess ? process.versions.node : undefined,
    },
    uriScheme: env.uriScheme,
    platform: hasProcess ? `${process.platform}-${process.arch}` : 'web',
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
  const environment =
    typeof process === 'undefined' ? [] : variables.flatMap((name) => process.env?.[name] || []).slice(0, 1);
  return [
    ...(setting === '' ? [] : [{ where: 'editor setting', url: setting } as const]),
    ...environment.map((url) => ({ where: 'environment', url }) as const),
  ];
}
