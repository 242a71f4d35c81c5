import type { Clock } from '../core/clock.ts';
import type { Secret } from '../core/secret.ts';
import type { Grant } from '../grants/grant.ts';
import { HttpFailure } from '../http/errors.ts';
import { readText, type TransportResponse } from '../http/transport.ts';

/** The part of `Accounts` that calls use. */
export interface CallAccounts {
  /** Returns the grant with a valid access token, renewed if necessary. @throws Failure if the renewal fails */
  fresh(grantId: string, waitMs: number): Promise<Grant>;
  /**
   * Renews a grant whose access token the MCP server rejected. If that token is very new, the result may still hold it.
   * If absent, rejected tokens are not renewed. @throws Failure if the renewal fails
   */
  renew?(grantId: string, why: { reason: 'rejected'; accessToken: Secret }): Promise<Grant>;
}

export interface AccountCallParts {
  accounts: CallAccounts;
  clock: Clock;
}

/** How the request of a call is sent. */
export interface Sending<R> {
  /** Ends the wait for the pause that the server requested. */
  signal?: AbortSignal | undefined;
  send(grant: Grant): Promise<R>;
  /** The pause that a response requests (`Retry-After`), in milliseconds; undefined if it requests none. */
  pauseMs(response: R): number | undefined;
  /** Releases what an unused response holds. */
  discard?(response: R): void;
}

/** How long a call waits for a renewal in progress. */
const freshWaitMs = 30_000;

/** If the MCP server requests a longer pause than this, the caller gets the response instead. */
const maxPauseMs = 10_000;

/** A discarded response is read to its end, so that its connection can be reused, only within these limits. */
const maxDiscardedBytes = 65_536;
export const maxDiscardMs = 1_000;

/**
 * Sends a request with the account's access token. If the server rejects the token, the token is renewed and the
 * request sent again, once. The request is also sent again, once, after a short pause that the server requested.
 * @throws Failure if the token cannot be renewed, HttpFailure of kind `cancelled` if the signal ends the pause, or what
 *   `send` throws
 */
export async function callAccount<R extends { status: number }>(
  { accounts, clock }: AccountCallParts,
  grantId: string,
  { signal, send, pauseMs, discard }: Sending<R>,
): Promise<R> {
  let grant = await accounts.fresh(grantId, freshWaitMs);
  let isRenewed = false;
  let isRetried = false;
  let hasPaused = false;
  for (;;) {
    const { accessToken } = grant.tokens;
    const response = await send(grant);
    const requestedMs = response.status === 429 ? pauseMs(response) : undefined;
    if (response.status === 401 && !isRenewed && accounts.renew !== undefined) {
      discard?.(response);
      const next = await accounts.renew(grantId, { reason: 'rejected', accessToken });
      // `renew` returns a very new token once more before renewing it, as the server's storage may lag behind.
      isRenewed = isRetried || !next.tokens.accessToken.equals(accessToken);
      isRetried = true;
      grant = next;
    } else if (requestedMs !== undefined && requestedMs <= maxPauseMs && !hasPaused) {
      hasPaused = true;
      discard?.(response);
      await pause(clock, requestedMs, signal);
      grant = await accounts.fresh(grantId, freshWaitMs);
    } else {
      return response;
    }
  }
}

/** Reads an unused response in the background, so that its connection can be reused; cancels it if that takes long. */
export function discardBody(response: TransportResponse, clock: Clock): void {
  const stopTimer = clock.after(maxDiscardMs, () => response.cancel());
  readText(response, maxDiscardedBytes)
    .catch(() => undefined)
    .finally(stopTimer);
}

/** Waits. @throws HttpFailure of kind `cancelled` if the signal is aborted */
export function pause(clock: Clock, pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      throw new HttpFailure('cancelled', '');
    }
    const abort = (): void => {
      stopTimer();
      reject(new HttpFailure('cancelled', ''));
    };
    const stopTimer = clock.after(pauseMs, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
