import type { RenewalProblem, StorageDiagnostics, StorageProblem } from '../accounts/accountState.ts';
import type { Account } from '../accounts/registry.ts';
import { errorCode, type Failure } from '../oauth/errors.ts';
import { describeChannels, type HostEnvironment } from '../signIn/channels.ts';
import type { ConnectionReport } from './connectionTest.ts';

/** The input of a diagnostics report, which shows little more than kinds, counts and times of it. */
export interface DiagnosticFacts {
  nowMs: number;
  versions: { extension: string; editor: string; node: string | undefined };
  /** The editor's URI scheme, which identifies forks. */
  uriScheme: string;
  platform: string;
  remoteName: string | undefined;
  hostEnvironment: HostEnvironment;
  /** Whether the configured MCP server is Notion's; the URL itself is not reported. */
  isNotionsServer: boolean;
  /** The configured proxies: where each one is set, and its URL. */
  proxies: { where: 'editor setting' | 'environment'; url: string }[];
  /** The setting `http.proxySupport`: whether the editor's proxy settings apply to extensions. */
  proxySupport: string;
  storage: StorageDiagnostics;
  problems: ReadonlySet<StorageProblem>;
  /** The checks that need no account, or why the configured server cannot be checked. */
  server: ConnectionReport | Failure;
  /** Each with its number in the log. */
  accounts: {
    number: number;
    account: Account;
    renewalProblem: RenewalProblem | undefined;
    report?: ConnectionReport;
  }[];
}

/**
 * Returns everything that an issue report needs, redacted by construction: accounts are numbers, paths are `<path>`,
 * and the server is Notion or custom. It contains kinds, codes, counts and times, but no names, ids, addresses or
 * text from a server.
 */
export function diagnosticsText(facts: DiagnosticFacts): string {
  const { versions, hostEnvironment, storage, accounts } = facts;
  const version = (text: string): string => wordOrOther(text, /^v?\d[\w.+-]{0,40}$/);
  const channels = describeChannels(hostEnvironment).map(
    ({ name, ability, why }) => `${name} ${ability}${why === undefined ? '' : ` (${why})`}`,
  );
  const lines = [
    'Notion MCP Authentication diagnostics',
    '',
    `extension ${version(versions.extension)}, editor ${version(versions.editor)} (${wordOrOther(facts.uriScheme)}, ${hostEnvironment.web ? 'web' : 'desktop'}), node ${versions.node === undefined ? 'none' : version(versions.node)}`,
    `host ${hostEnvironment.host}, remote ${facts.remoteName === undefined ? yesNo(hostEnvironment.remote) : wordOrOther(facts.remoteName)}, platform ${wordOrOther(facts.platform)}`,
    `server ${facts.isNotionsServer ? 'Notion' : 'custom'}, client ${hostEnvironment.clientConfigured ? 'configured' : 'registered at sign-in'}`,
    `channels (${hostEnvironment.setting}): ${channels.join('; ')}`,
    `proxy: ${describeProxy(facts)}`,
    storageLine(facts),
    ...serverLines(facts.server),
    `accounts: ${accounts.length}`,
  ];
  for (const each of [...accounts].sort((a, b) => a.number - b.number)) {
    lines.push('', ...accountLines(each, storage, facts.nowMs));
  }
  return `${lines.join('\n')}\n`;
}

function storageLine({ storage, problems }: DiagnosticFacts): string {
  const { hasJournal, files, isKeyLost, watchWorks } = storage;
  const journal = files === undefined ? yesNo(hasJournal) : `yes (in <data>, ${files.tombstones} signed out)`;
  const storing = files?.isStoring === true ? ', sign-in lock held' : '';
  return `storage: journal ${journal}${storing}, secret storage${isKeyLost ? ' (lost a key)' : ''}, watch works ${yesNo(watchWorks)}, problems ${[...problems].join(', ') || 'none'}`;
}

function serverLines(server: ConnectionReport | Failure): string[] {
  return 'checks' in server
    ? [
        `chain without an account: ${describeChecks(server)}`,
        `  discovery: ${describeDiscovery(server)}`,
        `  ${describeClockSkew(server)}`,
      ]
    : [`chain without an account: ${describeFailure(server)}`];
}

