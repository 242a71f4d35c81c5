import type { StorageDiagnostics, StorageProblem } from '../accounts/accountState.ts';
import type { Account } from '../accounts/registry.ts';
import { isKnownAgent } from '../agents/agentNames.ts';
import type { AgentUse } from '../agents/consent.ts';
import { errorCode, type Failure } from '../oauth/errors.ts';
import { describeChannels, type HostEnvironment, orderChannels } from '../signIn/channels.ts';
import type { CheckName, ConnectionReport } from './connectionTest.ts';
import { type FailureSummary, type SignInAttempt, type SignInStep, summaryOf } from './signInHistory.ts';

/** The input of a diagnostics report, which shows little more than kinds, counts and times of it. */
export interface DiagnosticFacts {
  nowMs: number;
  /** What local time, in which the log is written, is ahead of UTC. */
  utcOffsetMinutes: number;
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
  /** The last sign-ins, oldest first. */
  attempts: readonly SignInAttempt[];
  /** Each with its number in the log. */
  accounts: {
    number: number;
    account: Account;
    report?: ConnectionReport;
    /** What agents may do with the account, and when they last did. */
    agents: readonly AgentUse[];
  }[];
}

/**
 * Returns everything that an issue report needs, redacted by construction: accounts are numbers, and the server is
 * Notion or custom. It contains kinds, codes, counts and times, but no names, ids, addresses or text from a server.
 */
export function diagnosticsText(facts: DiagnosticFacts): string {
  const { nowMs, versions, hostEnvironment, server, attempts } = facts;
  const version = (text: string): string => wordOrOther(text, /^v?\d[\w.+-]{0,40}$/);
  const accounts = [...facts.accounts].sort((a, b) => a.number - b.number);
  const lines = [
    `Notion MCP Authentication diagnostics, ${localTime(nowMs, facts)} ${describeOffset(facts)}`,
    '',
    `extension ${version(versions.extension)}, editor ${version(versions.editor)} (${wordOrOther(facts.uriScheme)}, ${hostEnvironment.web ? 'web' : 'desktop'}), node ${versions.node === undefined ? 'none' : version(versions.node)}`,
    `extension host ${hostEnvironment.host}, remote ${facts.remoteName === undefined ? 'none' : wordOrOther(facts.remoteName)}, platform ${wordOrOther(facts.platform)}`,
    `MCP server: ${facts.isNotionsServer ? 'Notion' : 'custom'}`,
    `client: ${hostEnvironment.clientConfigured ? 'configured in the settings' : 'registered by each sign-in'}`,
    `sign-in channels: ${describeUsedChannels(hostEnvironment)}`,
    `proxy: ${describeProxy(facts)}`,
    `storage: ${describeStorage(facts)}`,
    '',
    ...('checks' in server
      ? [
          `checks without an account: ${describeChecks(server)}`,
          `  discovery: ${describeDiscovery(server)}`,
          `  clock skew: ${server.clockSkewSeconds === undefined ? 'unknown' : `${server.clockSkewSeconds} s`}`,
        ]
      : [`checks without an account: none, ${describeFailure(summaryOf(server))}`]),
    '',
    `last sign-ins: ${attempts.length === 0 ? 'none' : `${attempts.length}, of all windows`}`,
    ...attempts.map((attempt) => `  ${attemptLine(attempt, facts)}`),
    '',
    `accounts: ${accounts.length === 0 ? 'none' : `${accounts.length}, numbered as in the log`}`,
    ...accounts.flatMap((each) => ['', ...accountLines(each, facts)]),
  ];
  return `${lines.join('\n')}\n`;
}

type TimeZone = Pick<DiagnosticFacts, 'utcOffsetMinutes'>;

