import type { RenewalProblem, StorageDiagnostics, StorageProblem } from '../accounts/accountState.ts';
import type { Account } from '../accounts/registry.ts';
import type { Failure } from '../oauth/errors.ts';
import { describeChannels, type HostEnvironment } from '../signIn/channels.ts';
import type { ConnectionReport } from './connectionTest.ts';
import { knownCode } from './knownCode.ts';

/** What is known here when diagnostics are asked for; of most of it only kinds, counts and times are told. */
export interface DiagnosticFacts {
  nowMs: number;
  versions: { extension: string; editor: string; node: string | undefined };
  /** The scheme of the editor's own addresses, which tells forks apart. */
  uriScheme: string;
  platform: string;
  remoteName: string | undefined;
  hostEnvironment: HostEnvironment;
  /** What was configured; told is only whether it is Notion's. */
  isNotionsServer: boolean;
  /** The proxies that are set: where, and their address. */
  proxies: { where: 'editor setting' | 'environment'; url: string }[];
  /** Whether the editor's network settings hold for extensions. */
  proxySupport: string;
  storage: StorageDiagnostics;
  problems: ReadonlySet<StorageProblem>;
  /** The chain without an account, or why the configured server cannot be asked. */
  server: ConnectionReport | Failure;
  accounts: { account: Account; trouble: RenewalProblem | undefined; report?: ConnectionReport }[];
}

/**
 * Everything that an issue needs, redacted by construction: accounts are A1, A2, …, paths are `<path>` and the server
 * is Notion or custom. No name, id, address or text of a server gets in, only kinds, known codes, counts and times.
 */
export function diagnosticsText(facts: DiagnosticFacts): string {
  const { versions, hostEnvironment, storage, accounts } = facts;
  const version = (text: string): string => word(text, /^v?\d[\w.+-]{0,40}$/);
  const channels = describeChannels(hostEnvironment).map(
    ({ name, ability, why }) => `${name} ${ability}${why === undefined ? '' : ` (${why})`}`,
  );
  const lines = [
    'Notion MCP Authentication diagnostics',
    '',
    `extension ${version(versions.extension)}, editor ${version(versions.editor)} (${word(facts.uriScheme)}, ${hostEnvironment.web ? 'web' : 'desktop'}), node ${versions.node === undefined ? 'none' : version(versions.node)}`,
    `host ${hostEnvironment.host}, remote ${facts.remoteName === undefined ? yesNo(hostEnvironment.remote) : word(facts.remoteName)}, platform ${word(facts.platform)}`,
    `server ${facts.isNotionsServer ? 'Notion' : 'custom'}, client ${hostEnvironment.clientConfigured ? 'configured' : 'registered at sign-in'}`,
    `channels (${hostEnvironment.setting}): ${channels.join('; ')}`,
    `proxy: ${describeProxy(facts)}`,
    storageLine(facts),
    ...serverLines(facts.server),
    `accounts: ${accounts.length}`,
  ];
  for (const [index, each] of accounts.entries()) {
    lines.push('', ...accountLines(`A${index + 1}`, each, storage, facts.nowMs));
  }
  return `${lines.join('\n')}\n`;
}

function storageLine({ storage, problems }: DiagnosticFacts): string {
  const { hasJournal, files, isVolatile, watchWorks } = storage;
  const journal = files === undefined ? yesNo(hasJournal) : `yes (in <data>, ${files.tombstones} signed out)`;
  const storing = files?.isStoring === true ? ', sign-in lock held' : '';
  return `storage: journal ${journal}${storing}, secret storage${isVolatile ? ' (volatile)' : ''}, watch works ${yesNo(watchWorks)}, problems ${[...problems].join(', ') || 'none'}`;
}

function serverLines(server: ConnectionReport | Failure): string[] {
  return 'checks' in server
    ? [`chain without an account: ${chainIn(server)}`, `  discovery: ${discoveryIn(server)}`, `  ${skewIn(server)}`]
    : [`chain without an account: ${failureIn(server)}`];
}

