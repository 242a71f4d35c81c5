import type { CallAccounts } from '../calls/accountCall.ts';
import { accountHttp } from '../calls/accountHttp.ts';
import type { Clock } from '../core/clock.ts';
import type { Grant } from '../grants/grant.ts';
import type { BearerHttp } from '../http/bearer.ts';
import type { Http } from '../http/client.ts';
import { HttpFailure, type HttpFailureKind } from '../http/errors.ts';
import { discoverMethod } from '../mcp/revision.ts';
import { type Identity, readIdentity } from '../notion/identity.ts';
import { mcpRequest } from '../notion/mcpClient.ts';
import { readToolAccess, type ToolAccess } from '../notion/toolAccess.ts';
import { discover } from '../oauth/discovery.ts';
import { transportFailure } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';
import { whenAborted } from '../signIn/awaitCallback.ts';

/** The checks of a connection test, in the order in which they run. */
export type CheckName = 'server' | 'discovery' | 'token' | 'initialize' | 'tools' | 'identity' | 'access';

export interface Check {
  name: CheckName;
  tookMs: number;
  /** Why the check failed; absent if it passed. */
  failure?: Failure;
}

/** The result of a connection test. Names are as the server sent them: sanitize them before display. */
export interface ConnectionReport {
  checks: Check[];
  /** Every request that the checks sent, in order. */
  requests: SentRequest[];
  identity?: Identity;
  tools: string[];
  /** The checks that were skipped after a failure. */
  notTried: CheckName[];
  /** The MCP server rejected the token but accepted the renewed one. */
  wasRenewed: boolean;
  /** What the account may use, for `accessTo`. */
  access: Map<string, ToolAccess>;
  /** The server's clock minus the local clock, if the server sent its time. */
  clockSkewSeconds?: number;
}

/** One request of a check and its outcome. */
export interface SentRequest {
  check: CheckName;
  url: URL;
  /** The HTTP status, or why there was no response. */
  outcome: number | HttpFailureKind;
  tookMs: number;
}

export interface ConnectionParts {
  http: Http;
  accounts: CallAccounts;
  clock: Clock;
  /** Ends the test at once, even if a request is pending. */
  signal?: AbortSignal;
}

const freshWaitMs = 30_000;
const maxToolPages = 10;

type RunParts = Pick<ConnectionParts, 'http' | 'clock' | 'signal'>;
type CheckStep = [CheckName, (http: Http, signal: AbortSignal) => Promise<void>];

/** Runs the checks that need no account: whether the server responds, and discovery. */
export async function checkServer(serverUrl: URL, parts: RunParts): Promise<ConnectionReport> {
  const report = emptyReport();
  await runSteps(report, serverSteps(serverUrl, report, parts.clock), parts);
  return report;
}

/**
 * Runs all checks with an account. A failed check ends the test, except for discovery, which a signed-in account does
 * not need. The only thing it changes is the token, which is renewed if it is due or if the server rejects it.
 */
export async function checkConnection(grant: Grant, parts: ConnectionParts): Promise<ConnectionReport> {
  const url = new URL(grant.serverUrl);
  const report = emptyReport();
  const olderOrigins = new Set<string>();
  const call = callStep(grant, report, parts);
  const steps: CheckStep[] = [
    ...serverSteps(url, report, parts.clock),
    ['token', async () => void (await parts.accounts.fresh(grant.id, freshWaitMs))],
    call('initialize', async (http, signal) => {
      await mcpRequest(http, url, discoverMethod, {}, { signal, olderOrigins });
    }),
    call('tools', async (http, signal) => {
      report.tools = await listTools((params) => mcpRequest(http, url, 'tools/list', params, { signal, olderOrigins }));
    }),
    call('identity', async (http, signal) => {
      report.identity = await readIdentity(http, url, { signal, olderOrigins });
    }),
    call('access', async (http, signal) => {
      report.access = await readToolAccess(http, url, { signal, olderOrigins });
    }),
  ];
  await runSteps(report, steps, parts);
  return report;
}

function emptyReport(): ConnectionReport {
  return {
    checks: [],
    requests: [],
    tools: [],
    notTried: [],
    wasRenewed: false,
    access: new Map(),
  };
}

