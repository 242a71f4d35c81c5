import type { ServerResponse } from 'node:http';
import type { Outcome } from '../calls/accountCall.ts';
import { type Problem, problemIn, problemOf } from '../calls/problem.ts';
import { headerOf, readText, type UpstreamResponse } from '../http/transport.ts';
import { errorBody, type RequestIds, type RpcError, rpcErrorIn } from '../mcp/jsonRpc.ts';
import { headersForCaller } from './headers.ts';

/** One caller's request as far as its answer depends on it. */
export interface Call {
  response: ServerResponse;
  /** The MCP server's host. */
  host: string;
  /** Whether the request belongs to an MCP session. */
  hasSession: boolean;
  /** Who in the request's body waits for an answer. */
  requestIds(): RequestIds;
  /** Words a problem, and tells whoever else must know of it. */
  errorFor(problem: Problem): RpcError;
}

/**
 * An answer in JSON is of no use before it is whole. Up to this many bytes are held back, so that one that breaks off
 * becomes an error instead of a cut connection, for which the editor would stop its server.
 */
const longestHeldBack = 1024 * 1024;

/** What may be said on a page that is no answer of MCP's; the rest is not read. */
const longestUnexpected = 65_536;

/** How long a caller whose event stream could not be opened is asked to wait before it tries again. */
const reopenMs = 30_000;

const empty = { 'content-length': 0 };
const ofJson = { 'content-type': 'application/json' };

/**
 * Answers a POST: with the MCP server's answer, or with status 200 and a JSON-RPC error for each request in it, or 202
 * where nobody waits. Only a lost session keeps its status 404, by which callers know to begin a new one.
 */
export async function respondToPost(call: Call, outcome: Outcome): Promise<void> {
  if ('problem' in outcome) {
    refuse(call, outcome.problem);
    return;
  }
  const { answer } = outcome;
  if (succeededWith(answer, 'text/event-stream')) {
    await respondWithEvents(call, answer);
  } else if (succeededWith(answer, 'application/json')) {
    await respondWithJson(call, answer);
  } else if (isLostSession(call, answer)) {
    await passOn(call, answer);
  } else {
    await respondUnexpected(call, answer);
  }
}

/**
 * Answers a GET, which opens the event stream of the server's own messages. Where the server has none, 405 says so. A
 * stream that cannot be had now is opened and ended at once: any other status makes callers give it up for good.
 */
export async function respondToGet(call: Call, outcome: Outcome): Promise<void> {
  const { response } = call;
  const answer = 'answer' in outcome ? outcome.answer : undefined;
  const opened = answer !== undefined && succeededWith(answer, 'text/event-stream');
  if (answer !== undefined && (opened || answer.status === 405 || isLostSession(call, answer))) {
    await passOn(call, answer);
    return;
  }
  answer?.cancel();
  const problem = 'problem' in outcome ? outcome.problem : problemOf(outcome.answer, call.host);
  call.errorFor(problem);
  if (problem.kind === 'signedOut' || problem.kind === 'serverRejected') {
    response.writeHead(405, empty).end();
  } else {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(`retry: ${reopenMs}\ndata:\n\n`);
  }
}

/** Answers a DELETE, which ends a session. Whether that went well matters to nobody but the server. */
export async function respondToDelete(call: Call, outcome: Outcome): Promise<void> {
  const answer = 'answer' in outcome ? outcome.answer : undefined;
  if (answer !== undefined && (answer.status < 300 || answer.status === 404 || answer.status === 405)) {
    await passOn(call, answer);
    return;
  }
  answer?.cancel();
  call.errorFor('problem' in outcome ? outcome.problem : problemOf(outcome.answer, call.host));
  call.response.writeHead(502, empty).end();
}

/** Answers a POST with an error of ours. */
export function refuse(call: Call, problem: Problem): void {
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

async function respondWithJson(call: Call, answer: UpstreamResponse): Promise<void> {
  const { response, host } = call;
  const headers = headersForCaller(answer.headers);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (let chunk = await answer.read(); chunk !== undefined; chunk = await answer.read()) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > longestHeldBack) {
        response.writeHead(answer.status, headers);
        await write(response, Buffer.concat(chunks));
        await stream(answer, response);
        return;
      }
    }
  } catch (error) {
    if (response.headersSent) {
      throw error;
    }
    refuse(call, problemIn(error, host));
    return;
  }
  if (length === 0) {
    refuse(call, problemOf(answer, host));
    return;
  }
  const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
  response.writeHead(answer.status, { ...headers, 'content-length': length }).end(body);
}

/**
 * Streams the events that answer a POST. When they break off, a caller in a session may resume them (`Last-Event-ID`);
 * one without would wait for ever, so it is told by one more event.
 */
async function respondWithEvents(call: Call, answer: UpstreamResponse): Promise<void> {
  const { response, host, hasSession, requestIds, errorFor } = call;
  writeHead(response, answer);
  try {
    await stream(answer, response);
  } catch (error) {
    if (hasSession) {
      throw error;
    }
    const body = errorBody(requestIds(), errorFor(problemIn(error, host)));
    // What was begun must not be taken for a message: it becomes an event of a name that nobody listens to.
    response.end(`\nevent: brokenOff\n\n${body === undefined ? '' : `data: ${body}\n\n`}`);
  }
}

/** What is neither JSON nor events: an error status, a page of a firewall or portal, or nothing at all. */
async function respondUnexpected(call: Call, answer: UpstreamResponse): Promise<void> {
  const { status } = answer;
  const text = await readText(answer, longestUnexpected).catch(() => '');
  if (status < 300 && text === '' && call.requestIds().ids.length === 0) {
    call.response.writeHead(202, { ...headersForCaller(answer.headers), ...empty }).end();
    return;
  }
  const problem = problemOf(answer, call.host);
  const said = problem.kind === 'serverRejected' || problem.kind === 'serverError' ? rpcErrorIn(text) : undefined;
  if (said === undefined) {
    refuse(call, problem);
  } else {
    sendError(call, said);
  }
}

async function passOn({ response }: Call, answer: UpstreamResponse): Promise<void> {
  writeHead(response, answer);
  await stream(answer, response);
}

/** The head goes out by itself only when nothing of the body is at hand to go with it. */
function writeHead(response: ServerResponse, answer: UpstreamResponse): void {
  response.writeHead(answer.status, headersForCaller(answer.headers));
  setImmediate(() => {
    if (!response.writableEnded) {
      response.flushHeaders();
    }
  });
}

/** @throws HttpFailure when the body breaks off */
async function stream(answer: UpstreamResponse, response: ServerResponse): Promise<void> {
  for (let chunk = await answer.read(); chunk !== undefined; chunk = await answer.read()) {
    await write(response, chunk);
  }
  response.end();
}

/** Writes, and waits for a caller who reads slower than the server writes. */
async function write(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  if (!response.write(chunk) && !response.destroyed) {
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        response.off('drain', goOn).off('close', goOn);
        resolve();
      };
      response.on('drain', goOn).on('close', goOn);
    });
  }
}

function isLostSession({ hasSession }: Call, { status }: UpstreamResponse): boolean {
  return hasSession && status === 404;
}

function succeededWith(answer: UpstreamResponse, type: 'application/json' | 'text/event-stream'): boolean {
  return answer.status < 300 && headerOf(answer, 'content-type')?.toLowerCase().startsWith(type) === true;
}
