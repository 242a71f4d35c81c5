import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';
import { HttpFailure } from '../http/errors.ts';
import { readText, type Upstream, type UpstreamRequest, type UpstreamResponse } from '../http/transport.ts';
import { isSecure } from '../http/url.ts';
import { type Problem, pauseAskedFor, problemIn } from './problem.ts';

/** What the gateway needs of the accounts. */
export interface GatewayAccounts {
  /** Undefined when the account was signed out. */
  find(grantId: string): { serverUrl: string } | undefined;
  /** A grant whose token is good, renewed if need be. @throws Failure */
  fresh(grantId: string, waitMs: number): Promise<Grant>;
  /** A grant with another token than the one that the server rejected. @throws Failure */
  renew(grantId: string, why: { reason: 'rejected'; accessToken: Secret }): Promise<Grant>;
}

export interface AccountCallParts {
  accounts: GatewayAccounts;
  upstream: Upstream;
  clock: Clock;
}

/** What came of a request: the MCP server's answer, whatever its status, or why there is none. */
export type Outcome = { answer: UpstreamResponse } | { problem: Problem };

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
  { accounts, upstream, clock }: AccountCallParts,
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

/** Reads what nobody wants to see, so that its connection can be used again. Nobody waits for it. */
function discard(answer: UpstreamResponse): void {
  readText(answer, longestLeftover).catch(() => undefined);
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
