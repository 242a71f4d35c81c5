import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';
import { HttpFailure } from '../http/errors.ts';
import { readText, type Transport, type TransportRequest, type TransportResponse } from '../http/transport.ts';
import { isSecure } from '../http/url.ts';
import { type Problem, problemOfError, requestedPauseMs } from './problem.ts';

/** The part of `Accounts` that the gateway uses. */
export interface GatewayAccounts {
  /** Returns undefined if the account was signed out. */
  find(grantId: string): Pick<Grant, 'serverUrl' | 'signedInAtMs'> | undefined;
  /** Returns the grant with a valid access token, renewed if necessary. @throws Failure if the renewal fails */
  fresh(grantId: string, waitMs: number): Promise<Grant>;
  /**
   * Renews a grant whose access token the MCP server rejected. If that token is very new, the result may still hold it.
   * @throws Failure if the renewal fails
   */
  renew(grantId: string, why: { reason: 'rejected'; accessToken: Secret }): Promise<Grant>;
}

export interface AccountCallParts {
  accounts: GatewayAccounts;
  transport: Transport;
  clock: Clock;
}

/** The outcome of a request: the MCP server's response, whatever its status, or the reason why there is none. */
export type Outcome = { response: TransportResponse } | { problem: Problem };

/** How long a call waits for a renewal in progress. */
const freshWaitMs = 30_000;

/** If the MCP server requests a longer pause than this, the caller gets the problem instead. */
const maxPauseMs = 10_000;

/** A discarded response is read to its end, so that its connection can be reused, only if it is no longer than this. */
const maxDiscardedBytes = 65_536;

/**
 * Forwards a caller's request to the account's MCP server with the account's access token. If the server rejects the
 * token, the token is renewed and the request sent again, once. The request is also sent again, once, after a short
 * pause that the server requested.
 * @throws HttpFailure of kind `cancelled` if the caller disconnects
 */
export async function forward(
  { accounts, transport, clock }: AccountCallParts,
  grantId: string,
  request: Omit<TransportRequest, 'url'>,
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
    let hasPaused = false;
    for (;;) {
      const { accessToken } = grant.tokens;
      const headers = { ...request.headers, authorization: `Bearer ${accessToken.reveal()}` };
      const response = await transport.send({ ...request, headers, url });
      const pauseMs = response.status === 429 ? requestedPauseMs(response) : undefined;
      if (response.status === 401 && !isRenewed) {
        discard(response);
        const next = await accounts.renew(grantId, { reason: 'rejected', accessToken });
        // `renew` returns a very new token once more before renewing it, as the server's storage may lag behind.
        isRenewed = isRetried || !next.tokens.accessToken.equals(accessToken);
        isRetried = true;
        grant = next;
      } else if (pauseMs !== undefined && pauseMs <= maxPauseMs && !hasPaused) {
        hasPaused = true;
        discard(response);
        await pause(clock, pauseMs, request.signal);
        grant = await accounts.fresh(grantId, freshWaitMs);
      } else {
        return { response };
      }
    }
  } catch (error) {
    return { problem: problemOfError(error, host) };
  }
}

/** Reads an unused response in the background, so that its connection can be reused. */
function discard(response: TransportResponse): void {
  readText(response, maxDiscardedBytes).catch(() => undefined);
}

function pause(clock: Clock, pauseMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      throw new HttpFailure('cancelled', '');
    }
    const abort = (): void => {
      stopTimer();
      reject(new HttpFailure('cancelled', ''));
    };
    const stopTimer = clock.after(pauseMs, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    signal.addEventListener('abort', abort, { once: true });
  });
}
