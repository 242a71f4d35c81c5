import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';
import { HttpFailure } from '../http/http.ts';
import { retryAfterMs } from '../http/retryAfter.ts';
import { isSecure } from '../http/url.ts';
import type { Problem } from '../mcp/jsonRpc.ts';
import { headerOf, readText, type Upstream, type UpstreamAnswer, type UpstreamRequest } from '../mcp/upstream.ts';
import { parseChallenge } from '../oauth/challenge.ts';
import { Failure } from '../oauth/errors.ts';

/** What the gateway needs of the accounts. */
export interface GatewayAccounts {
  /** Undefined when the account was signed out. */
  find(grantId: string): { serverUrl: string } | undefined;
  /** A grant whose token is good, renewed if need be. @throws Failure */
  fresh(grantId: string, waitMs: number): Promise<Grant>;
  /** A grant with another token than the one that the server rejected. @throws Failure */
  renew(grantId: string, why: { reason: 'rejected'; accessToken: Secret }): Promise<Grant>;
}

export interface AskParts {
  accounts: GatewayAccounts;
  upstream: Upstream;
  clock: Clock;
}

/** What came of a request: the MCP server's answer, whatever its status, or why there is none. */
export type Outcome = { answer: UpstreamAnswer } | { problem: Problem };

/** How long a call waits for a renewal that is under way. */
const freshWaitMs = 30_000;

/** A server that asks for a longer pause than this is not waited for. */
const longestPauseMs = 10_000;

/** Beyond this an answer that nobody will see is not read to its end for the sake of its connection. */
const longestLeftover = 65_536;

/**
 * Sends a caller's request with the account's token to that account's MCP server. A rejected token is renewed and the
 * request repeated with the new one, once; so is a request after a short pause that the server asked for.
 * @throws HttpFailure of kind `cancelled` when the caller left
 */
export async function ask(
  { accounts, upstream, clock }: AskParts,
  grantId: string,
  request: Omit<UpstreamRequest, 'url'>,
): Promise<Outcome> {
  const account = accounts.find(grantId);
  if (account === undefined) {
    return { problem: { kind: 'signedOut', host: '' } };
  }
  const url = new URL(account.serverUrl);
  const { host } = url;
  try {
    if (!isSecure(url)) {
      throw new HttpFailure('insecure', host);
    }
    let grant = await accounts.fresh(grantId, freshWaitMs);
    let isRenewed = false;
    let isRetried = false;
    let paused = false;
    for (;;) {
      const { accessToken } = grant.tokens;
      const headers = { ...request.headers, authorization: `Bearer ${accessToken.reveal()}` };
      const answer = await upstream.send({ ...request, headers, url });
      const pauseMs = answer.status === 429 ? pauseAskedFor(answer) : undefined;
      if (answer.status === 401 && !isRenewed) {
        discard(answer);
        const next = await accounts.renew(grantId, { reason: 'rejected', accessToken });
        // A token that is very young is given once more before it is renewed: the server's stores may lag behind.
        isRenewed = isRetried || !next.tokens.accessToken.equals(accessToken);
        isRetried = true;
        grant = next;
      } else if (pauseMs !== undefined && pauseMs <= longestPauseMs && !paused) {
        paused = true;
        discard(answer);
        await pause(clock, pauseMs, request.signal);
        grant = await accounts.fresh(grantId, freshWaitMs);
      } else {
        return { answer };
      }
    }
  } catch (error) {
    return { problem: problemIn(error, host) };
  }
}

/** What an answer's status means that is not MCP's own. */
export function problemOf(answer: UpstreamAnswer, host: string): Problem {
  const { status } = answer;
  const problem = { host, status };
  if (status < 400) {
    return { ...problem, kind: 'nonsense' };
  }
  if (status === 401) {
    return { ...problem, kind: 'tokenRejected' };
  }
  if (status === 429) {
    const pauseMs = pauseAskedFor(answer);
    return { ...problem, kind: 'rateLimited', ...waiting(pauseMs) };
  }
  if (status === 403) {
    const challenge = parseChallenge(headerOf(answer, 'www-authenticate'));
    if (challenge?.error === 'insufficient_scope') {
      return { ...problem, kind: 'scopeMissing', ...(challenge.scopes && { scopes: challenge.scopes }) };
    }
  }
  return { ...problem, kind: status >= 500 || status === 408 || status === 425 ? 'serverTrouble' : 'serverRefuses' };
}

/** What a failure on the way means. @throws HttpFailure of kind `cancelled`, which nobody waits to hear of */
export function problemIn(error: unknown, host: string): Problem {
  if (error instanceof HttpFailure) {
    if (error.kind === 'cancelled') {
      throw error;
    }
    return { kind: 'unreachable', host, transport: error.kind };
  }
  if (!(error instanceof Failure)) {
    return { kind: 'internal', host };
  }
  switch (error.kind) {
    case 'signInAgain':
    case 'registrationGone':
      return { kind: 'signInNeeded', host, failure: error };
    case 'transient':
      return { kind: 'unreachable', host, failure: error, ...waiting(error.details.retryAfterMs) };
    default:
      return { kind: 'renewalFailed', host, failure: error };
  }
}

function waiting(pauseMs: number | undefined): { waitSeconds?: number } {
  return pauseMs === undefined ? {} : { waitSeconds: Math.ceil(pauseMs / 1000) };
}

/** Reads what nobody wants to see, so that its connection can be used again. Nobody waits for it. */
function discard(answer: UpstreamAnswer): void {
  readText(answer, longestLeftover).catch(() => undefined);
}

function pauseAskedFor(answer: UpstreamAnswer): number | undefined {
  const names = ['retry-after', 'date'] as const;
  return retryAfterMs(new Headers(names.map((name) => [name, headerOf(answer, name) ?? ''])));
}

function pause(clock: Clock, pauseMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      throw new HttpFailure('cancelled', '');
    }
    const leave = (): void => {
      cancel();
      reject(new HttpFailure('cancelled', ''));
    };
    const cancel = clock.after(pauseMs, () => {
      signal.removeEventListener('abort', leave);
      resolve();
    });
    signal.addEventListener('abort', leave, { once: true });
  });
}