/** A time in the log's form, without its milliseconds. */
function localTime(timeMs: number, { utcOffsetMinutes }: TimeZone): string {
  return new Date(timeMs + utcOffsetMinutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

function describeOffset({ utcOffsetMinutes }: TimeZone): string {
  const span = new Date(Math.abs(utcOffsetMinutes) * 60_000).toISOString().slice(11, 16);
  return `${utcOffsetMinutes < 0 ? '-' : '+'}${span}`;
}

/** The channels that a sign-in tries here, in their order, and the others with the reason why it does not. */
function describeUsedChannels(hostEnvironment: HostEnvironment): string {
  const { setting } = hostEnvironment;
  const used = orderChannels(hostEnvironment);
  const others = describeChannels(hostEnvironment).filter(({ name }) => !used.includes(name));
  return [
    `setting ${setting}`,
    `tried ${used.join(', ') || 'none'}`,
    ...others.map(({ name, ability, why }) => {
      const reason = why === undefined ? '' : ` (${why})`;
      return `${name} ${ability === 'no' ? 'impossible here' : 'only if selected'}${reason}`;
    }),
  ].join('; ');
}

function describeStorage({ storage, problems }: DiagnosticFacts): string {
  const { hasJournal, files, isKeyLost, watchWorks } = storage;
  const allProblems = new Set([...problems, ...(isKeyLost ? (['keyLost'] as const) : [])]);
  const journal = [
    'journal and secret storage',
    `changes by other windows ${watchWorks ? 'noticed at once' : 'looked for each minute'}`,
    ...(files === undefined ? [] : [`accounts signed out: ${files.tombstones}`]),
    ...(files?.isStoring === true ? ['a sign-in is being stored'] : []),
  ];
  return [
    ...(hasJournal ? journal : ['secret storage, no journal']),
    `problems ${[...allProblems].join(', ') || 'none'}`,
  ].join('; ');
}

function attemptLine({ startedAtMs, name, steps, end }: SignInAttempt, timeZone: TimeZone): string {
  const path = steps.map(describeStep).join(', ') || 'before discovery';
  const start = `${localTime(startedAtMs, timeZone)} ${wordOrOther(name, /^sign-in [0-9a-f]{4}$/)}: ${path}`;
  if (end === undefined) {
    return `${start}; not ended, or its window was closed or reloaded before`;
  }
  const { tookMs, outcome } = end;
  const took = `after ${seconds(tookMs)}`;
  if (outcome === 'unexpectedError') {
    return `${start}; unexpected error ${took}`;
  }
  if ('account' in outcome) {
    return `${start}; signed in as account ${outcome.account} ${took}`;
  }
  if (outcome.kind === 'cancelled') {
    return `${start}; cancelled ${took}${outcome.code === 'cancelled' ? '' : ` (${outcome.code})`}`;
  }
  return `${start}; FAILED ${took}, ${describeFailure(outcome)}`;
}

function describeStep(step: SignInStep): string {
  switch (step) {
    case 'discovering':
      return 'discovery';
    case 'waitingForBrowser':
      return 'waiting for the browser';
    case 'finishing':
      return 'response received';
    case 'serverBusy':
      return 'server busy';
    case 'unreachable':
      return 'server unreachable';
    default:
      return `channel ${wordOrOther(step, /^[A-Za-z]{1,20}$/)}`;
  }
}

function accountLines(
  { number, account, report, agents }: DiagnosticFacts['accounts'][number],
  { storage, nowMs }: DiagnosticFacts,
): string[] {
  const { grant, state } = account;
  const { tokens, client } = grant;
  const failure = storage.lastFailures.get(grant.id);
  return [
    `account ${number}: ${state}${describeState(account)}, generation ${grant.generation}, identity ${grant.identity === undefined ? 'unknown' : 'known'}`,
    `  signed in ${Math.floor((nowMs - grant.signedInAtMs) / 86_400_000)} days ago, ${client.authMethod === 'none' ? 'public client' : `client authenticates by ${client.authMethod}`}`,
    `  access token issued ${seconds(nowMs - tokens.obtainedAtMs)} ago for ${tokens.expiresInSeconds === undefined ? 'an unknown time' : `${tokens.expiresInSeconds} s`}, refresh token ${tokens.refreshToken === undefined ? 'none' : 'stored'}`,
    // Without a failure nothing is said, as another window may have had one.
    ...(failure === undefined ? [] : [`  last renewal of this window: FAILED, ${describeFailure(summaryOf(failure))}`]),
    ...(storage.hasJournal ? [`  journal: ${describeFiles(storage, grant.id)}`] : []),
    ...(agents.length === 0 ? [] : [`  agents: ${agents.map((use) => describeAgent(use, nowMs)).join('; ')}`]),
    `  checks: ${report === undefined ? 'none in this state' : describeChecks(report)}`,
    ...(report?.checks.some(({ name, failure: failed }) => name === 'discovery' && failed !== undefined)
      ? [`  discovery: ${describeDiscovery(report)}`]
      : []),
    ...(report !== undefined && hasPassed(report, 'tools') ? [`  tools: ${report.tools.length}`] : []),
  ];
}

function describeAgent({ agent, permission, usedAtMs }: AgentUse, nowMs: number): string {
  const name = isKnownAgent(agent) ? agent : 'other';
  return `${name} ${permission}${usedAtMs === undefined ? '' : `, last call ${seconds(nowMs - usedAtMs)} ago`}`;
}

function describeFiles({ files }: StorageDiagnostics, grantId: string): string {
  const ours = files?.grants.get(grantId);
  return ours === undefined
    ? 'no record'
    : `lock ${ours.isLocked ? 'held' : 'free'}, records ${ours.records}, reserved ${ours.reserved}`;
}

/** Why an account is in its state, in parentheses. */
function describeState({ state, grant: { needsSignIn, refusal }, why }: Account): string {
  switch (state) {
    case 'needsSignIn': {
      const code = needsSignIn?.serverCode === undefined ? '' : `, server said ${errorCode(needsSignIn.serverCode)}`;
      return needsSignIn === undefined ? '' : ` (${needsSignIn.reason}${code})`;
    }
    case 'serverRejected':
      return refusal === undefined ? '' : ` (refused ${refusal.count} times, ${refusal.code})`;
    case 'dormant':
      return ' (of another server than the configured one)';
    default:
      return why === undefined ? '' : ` (${why})`;
  }
}

function describeChecks({ checks, notTried }: ConnectionReport): string {
  const tried = checks.map(({ name, tookMs, failure }) =>
    failure === undefined
      ? `${name} ${tookMs} ms`
      : `${name} ${tookMs} ms FAILED (${failure.kind === 'cancelled' ? 'took too long' : describeFailure(summaryOf(failure))})`,
  );
  return [...tried, ...(notTried.length === 0 ? [] : [`not tried ${notTried.join(' ')}`])].join(', ');
}

function hasPassed({ checks }: ConnectionReport, name: CheckName): boolean {
  return checks.some((check) => check.name === name && check.failure === undefined);
}

function describeDiscovery({ requests }: ConnectionReport): string {
  const discoveryRequests = requests.filter(({ check }) => check === 'discovery');
  const [first] = discoveryRequests;
  return (
    discoveryRequests
      .map((request) => {
        const { url, outcome, tookMs } = request;
        const elsewhere = url.origin === first?.url.origin ? '' : ' (another origin)';
        return `${request === first ? 'MCP server' : documentName(url)}${elsewhere} ${outcome} ${tookMs} ms`;
      })
      .join(', ') || 'no request'
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

/** Kind, step, code and status, of which the message that the user saw was made. */
function describeFailure({ kind, step, code, status }: FailureSummary): string {
  return `${kind} at ${step}: ${code}${status === undefined || code === `http_${status}` ? '' : `, HTTP ${status}`}`;
}

function seconds(spanMs: number): string {
  return `${Math.round(spanMs / 1_000)} s`;
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
