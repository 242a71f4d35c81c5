import type { Grant } from '../grants/grant.ts';
import { raceAbort } from '../http/client.ts';
import { HttpFailure } from '../http/errors.ts';
import { headerOf, type Transport, type TransportRequest, type TransportResponse } from '../http/transport.ts';
import { isSecure } from '../http/url.ts';
import { type AccountCallParts, type CallAccounts, callAccount, discardBody } from './accountCall.ts';
import type { OpenCall } from './openCalls.ts';
import { type Problem, requestedPauseMs } from './problem.ts';

/** The part of `Accounts` that the gateway uses. */
export interface GatewayAccounts extends Required<CallAccounts> {
  /** Returns undefined if the account was signed out. */
  find(grantId: string): Pick<Grant, 'serverUrl' | 'signedInAtMs' | 'serverNames'> | undefined;
}

interface ForwardParts extends AccountCallParts {
  accounts: GatewayAccounts;
  transport: Transport;
}

/** The outcome of a request: the MCP server's response, whatever its status, or the reason why there is none. */
export type Outcome = { response: TransportResponse } | { problem: Problem };

/** One request of a call, without what the account adds to it. */
export type ForwardedRequest = Omit<TransportRequest, 'url' | 'signal'>;

/**
 * Sends a request of a call to the account's MCP server. A redirect within the origin is followed once, and a request
 * that can be repeated is sent again if its connection is lost.
 * @throws HttpFailure of kind `cancelled` if the caller disconnects
 */
export async function forward(
  { transport, ...parts }: ForwardParts,
  call: OpenCall,
  request: ForwardedRequest,
): Promise<Outcome> {
  const account = parts.accounts.find(call.grantId);
  if (account === undefined) {
    return { problem: { kind: 'signedOut', host: call.host } };
  }
  const url = new URL(account.serverUrl);
  const { signal } = call;
  const discard = (unused: TransportResponse): void => {
    // Its request was refused or sent elsewhere, so it has changed nothing.
    noteArrival(call, request, false);
    discardBody(unused, parts.clock);
  };
  try {
    if (!isSecure(url)) {
      throw new HttpFailure('insecure', url.host);
    }
    const response = await raceAbort(signal, () =>
      callAccount(parts, call.grantId, {
        signal,
        send: async ({ tokens }) => {
          const headers = { ...request.headers, authorization: `Bearer ${tokens.accessToken.reveal()}` };
          const sent = { ...request, headers, signal };
          const response = await send(transport, call, { ...sent, url });
          const target = redirectTarget(response, url);
          if (target === undefined) {
            return response;
          }
          discard(response);
          return send(transport, call, { ...sent, url: target });
        },
        pauseMs: requestedPauseMs,
        discard,
      }),
    );
    call.noteSign();
    return { response };
  } catch (error) {
    return { problem: call.problemOf(error) };
  }
}

/** Sends a request, and again if its connection is lost and that does no harm. */
async function send(transport: Transport, call: OpenCall, request: TransportRequest): Promise<TransportResponse> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      noteArrival(call, request, true);
      return await transport.send(request);
    } catch (error) {
      if (!(error instanceof HttpFailure)) {
        throw error;
      }
      noteArrival(call, request, error.wasSent);
      // The server may have closed a kept connection just as the request went out. No new one can be opened after a
      // failure to connect.
      const isLost = error.kind === 'unreachable' && error.wasSent;
      if (!isLost || !call.isRepeatable || attempts > 1) {
        throw error;
      }
    }
  }
}

/** A GET that resumes the response to a POST says nothing about the POST. */
function noteArrival(call: OpenCall, { method }: Pick<TransportRequest, 'method'>, mayHaveArrived: boolean): void {
  if (method !== 'GET') {
    call.mayHaveArrived = mayHaveArrived;
  }
}

/**
 * Where a redirect leads, if it is to be followed: within the origin, as the token is for no other, and with the same
 * method and body, which a 303 forbids (RFC 9110 section 15.4.4).
 */
function redirectTarget(response: TransportResponse, url: URL): URL | undefined {
  const location = headerOf(response, 'location');
  if (![301, 302, 307, 308].includes(response.status) || location === undefined || !URL.canParse(location, url.href)) {
    return undefined;
  }
  const target = new URL(location, url);
  return target.origin === url.origin && target.username === '' && target.password === '' ? target : undefined;
}