/** Makes steps whose requests are calls of the account, and notes in `report` whether they had to renew its token. */
function callStep({ id }: Grant, report: ConnectionReport, { accounts, clock }: ConnectionParts) {
  let isRenewed = false;
  const renew = accounts.renew?.bind(accounts);
  const noting: CallAccounts = {
    fresh: (grantId, waitMs) => accounts.fresh(grantId, waitMs),
    ...(renew && {
      renew: async (grantId, why) => {
        const renewed = await renew(grantId, why);
        isRenewed ||= !renewed.tokens.accessToken.equals(why.accessToken);
        return renewed;
      },
    }),
  };
  return (name: CheckName, run: (http: BearerHttp, signal: AbortSignal) => Promise<void>): CheckStep => [
    name,
    async (http, signal) => {
      await run(accountHttp({ accounts: noting, clock }, id, http), signal);
      report.wasRenewed = isRenewed;
    },
  ];
}

function serverSteps(url: URL, report: ConnectionReport, clock: Clock): CheckStep[] {
  return [
    [
      'server',
      async (http, signal) => {
        const skew = await readClockSkew(http, url, clock, signal);
        Object.assign(report, skew !== undefined && { clockSkewSeconds: skew });
      },
    ],
    ['discovery', async (http, signal) => void (await discover(http, url, { signal }))],
  ];
}

async function runSteps(
  report: ConnectionReport,
  steps: readonly CheckStep[],
  { http, clock, signal = new AbortController().signal }: RunParts,
): Promise<void> {
  for (const [index, [name, run]] of steps.entries()) {
    const recorded = recordingHttp(http, clock, (request) => report.requests.push({ check: name, ...request }));
    const check = await measure(name, () => run(recorded, signal), clock, signal);
    report.checks.push(check);
    if ((check.failure !== undefined && name !== 'discovery') || signal.aborted) {
      report.notTried = steps.slice(index + 1).map(([next]) => next);
      break;
    }
  }
}

/** Wraps `http` to record each request and its outcome. */
function recordingHttp(http: Http, clock: Clock, record: (request: Omit<SentRequest, 'check'>) => void): Http {
  return async (request) => {
    const { url } = request;
    const startMs = clock.monotonicMs();
    const recordOutcome = (outcome: number | HttpFailureKind) =>
      record({ url, outcome, tookMs: Math.round(clock.monotonicMs() - startMs) });
    try {
      const response = await http(request);
      recordOutcome(response.status);
      return response;
    } catch (error) {
      recordOutcome(error instanceof HttpFailure ? error.kind : 'unreachable');
      throw error;
    }
  };
}

async function measure(name: CheckName, run: () => Promise<void>, clock: Clock, signal: AbortSignal): Promise<Check> {
  const startMs = clock.monotonicMs();
  const tookMs = (): number => Math.round(clock.monotonicMs() - startMs);
  const cancelled = whenAborted(signal);
  try {
    // Raced against the signal, because a renewal belongs to the window and ignores the signal.
    await Promise.race([cancelled.promise, run()]);
    return { name, tookMs: tookMs() };
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return { name, tookMs: tookMs(), failure: error };
  } finally {
    cancelled.stop();
  }
}

/**
 * Returns the server's clock skew in seconds, or `undefined` if the server did not send its time.
 * @throws Failure if the server does not respond at all
 */
async function readClockSkew(
  http: Http,
  serverUrl: URL,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  const url = new URL(`/.well-known/oauth-protected-resource${serverUrl.pathname}`, serverUrl);
  try {
    const { headers } = await http({ method: 'GET', url, redirects: 'sameOrigin', signal });
    const serverTimeMs = Date.parse(headers.get('date') ?? '');
    return Number.isNaN(serverTimeMs) ? undefined : Math.round((serverTimeMs - clock.nowMs()) / 1_000);
  } catch (error) {
    throw transportFailure(error, 'discovery');
  }
}

async function listTools(
  page: (params: Record<string, unknown>) => Promise<Record<string, unknown>>,
): Promise<string[]> {
  const names: string[] = [];
  let cursor: unknown;
  for (let pages = 0; pages < maxToolPages; pages += 1) {
    const { tools, nextCursor } = await page(typeof cursor === 'string' ? { cursor } : {});
    const all: unknown[] = Array.isArray(tools) ? tools : [];
    names.push(...all.flatMap((tool) => (hasName(tool) ? [tool.name] : [])));
    cursor = nextCursor;
    if (typeof cursor !== 'string') {
      break;
    }
  }
  return names;
}

function hasName(tool: unknown): tool is { name: string } {
  return typeof tool === 'object' && tool !== null && 'name' in tool && typeof tool.name === 'string';
}
