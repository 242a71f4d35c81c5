import type { ServerResponse } from 'node:http';
import type { Outcome } from '../calls/forward.ts';
import type { OpenCall } from '../calls/openCalls.ts';
import type { Problem } from '../calls/problem.ts';
import type { Clock } from '../core/clock.ts';
import { errorResponse, type OpenRequests, type RpcError } from '../mcp/jsonRpc.ts';

/** A caller's request and what its response depends on. */
export interface Exchange {
  response: ServerResponse;
  call: OpenCall;
  /** The requests in the body that have no response yet. */
  requests: OpenRequests;
  /** Whether the body is a batch, so that a JSON response must be one. */
  isBatch: boolean;
  /** Whether the request belongs to an MCP session. */
  hasSession: boolean;
  /** The event after which a GET resumes its stream, if any. */
  lastEventId: string | undefined;
  /** Whether the caller speaks revision 2026-07-28 or later, and learns from a status that the server does not. */
  isModern: boolean;
  /** Whether the caller understands event streams, as every MCP client must. */
  acceptsEvents: boolean;
  /** The title that the server's own response to the request must get; absent for most requests. */
  title: string | undefined;
  clock: Clock;
  /** Opens a broken event stream again after the event of that id. */
  resume(lastEventId: string): Promise<Outcome>;
  /** Turns a problem into a JSON-RPC error, logs it and reminds the user if necessary. */
  errorFor(problem: Problem): RpcError;
}

export const emptyBody = { 'content-length': 0 };
export const jsonBody = { 'content-type': 'application/json' };
export const eventBody = { 'content-type': 'text/event-stream' };

/** Responds to a POST with an error of the gateway's own. */
export function respondWithProblem(exchange: Exchange, problem: Problem): Promise<void> {
  return respondWithError(exchange, exchange.errorFor(problem));
}

/**
 * Responds with status 200 and the error for each request that has no response, or with 202 if there is none. The
 * responses are written one after another, as there may be very many in a batch.
 */
export async function respondWithError(exchange: Exchange, error: RpcError): Promise<void> {
  const { response, requests, isBatch } = exchange;
  if (requests.count === 0) {
    response.writeHead(202, emptyBody).end();
    return;
  }
  response.writeHead(200, jsonBody);
  let separator = isBatch ? '[' : '';
  for (const id of requests.take()) {
    await write(response, Buffer.from(separator + errorResponse(id, error)));
    separator = ',';
  }
  response.end(isBatch ? ']' : '');
}

/** Writes a chunk, and waits if the caller reads more slowly than the server writes. */
export async function write(response: ServerResponse, chunk: Uint8Array): Promise<void> {
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
