import { discardBody } from '../calls/accountCall.ts';
import type { Outcome } from '../calls/forward.ts';
import { type ProblemKind, problemOf } from '../calls/problem.ts';
import { readText, type TransportResponse } from '../http/transport.ts';
import { rpcErrorIn } from '../mcp/jsonRpc.ts';
import { isEventStream, mediaTypeOf, passEvents } from './events.ts';
import { type Exchange, emptyBody, eventBody, respondWithError, respondWithProblem, write } from './exchange.ts';
import { headersForCaller } from './headers.ts';
import { passJson } from './json.ts';

/** How much is read of an error page, which may hold a JSON-RPC error, and for how long. */
const maxErrorBytes = 65_536;
const maxErrorMs = 10_000;

/** How long a caller is told to wait before it opens an event stream again. */
const reopenMs = 30_000;

/** After these, a caller need not open the stream again. */
const lastingProblems: ReadonlySet<ProblemKind> = new Set([
  'signedOut',
  'notOffered',
  'notAllowed',
  'consentPending',
  'serverRejected',
]);

/**
 * Responds to a POST with the MCP server's response. If that cannot be passed on, responds with status 200 and a
 * JSON-RPC error for each request in the body, or with 202 if the body holds no requests. Only a status that tells the
 * caller to start a new session, or to speak an older revision, is kept.
 */
export async function respondToPost(exchange: Exchange, outcome: Outcome): Promise<void> {
  if ('problem' in outcome) {
    await respondWithProblem(exchange, outcome.problem);
    return;
  }
  const upstream = outcome.response;
  if (isEventStream(upstream)) {
    writeHead(exchange, upstream);
    await passEvents(exchange, upstream);
  } else if (upstream.status < 300 && upstream.status !== 202 && upstream.status !== 204) {
    await passJson(exchange, upstream);
  } else {
    await respondWithoutResult(exchange, upstream);
  }
}

/**
 * Responds to a GET, which opens the event stream for the MCP server's own messages. Responds with 405 if the server
 * has no such stream. If the stream is unavailable at the moment, responds with one that ends at once: an error status
 * would make callers give up on it for good.
 */
export async function respondToGet(exchange: Exchange, outcome: Outcome): Promise<void> {
  const { response, call, clock, lastEventId } = exchange;
  if ('response' in outcome) {
    const upstream = outcome.response;
    // Clients read a stream whatever its content type says. A page of the network is none.
    const isStream = upstream.status < 300 && !/html|json/.test(mediaTypeOf(upstream));
    if (isStream || upstream.status === 405 || isForCaller(exchange, upstream)) {
      await relay(exchange, upstream, isStream && !isEventStream(upstream) ? eventBody : {});
      return;
    }
    discardBody(upstream, clock);
  }
  const problem = 'problem' in outcome ? outcome.problem : problemOf(outcome.response, call.host);
  exchange.errorFor(problem);
  if (lastingProblems.has(problem.kind)) {
    response.writeHead(405, emptyBody).end();
  } else {
    // The caller forgets its place in the stream if the last event that it gets has no id.
    const id = lastEventId === undefined ? '' : `id: ${lastEventId}\n`;
    response.writeHead(200, eventBody).end(`retry: ${reopenMs}\n${id}data:\n\n`);
  }
}

/** Responds to a DELETE, which ends a session. A failure matters to the MCP server only, so the caller gets a 502. */
export async function respondToDelete(exchange: Exchange, outcome: Outcome): Promise<void> {
  const { response, call, clock } = exchange;
  if ('response' in outcome) {
    const upstream = outcome.response;
    if (upstream.status < 300 || upstream.status === 404 || upstream.status === 405) {
      await relay(exchange, upstream);
      return;
    }
    discardBody(upstream, clock);
  }
  exchange.errorFor('problem' in outcome ? outcome.problem : problemOf(outcome.response, call.host));
  response.writeHead(502, emptyBody).end();
}

/** Handles a response that has no result: an acknowledgement, an error, or a page of a firewall. */
async function respondWithoutResult(exchange: Exchange, upstream: TransportResponse): Promise<void> {
  const { response, requests, call, clock } = exchange;
  const { status, headers } = upstream;
  const stopTimer = clock.after(maxErrorMs, () => upstream.cancel());
  const text = await readText(upstream, maxErrorBytes).catch(() => '');
  stopTimer();
  if (isForCaller(exchange, upstream)) {
    response.writeHead(status, { ...headersForCaller(headers), 'content-length': Buffer.byteLength(text) }).end(text);
    return;
  }
  if (status < 300 && requests.count === 0) {
    response.writeHead(202, { ...headersForCaller(headers), ...emptyBody }).end();
    return;
  }
  const problem = problemOf(upstream, call.host);
  const mayHoldError = problem.kind === 'serverRejected' || problem.kind === 'serverError';
  const serverError = mayHoldError ? rpcErrorIn(text) : undefined;
  if (serverError === undefined) {
    await respondWithProblem(exchange, problem);
  } else {
    await respondWithError(exchange, serverError);
  }
}

/**
 * Whether a status is one from which a client recovers by itself. The editor's client starts a new session after a 400
 * as after a 404 (modelcontextprotocol/typescript-sdk#389). A client of revision 2026-07-28 takes them for a server of an
 * older one.
 */
function isForCaller({ hasSession, isModern }: Exchange, { status }: TransportResponse): boolean {
  return (hasSession || isModern) && (status === 400 || status === 404);
}

/** Passes a response on as it is. A stream that breaks off ends, so that the caller opens it again. */
async function relay(exchange: Exchange, upstream: TransportResponse, overrides = {}): Promise<void> {
  const { response, call } = exchange;
  writeHead(exchange, upstream, overrides);
  try {
    for (let chunk = await upstream.read(); chunk !== undefined; chunk = await upstream.read()) {
      await write(response, chunk);
    }
  } catch (error) {
    // Throws if it is the caller who is gone.
    call.problemOf(error);
  }
  response.end();
}

/** Writes the head, and sends it on its own only if no part of the body is available to be sent with it. */
function writeHead({ response }: Exchange, { status, headers }: TransportResponse, overrides = {}): void {
  response.writeHead(status, { ...headersForCaller(headers), ...overrides });
  setImmediate(() => {
    if (!response.writableEnded) {
      response.flushHeaders();
    }
  });
}
