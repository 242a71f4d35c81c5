import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';
import type { Http } from '../http/client.ts';
import { HttpFailure, type HttpFailureKind } from '../http/errors.ts';
import { type Identity, readIdentity } from '../notion/identity.ts';
import { initializeParams, mcpRequest } from '../notion/mcpClient.ts';
import { readToolAccess, type ToolAccess } from '../notion/toolAccess.ts';
import { discover } from '../oauth/discovery.ts';
import { transportFailure } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';
import { whenAborted } from '../signIn/awaitCallback.ts';

/** The links of the chain from here to Notion's tools, in order. */
export type CheckName = 'server' | 'discovery' | 'token' | 'initialize' | 'tools' | 'identity';

export interface Check {
  name: CheckName;
  tookMs: number;
  /** Why it failed; missing when it went well. */
  failure?: Failure;
}

/** What was found out about one account's connection. Names are raw: clean them before they are shown. */
export interface ConnectionReport {
  checks: Check[];
  /** Every request that the checks sent, in order. */
  requests: SentRequest[];
  identity?: Identity;
  tools: string[];
  /** The links after the one that failed. */
  notTried: CheckName[];
  /** The server no longer took the token, and a renewal helped. */
  wasRenewed: boolean;
  access: Map<string, ToolAccess>;
  /** The server's clock minus ours, where it told its time. */
  clockSkewSeconds?: number;
  /** A tool failed in a way that is known to be Notion's mistake. */
  isServerFault: boolean;
}

/** One request of a check, and how it ended. */
export interface SentRequest {
  check: CheckName;
  url: URL;
  /** The status, or why there was no answer. */
  outcome: number | HttpFailureKind;
  tookMs: number;
}

export interface ConnectionParts {
  http: Http;
  /** A grant whose token is good. @throws Failure */
  fresh: (grantId: string, waitMs: number) => Promise<Grant>;
  /** A grant with another token than the one that the server rejected. Without it a rejected token stays as it is. */
  renewRejected?: (grantId: string, accessToken: Secret) => Promise<Grant>;
  clock: Clock;
  /** Ends the walk at once, however the network stands. */
  signal?: AbortSignal;
}

const freshWaitMs = 30_000;
const mostToolPages = 10;
/** With a token that may be too young for the server's stores, with the same once more, and with the renewed one. */
const mostGreetings = 3;

type WalkParts = Pick<ConnectionParts, 'http' | 'clock' | 'signal'>;
type Link = [CheckName, (http: Http, signal: AbortSignal) => Promise<void>];

/** Walks the part of the chain that needs no account: the server, and where it says to sign in. */
export async function checkServer(serverUrl: URL, parts: WalkParts): Promise<ConnectionReport> {
  const report = emptyReport();
  await walk(report, serverLinks(serverUrl, report, parts.clock), parts);
  return report;
}

/**
 * Walks the chain from here to Notion's tools with an account. A link that fails ends the walk, except discovery: an
 * account that is signed in does not need it. Changes nothing but a token that is due or that the server rejects.
 */
export async function checkConnection(grant: Grant, parts: ConnectionParts): Promise<ConnectionReport> {
  const url = new URL(grant.serverUrl);
  const report = emptyReport();
  let { accessToken } = grant.tokens;
  const links: Link[] = [
    ...serverLinks(url, report, parts.clock),
    [
      'token',
      async () => {
        accessToken = (await parts.fresh(grant.id, freshWaitMs)).tokens.accessToken;
      },
    ],
    [
      'initialize',
      async (http, signal) => {
        const greeted = await greet(grant, accessToken, parts, (token) =>
          mcpRequest(http, url, token, 'initialize', initializeParams, { signal }),
        );
        report.wasRenewed = !greeted.equals(accessToken);
        accessToken = greeted;
      },
    ],
    [
      'tools',
      async (http, signal) => {
        report.tools = await listTools((params) =>
          mcpRequest(http, url, accessToken, 'tools/list', params, { signal }),
        );
      },
    ],
    [
      'identity',
      async (http, signal) => {
        report.identity = await readIdentity(http, url, accessToken, { signal });
        Object.assign(report, await readToolAccess(http, url, accessToken, { signal }));
      },
    ],
  ];
  await walk(report, links, parts);
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
    isServerFault: false,
  };
}

/** Does what every other call does with a rejected token: has it renewed. @returns the token that was taken */
async function greet(
  { id }: Grant,
  accessToken: Secret,
  { renewRejected }: ConnectionParts,
  greeting: (accessToken: Secret) => Promise<unknown>,
): Promise<Secret> {
  let token = accessToken;
  for (let greetings = 1; ; greetings += 1) {
    try {
      await greeting(token);
      return token;
    } catch (error) {
      const isRejected = error instanceof Failure && error.details.code === 'invalid_token';
      if (!isRejected || renewRejected === undefined || greetings === mostGreetings) {
        throw error;
      }
      token = (await renewRejected(id, token)).tokens.accessToken;
    }
  }
}

function serverLinks(url: URL, report: ConnectionReport, clock: Clock): Link[] {
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

async function walk(
  report: ConnectionReport,
  links: readonly Link[],
  { http, clock, signal = new AbortController().signal }: WalkParts,
): Promise<void> {
  for (const [index, [name, link]] of links.entries()) {
    const noted = recordingHttp(http, clock, (request) => report.requests.push({ check: name, ...request }));
    const check = await measure(name, () => link(noted, signal), clock, signal);
    report.checks.push(check);
    if ((check.failure !== undefined && name !== 'discovery') || signal.aborted) {
      report.notTried = links.slice(index + 1).map(([next]) => next);
      break;
    }
  }
}

/** `http` that notes each request and how it ended. */
function recordingHttp(http: Http, clock: Clock, note: (request: Omit<SentRequest, 'check'>) => void): Http {
  return async (request) => {
    const { url } = request;
    const startMs = clock.monotonicMs();
    const ended = (outcome: number | HttpFailureKind) =>
      note({ url, outcome, tookMs: Math.round(clock.monotonicMs() - startMs) });
    try {
      const response = await http(request);
      ended(response.status);
      return response;
    } catch (error) {
      ended(error instanceof HttpFailure ? error.kind : 'unreachable');
      throw error;
    }
  };
}

async function measure(name: CheckName, link: () => Promise<void>, clock: Clock, signal: AbortSignal): Promise<Check> {
  const startMs = clock.monotonicMs();
  const tookMs = (): number => Math.round(clock.monotonicMs() - startMs);
  const cancelled = whenAborted(signal);
  try {
    // Raced, because a renewal is the window's and does not hear the signal.
    await Promise.race([cancelled.promise, link()]);
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

/** Whether anybody answers at all, and what time it is there. */
async function readClockSkew(
  http: Http,
  serverUrl: URL,
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  const url = new URL(`/.well-known/oauth-protected-resource${serverUrl.pathname}`, serverUrl);
  try {
    const { headers } = await http({ method: 'GET', url, redirects: 'sameOrigin', signal });
    const theirsMs = Date.parse(headers.get('date') ?? '');
    return Number.isNaN(theirsMs) ? undefined : Math.round((theirsMs - clock.nowMs()) / 1_000);
  } catch (error) {
    throw transportFailure(error, 'discovery');
  }
}

async function listTools(
  page: (params: Record<string, unknown>) => Promise<Record<string, unknown>>,
): Promise<string[]> {
  const names: string[] = [];
  let cursor: unknown;
  for (let pages = 0; pages < mostToolPages; pages += 1) {
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