function accountLines(
  { number, account, renewalProblem, report }: DiagnosticFacts['accounts'][number],
  storage: StorageDiagnostics,
  nowMs: number,
): string[] {
  const { grant, state } = account;
  const { tokens } = grant;
  const seconds = (spanMs: number): string => `${Math.round(spanMs / 1_000)} s`;
  const files = storage.files?.grants.get(grant.id);
  const why = describeState(account);
  return [
    `account ${number}: ${state}${why}, ${renewalProblem === undefined ? '' : `${renewalProblem}, `}generation ${grant.generation}, identity ${yesNo(grant.identity !== undefined)}`,
    `  signed in ${Math.floor((nowMs - grant.signedInAtMs) / 86_400_000)} days ago; token ${seconds(nowMs - tokens.obtainedAtMs)} old, life ${tokens.expiresInSeconds ?? 'unknown'} s, renewable ${yesNo(tokens.refreshToken !== undefined)}, client ${grant.client.authMethod}`,
    `  last failure: ${describeFailure(storage.lastFailures.get(grant.id))}`,
    files === undefined
      ? '  journal: no record'
      : `  journal: lock ${files.isLocked ? 'held' : 'free'}, records ${files.records}, reserved ${files.reserved}`,
    ...(report === undefined
      ? []
      : [
          `  chain: ${describeChecks(report)}`,
          `  discovery: ${describeDiscovery(report)}`,
          `  tools ${report.tools.length}, known server fault ${yesNo(hasServerFault(report))}, ${describeClockSkew(report)}`,
        ]),
  ];
}

/** Why an account is in its state, in parentheses. */
function describeState({ grant: { needsSignIn, refusal }, why }: Account): string {
  if (needsSignIn !== undefined) {
    const { reason, serverCode } = needsSignIn;
    return ` (${reason}${serverCode === undefined ? '' : `, server said ${errorCode(serverCode)}`})`;
  }
  if (why !== undefined) {
    return ` (${why})`;
  }
  return refusal === undefined ? '' : ` (refused ${refusal.count} times)`;
}

function describeChecks({ checks }: ConnectionReport): string {
  return checks
    .map(({ name, tookMs, failure }) => `${name} ${tookMs} ms${failure ? ` FAILED ${describeFailure(failure)}` : ''}`)
    .join(', ');
}

/** Whether a tool failed with a known fault of Notion's MCP server. */
function hasServerFault({ checks }: ConnectionReport): boolean {
  return checks.some(({ failure }) => failure?.details.code === 'server_fault');
}

function describeDiscovery({ requests }: ConnectionReport): string {
  const discoveryRequests = requests.filter(({ check }) => check === 'discovery');
  const [first] = discoveryRequests;
  return (
    discoveryRequests
      .map(({ url, outcome, tookMs }) => {
        const elsewhere = url.origin === first?.url.origin ? '' : ' (another origin)';
        return `${documentName(url)}${elsewhere} ${outcome} ${tookMs} ms`;
      })
      .join(', ') || 'nothing asked'
  );
}

/** Names the metadata document at a URL. Custom paths, which could identify the server, become `<path>`. */
function documentName({ pathname }: URL): string {
  const name = 'oauth-protected-resource|oauth-authorization-server|openid-configuration';
  const [, before, kind, after] = new RegExp(`^(.*)/\\.well-known/(${name})(/.*)?$`).exec(pathname) ?? [];
  return kind === undefined
    ? '<path>'
    : `${before === '' ? '' : '<path>/'}${kind}${after === undefined ? '' : '/<path>'}`;
}

function describeClockSkew({ clockSkewSeconds }: ConnectionReport): string {
  return `clock skew ${clockSkewSeconds ?? 'unknown'} s`;
}

/** Kind, step, code and status of a failure. */
function describeFailure(failure: Failure | undefined): string {
  if (failure === undefined) {
    return 'none';
  }
  if (failure.kind === 'cancelled') {
    return 'cut off';
  }
  const { step, code, status } = failure.details;
  return `${failure.kind}/${step}/${code}${status === undefined ? '' : `/${status}`}`;
}

const proxyKinds = ['http', 'https', 'socks', 'socks4', 'socks4a', 'socks5', 'socks5h'];

function describeProxy({ proxies, proxySupport }: DiagnosticFacts): string {
  const support = ['off', 'on', 'fallback', 'override'].includes(proxySupport) ? proxySupport : 'other';
  const kinds = proxies.map(({ where, url }) => {
    const scheme = /^([a-z0-9]+):\/\//i.exec(url)?.[1]?.toLowerCase() ?? '';
    return `${where}, ${proxyKinds.includes(scheme) ? scheme : 'unknown kind'}`;
  });
  return `${kinds.length === 0 ? 'no' : `yes (${kinds.join('; ')})`}, support ${support}`;
}

/** Returns `text` if it looks like a name that the editor or the system uses, else `other`, as it may be personal. */
function wordOrOther(text: string, pattern = /^[a-z][a-z0-9-]{0,20}$/): string {
  return pattern.test(text) ? text : 'other';
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
