import type { ServerResponse } from 'node:http';
import type { Outcome } from '../calls/accountCall.ts';
import { type Problem, problemOf, problemOfError } from '../calls/problem.ts';
import { headerOf, readText, type TransportResponse } from '../http/transport.ts';
import { errorBody, type RequestIds, type RpcError, rpcErrorIn } from '../mcp/jsonRpc.ts';
import { headersForCaller } from './headers.ts';

/** The parts of a caller's request that its response depends on. */
export interface Call {
  response: ServerResponse;
  /** The MCP server's host. */
  host: string;
  /** Whether the request belongs to an MCP session. */
  hasSession: boolean;
  /** The ids of the JSON-RPC requests in the body, each of which needs a response. */
  requestIds(): RequestIds;
  /** Turns a problem into a JSON-RPC error, logs it and reminds the user if necessary. */
  errorFor(problem: Problem): RpcError;
}

/**
 * A JSON response is of no use before it is complete. Up to this many bytes are buffered, so that a response that
 * breaks off becomes an error instead of a dropped connection, which would make the editor stop its MCP server.
 */
const maxBufferedBytes = 1024 * 1024;

/** How much is read of an unexpected response, which may still hold a JSON-RPC error. */
const maxUnexpectedBytes = 65_536;

/** How long a caller is told to wait before it opens an event stream again. */
const reopenMs = 30_000;

const empty = { 'content-length': 0 };
const ofJson = { 'content-type': 'application/json' };

/**
 * Responds to a POST with the MCP server's response. If that cannot be passed on, responds with status 200 and a
 * JSON-RPC error for each request in the body, or with 202 if the body holds no requests. Only the 404 of a lost
 * session keeps its status, since it makes callers start a new session.
 */
export async function respondToPost(call: Call, outcome: Outcome): Promise<void> {
  if ('problem' in outcome) {
    respondWithProblem(call, outcome.problem);
    return;
  }
  const upstreamResponse = outcome.response;
  if (succeededWith(upstreamResponse, 'text/event-stream')) {
    await respondWithEvents(call, upstreamResponse);
  } else if (succeededWith(upstreamResponse, 'application/json')) {
    await respondWithJson(call, upstreamResponse);
  } else if (isLostSession(call, upstreamResponse)) {
    await relay(call, upstreamResponse);
  } else {
    await respondToUnexpected(call, upstreamResponse);
  }
}

/**
 * Responds to a GET, which opens the event stream for the MCP server's own messages. Responds with 405 if the server
 * has no such stream. If the stream is unavailable at the moment, responds with one that ends at once: an error status
 * would make callers give up on it for good.
 */
export async function respondToGet(call: Call, outcome: Outcome): Promise<void> {
  const { response } = call;
  const upstreamResponse = 'response' in outcome ? outcome.response : undefined;
  const opened = upstreamResponse !== undefined && succeededWith(upstreamResponse, 'text/event-stream');
  if (
    upstreamResponse !== undefined &&
    (opened || upstreamResponse.status === 405 || isLostSession(call, upstreamResponse))
  ) {
    await relay(call, upstreamResponse);
    return;
  }
  upstreamResponse?.cancel();
  const problem = 'problem' in outcome ? outcome.problem : problemOf(outcome.response, call.host);
  call.errorFor(problem);
  if (problem.kind === 'signedOut' || problem.kind === 'serverRejected') {
    response.writeHead(405, empty).end();
  } else {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`retry: ${reopenMs}\ndata:\n\n`);
  }
}

/** Responds to a DELETE, which ends a session. A failure matters to the MCP server only, so the caller gets a 502. */
export async function respondToDelete(call: Call, outcome: Outcome): Promise<void> {
  const upstreamResponse = 'response' in outcome ? outcome.response : undefined;
  const status = upstreamResponse?.status ?? 0;
  if (upstreamResponse !== undefined && (status < 300 || status === 404 || status === 405)) {
    await relay(call, upstreamResponse);
    return;
  }
  upstreamResponse?.cancel();
  call.errorFor('problem' in outcome ? outcome.problem : problemOf(outcome.response, call.host));
  call.response.writeHead(502, empty).end();
}

/** Responds to a POST with an error of the gateway's own. */
export function respondWithProblem(call: Call, problem: Problem): void {
  sendError(call, call.errorFor(problem));
}

