import type { Clock } from '../clock.ts';
import type { Grant } from '../grants/grant.ts';
import type { Http } from '../http/http.ts';
import { type Identity, readIdentity } from '../notion/identity.ts';
import { initializeParams, mcpRequest } from '../notion/mcpRequest.ts';
import { readToolAccess, type ToolAccess } from '../notion/toolAccess.ts';
import { transportFailure } from '../oauth/classify.ts';
import { discover } from '../oauth/discovery.ts';
import { Failure } from '../oauth/failure.ts';

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
  identity?: Identity;
  tools: string[];
  access: Map<string, ToolAccess>;
  /** The server's clock minus ours, where it told its time. */
  clockSkewSeconds?: number;
  /** A tool failed in a way that is known to be Notion's mistake. */
  isServerFault: boolean;
}

export interface ConnectionParts {
  http: Http;
  /** A grant whose token is good. @throws Failure */
  fresh: (grantId: string, waitMs: number) => Promise<Grant>;
  clock: Clock;
  signal?: AbortSignal;
  onCheck?: (name: CheckName) => void;
}

const freshWaitMs = 30_000;
const mostToolPages = 10;

/**
 * Walks the chain from here to Notion's tools with an account. A link that fails ends the walk, except discovery: an
 * account that is signed in does not need it. Changes nothing; renews a token that is due.
 */
export async function checkConnection(grant: Grant, parts: ConnectionParts): Promise<ConnectionReport> {
  const { http, fresh, clock, signal } = parts;
  const options = signal && { signal };
  const url = new URL(grant.serverUrl);
  const report: ConnectionReport = { checks: [], tools: [], access: new Map(), isServerFault: false };
  let accessToken = grant.tokens.accessToken;
  const links: [CheckName, () => Promise<void>][] = [
    ['server', async () => assign(report, 'clockSkewSeconds', await readClockSkew(http, url, clock, signal))],
    ['discovery', async () => void (await discover(http, url, options))],
    [
      'token',
      async () => {
        accessToken = (await fresh(grant.id, freshWaitMs)).tokens.accessToken;
      },
    ],
    [
      'initialize',
      async () => void (await mcpRequest(http, url, accessToken, 'initialize', initializeParams, options)),
    ],
    [
      'tools',
      async () => {
        report.tools = await listTools((params) => mcpRequest(http, url, accessToken, 'tools/list', params, options));
      },
    ],
    [
      'identity',
      async () => {
        report.identity = await readIdentity(http, url, accessToken, options);
        Object.assign(report, await readToolAccess(http, url, accessToken, options));
      },
    ],
  ];
  for (const [name, walk] of links) {
    parts.onCheck?.(name);
    const check = await measure(name, walk, clock);
    report.checks.push(check);
    if ((check.failure !== undefined && name !== 'discovery') || signal?.aborted) {
      break;
    }
  }
  return report;
}

async function measure(name: CheckName, walk: () => Promise<void>, clock: Clock): Promise<Check> {
  const startMs = clock.monotonicMs();
  const tookMs = (): number => Math.round(clock.monotonicMs() - startMs);
  try {
    await walk();
    return { name, tookMs: tookMs() };
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    return { name, tookMs: tookMs(), failure: error };
  }
}

/** Whether anybody answers at all, and what time it is there. */
async function readClockSkew(
  http: Http,
  serverUrl: URL,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const url = new URL(`/.well-known/oauth-protected-resource${serverUrl.pathname}`, serverUrl);
  try {
    const { headers } = await http({ method: 'GET', url, redirects: 'sameOrigin', ...(signal && { signal }) });
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

function assign(report: ConnectionReport, name: 'clockSkewSeconds', value: number | undefined): void {
  if (value !== undefined) {
    report[name] = value;
  }
}
