import { problemOf } from '../calls/problem.ts';
import { HttpFailure } from '../http/errors.ts';
import type { TransportResponse } from '../http/transport.ts';
import { errorResponse, rpcErrorIn } from '../mcp/jsonRpc.ts';
import { MessageReader } from '../mcp/messageReader.ts';
import { withServerTitle } from '../mcp/serverTitle.ts';
import { mediaTypeOf, writeErrorEvents } from './events.ts';
import { type Exchange, emptyBody, jsonBody, respondWithError, respondWithProblem, write } from './exchange.ts';
import { headersForCaller } from './headers.ts';

/**
 * A JSON response is of no use before it is complete. Up to this many bytes are buffered, so that a response that
 * breaks off becomes an error.
 */
const maxBufferedBytes = 1024 * 1024;

/**
 * Passes on a successful response that is no event stream, if it is JSON, whatever its content type says: the editor's
 * client would understand it, too. What breaks off, or lacks a response, becomes an error.
 */
export async function passJson(exchange: Exchange, upstream: TransportResponse): Promise<void> {
  const { call } = exchange;
  const body = new JsonBody();
  try {
    for (let chunk = await upstream.read(); chunk !== undefined; chunk = await upstream.read()) {
      call.noteSign();
      body.add(chunk);
      if (body.messages.isBroken) {
        upstream.cancel();
        break;
      }
      if (body.length > maxBufferedBytes) {
        await passLargeJson(exchange, upstream, body);
        return;
      }
    }
  } catch (error) {
    await respondWithProblem(exchange, call.problemOf(error));
    return;
  }
  await passWholeJson(exchange, upstream, body);
}

/** What was read of a JSON response. */
class JsonBody {
  readonly messages = new MessageReader();
  readonly chunks: Uint8Array[] = [];
  length = 0;
  readonly #responses: string[] = [];

  add(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.read(chunk);
  }

  /** Reads a chunk without keeping it. */
  read(chunk: Uint8Array): void {
    this.length += chunk.length;
    for (const { kind, id } of this.messages.push(chunk)) {
      if (kind === 'response' && id !== undefined) {
        this.#responses.push(id);
      }
    }
  }

  /** Notes which requests have their responses. A body that is not complete has none, as it cannot be parsed. */
  settle({ requests }: Exchange): void {
    if (this.messages.isComplete) {
      for (const id of this.#responses) {
        requests.settle(id);
      }
    }
  }
}

async function passWholeJson(exchange: Exchange, upstream: TransportResponse, body: JsonBody): Promise<void> {
  const { response, requests, title, call } = exchange;
  const headers = headersForCaller(upstream.headers);
  body.settle(exchange);
  const { isComplete, isBroken, isBatch } = body.messages;
  if (!isComplete) {
    if (requests.count === 0) {
      response.writeHead(202, { ...headers, ...emptyBody }).end();
    } else {
      const isBrokenOff = body.length > 0 && !isBroken;
      const brokenOff = new HttpFailure('unreachable', call.host);
      await respondWithProblem(exchange, isBrokenOff ? call.problemOf(brokenOff) : problemOf(upstream, call.host));
    }
    return;
  }
  const text = Buffer.concat(body.chunks);
  if (requests.count === 0) {
    const whole = title === undefined ? text : Buffer.from(withServerTitle(text.toString(), title));
    const type = mediaTypeOf(upstream) === 'application/json' ? {} : jsonBody;
    response.writeHead(200, { ...headers, ...type, 'content-length': whole.length }).end(whole);
    return;
  }
  // An error without id is about the whole body (JSON-RPC 2.0, section 5).
  const error = rpcErrorIn(text.toString()) ?? exchange.errorFor(problemOf(upstream, call.host));
  if (!isBatch) {
    await respondWithError(exchange, error);
    return;
  }
  response.writeHead(200, { ...headers, ...jsonBody });
  const responses = text.subarray(0, text.lastIndexOf(']'));
  await write(response, responses);
  let separator = responses.toString().trim() === '[' ? '' : ',';
  for (const id of requests.take()) {
    await write(response, Buffer.from(separator + errorResponse(id, error)));
    separator = ',';
  }
  response.end(']');
}

/**
 * Passes on a response that is too large to buffer, as the data of an event, so that errors can follow if it breaks
 * off. Every caller must accept event streams; one that does not gets the response as it is.
 */
async function passLargeJson(exchange: Exchange, upstream: TransportResponse, body: JsonBody): Promise<void> {
  const { response, acceptsEvents, requests, call } = exchange;
  const type = acceptsEvents ? { 'content-type': 'text/event-stream' } : jsonBody;
  response.writeHead(200, { ...headersForCaller(upstream.headers), ...type });
  const pass = (chunk: Uint8Array) => write(response, acceptsEvents ? withoutLineBreaks(chunk) : chunk);
  let failure: unknown = new HttpFailure('unreachable', call.host);
  if (acceptsEvents) {
    await write(response, Buffer.from('data: '));
  }
  try {
    for (const chunk of body.chunks.splice(0)) {
      await pass(chunk);
    }
    for (let chunk = await upstream.read(); chunk !== undefined; chunk = await upstream.read()) {
      call.noteSign();
      body.read(chunk);
      await pass(chunk);
    }
    body.settle(exchange);
  } catch (error) {
    failure = error;
  }
  if (!acceptsEvents && requests.count > 0) {
    throw failure;
  }
  if (acceptsEvents) {
    await write(response, Buffer.from(body.messages.isComplete ? '\n\n' : '\nevent: brokenOff\n\n'));
  }
  if (requests.count > 0) {
    await writeErrorEvents(exchange, exchange.errorFor(call.problemOf(failure)));
  }
  response.end();
}

/** Replaces line breaks, which are white space in JSON but end the data of an event. */
function withoutLineBreaks(chunk: Uint8Array): Uint8Array {
  return chunk.includes(0x0a) || chunk.includes(0x0d)
    ? chunk.map((byte) => (byte === 0x0a || byte === 0x0d ? 0x20 : byte))
    : chunk;
}