function sendError({ response, requestIds }: Call, error: RpcError): void {
  const body = errorBody(requestIds(), error);
  if (body === undefined) {
    response.writeHead(202, empty).end();
  } else {
    response.writeHead(200, { ...ofJson, 'content-length': Buffer.byteLength(body) }).end(body);
  }
}

async function respondWithJson(call: Call, upstreamResponse: TransportResponse): Promise<void> {
  const { response, host } = call;
  const headers = headersForCaller(upstreamResponse.headers);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (let chunk = await upstreamResponse.read(); chunk !== undefined; chunk = await upstreamResponse.read()) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBufferedBytes) {
        response.writeHead(upstreamResponse.status, headers);
        await write(response, Buffer.concat(chunks));
        await stream(upstreamResponse, response);
        return;
      }
    }
  } catch (error) {
    if (response.headersSent) {
      throw error;
    }
    respondWithProblem(call, problemOfError(error, host));
    return;
  }
  if (length === 0) {
    respondWithProblem(call, problemOf(upstreamResponse, host));
    return;
  }
  const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  response.writeHead(upstreamResponse.status, { ...headers, 'content-length': length }).end(body);
}

/**
 * Streams the events of the response to a POST. If they break off, a caller in a session can resume them
 * (`Last-Event-ID`); a caller without a session would wait for ever, so it gets an error as a last event.
 */
async function respondWithEvents(call: Call, upstreamResponse: TransportResponse): Promise<void> {
  const { response, host, hasSession, requestIds, errorFor } = call;
  writeHead(response, upstreamResponse);
  try {
    await stream(upstreamResponse, response);
  } catch (error) {
    if (hasSession) {
      throw error;
    }
    const body = errorBody(requestIds(), errorFor(problemOfError(error, host)));
    // An incomplete event must not be taken for a message, so it is given an event name that callers ignore.
    response.end(`\nevent: brokenOff\n\n${body === undefined ? '' : `data: ${body}\n\n`}`);
  }
}

/** Handles a response that is neither JSON nor events: an error, a firewall or captive portal page, or no body. */
async function respondToUnexpected(call: Call, upstreamResponse: TransportResponse): Promise<void> {
  const { status, headers } = upstreamResponse;
  const text = await readText(upstreamResponse, maxUnexpectedBytes).catch(() => '');
  if (status < 300 && text === '' && call.requestIds().ids.length === 0) {
    call.response.writeHead(202, { ...headersForCaller(headers), ...empty }).end();
    return;
  }
  const problem = problemOf(upstreamResponse, call.host);
  const mayHoldError = problem.kind === 'serverRejected' || problem.kind === 'serverError';
  const serverError = mayHoldError ? rpcErrorIn(text) : undefined;
  if (serverError === undefined) {
    respondWithProblem(call, problem);
  } else {
    sendError(call, serverError);
  }
}

async function relay({ response }: Call, upstreamResponse: TransportResponse): Promise<void> {
  writeHead(response, upstreamResponse);
  await stream(upstreamResponse, response);
}

/** Writes the head, and sends it on its own only if no part of the body is available to be sent with it. */
function writeHead(response: ServerResponse, { status, headers }: TransportResponse): void {
  response.writeHead(status, headersForCaller(headers));
  setImmediate(() => {
    if (!response.writableEnded) {
      response.flushHeaders();
    }
  });
}

/** @throws HttpFailure if the body breaks off */
async function stream(upstreamResponse: TransportResponse, response: ServerResponse): Promise<void> {
  for (let chunk = await upstreamResponse.read(); chunk !== undefined; chunk = await upstreamResponse.read()) {
    await write(response, chunk);
  }
  response.end();
}

/** Writes a chunk, and waits if the caller reads more slowly than the server writes. */
async function write(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  if (!response.write(chunk) && !response.destroyed) {
    await new Promise<void>((resolve) => {
      const resume = (): void => {
        response.off('drain', resume).off('close', resume);
        resolve();
      };
      response.on('drain', resume).on('close', resume);
    });
  }
}

function isLostSession({ hasSession }: Call, { status }: TransportResponse): boolean {
  return hasSession && status === 404;
}

function succeededWith(
  upstreamResponse: TransportResponse,
  contentType: 'application/json' | 'text/event-stream',
): boolean {
  const actual = headerOf(upstreamResponse, 'content-type');
  return upstreamResponse.status < 300 && actual?.toLowerCase().startsWith(contentType) === true;
}