function accountLines(
  name: string,
  { account, trouble, report }: DiagnosticFacts['accounts'][number],
  storage: StorageDiagnostics,
  nowMs: number,
): string[] {
  const { grant, state } = account;
  const { tokens, needsSignIn } = grant;
  const seconds = (spanMs: number): string => `${Math.round(spanMs / 1_000)} s`;
  const files = storage.files?.grants.get(grant.id);
  const why =
    needsSignIn === undefined ? '' : ` (${needsSignIn.reason}, server said ${knownCode(needsSignIn.serverCode ?? '')})`;
  return [
    `${name}: ${state}${why}, ${trouble === undefined ? '' : `${trouble}, `}generation ${grant.generation}, identity ${yesNo(grant.identity !== undefined)}`,
    `  signed in ${Math.floor((nowMs - grant.signedInAtMs) / 86_400_000)} days ago; token ${seconds(nowMs - tokens.obtainedAtMs)} old, life ${tokens.expiresInSeconds ?? 'unknown'} s, renewable ${yesNo(tokens.refreshToken !== undefined)}, client ${grant.client.authMethod}`,
    `  last failure: ${failureIn(storage.lastFailures.get(grant.id))}`,
    files === undefined
      ? '  journal: no record'
      : `  journal: lock ${files.isLocked ? 'held' : 'free'}, records ${files.records}, set aside ${files.keptAside}, reserved ${files.reserved}`,
    ...(report === undefined
      ? []
      : [
          `  chain: ${chainIn(report)}`,
          `  discovery: ${discoveryIn(report)}`,
          `  tools ${report.tools.length}, known server fault ${yesNo(report.isServerFault)}, ${skewIn(report)}`,
        ]),
  ];
}

function chainIn({ checks }: ConnectionReport): string {
  return checks
    .map(({ name, tookMs, failure }) => `${name} ${tookMs} ms${failure ? ` FAILED ${failureIn(failure)}` : ''}`)
    .join(', ');
}

function discoveryIn({ requests }: ConnectionReport): string {
  const asked = requests.filter(({ check }) => check === 'discovery');
  const [first] = asked;
  return (
    asked
      .map(({ url, outcome, tookMs }) => {
        const elsewhere = url.origin === first?.url.origin ? '' : ' (another origin)';
        return `${documentIn(url)}${elsewhere} ${outcome} ${tookMs} ms`;
      })
      .join(', ') || 'nothing asked'
  );
}

/** Which document lies at an address, without the paths that somebody chose. */
function documentIn({ pathname }: URL): string {
  const name = 'oauth-protected-resource|oauth-authorization-server|openid-configuration';
  const [, before, kind, after] = new RegExp(`^(.*)/\\.well-known/(${name})(/.*)?$`).exec(pathname) ?? [];
  return kind === undefined
    ? '<path>'
    : `${before === '' ? '' : '<path>/'}${kind}${after === undefined ? '' : '/<path>'}`;
}

function skewIn({ clockSkewSeconds }: ConnectionReport): string {
  return `clock skew ${clockSkewSeconds ?? 'unknown'} s`;
}

/** Kind, step and status, and the code only where it is one of ours or OAuth's. */
function failureIn(failure: Failure | undefined): string {
  if (failure === undefined) {
    return 'none';
  }
  if (failure.kind === 'cancelled') {
    return 'cut off';
  }
  const { step, code, status } = failure.details;
  return `${failure.kind}/${step}/${knownCode(code)}${status === undefined ? '' : `/${status}`}`;
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

/** A short word of the editor's or the system's own; anything else could be somebody's. */
function word(text: string, form = /^[a-z][a-z0-9-]{0,20}$/): string {
  return form.test(text) ? text : 'other';
}

function yesNo(value: boolean): string {
  return value ? 'yes' : 'no';
}
