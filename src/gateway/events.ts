import { discardBody, pause } from '../calls/accountCall.ts';
import type { Problem } from '../calls/problem.ts';
import { HttpFailure } from '../http/errors.ts';
import { headerOf, type TransportResponse } from '../http/transport.ts';
import { EventStreamReader, eventData } from '../mcp/eventStream.ts';
import { errorResponse, type RpcError } from '../mcp/jsonRpc.ts';
import { withServerTitle } from '../mcp/serverTitle.ts';
import { type Exchange, write } from './exchange.ts';

/** A stream may go on for this long after its last response: servers close it then, and nothing else belongs to it. */
const afterResponseMs = 1_000;

/** How often in a row a stream is opened again in vain, and the pauses if the server names none: as the MCP SDK does. */
const maxResumeFailures = 2;
const resumePauseMs = 1_000;
const maxResumePauseMs = 30_000;

/** An event with the server's name is short. A longer stream is passed on as it is. */
const maxHeldBytes = 1024 * 1024;

const eventEnd = Buffer.from('\n\n');

/**
 * Passes on the events of the response to a POST, until each request in it has its response. If the stream ends or
 * breaks off before, it is resumed where the server allows that, which the editor's client does not do; requests that
 * then have no response get an error as a last event.
 */
export async function passEvents(exchange: Exchange, first: TransportResponse): Promise<void> {
  const { response, requests, call, errorFor } = exchange;
  const events = new Events(exchange);
  let problem = await events.pass(first);
  for (let failures = 0; requests.count > 0 && failures < maxResumeFailures; ) {
    const next = await events.resume();
    if (next === 'impossible') {
      break;
    }
    failures = next === undefined ? failures + 1 : 0;
    problem = next === undefined ? problem : await events.pass(next);
  }
  if (problem !== undefined && requests.count > 0) {
    // A call may also end between two streams.
    const isEnded = call.signal.aborted;
    const last = isEnded ? call.problemOf(new HttpFailure('cancelled', call.host)) : problem;
    await events.breakOff();
    await writeErrorEvents(exchange, errorFor(last));
  }
  response.end();
}

/** Writes an error as an event for each request that has no response. */
export async function writeErrorEvents({ requests, response }: Exchange, error: RpcError): Promise<void> {
  for (const id of requests.take()) {
    await write(response, Buffer.from(`data: ${errorResponse(id, error)}\n\n`));
  }
}

/** Whether a response is an event stream. */
export function isEventStream(upstream: TransportResponse): boolean {
  return upstream.status < 300 && mediaTypeOf(upstream) === 'text/event-stream';
}

/** The media type of a response without its parameters, in lower case; empty if there is none. */
export function mediaTypeOf(upstream: TransportResponse): string {
  const [type = ''] = (headerOf(upstream, 'content-type') ?? '').split(';');
  return type.trim().toLowerCase();
}

/** The events that a caller gets, which may come from several streams, one after another. */
class Events {
  readonly #exchange: Exchange;
  readonly #reader = new EventStreamReader();
  /** What is not passed on before the event with the server's name is complete; undefined if nothing is held back. */
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  /** Whether the caller has got a line without its end. */
  #isInLine = false;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#held = exchange.title === undefined ? undefined : [];
  }

  /** Passes a stream on to its end. @returns why requests have no response */
  async pass(upstream: TransportResponse): Promise<Problem | undefined> {
    const { call, clock, requests } = this.#exchange;
    let stopTimer: (() => void) | undefined;
    try {
      for (let chunk = await upstream.read(); chunk !== undefined; chunk = await upstream.read()) {
        call.noteSign();
        this.#read(chunk);
        this.#isInLine = this.#reader.isInLine;
        await this.#write(chunk);
        if (requests.count === 0) {
          stopTimer ??= clock.after(afterResponseMs, () => upstream.cancel());
        }
      }
      await this.#completeEvent();
      // An error is slow to create, and most streams end with nothing missing.
      return requests.count === 0 ? undefined : call.problemOf(new HttpFailure('unreachable', call.host));
    } catch (error) {
      return call.problemOf(error);
    } finally {
      stopTimer?.();
      await this.#release();
    }
  }

  /**
   * Opens the stream again after the last complete event.
   * @returns undefined if that failed and may succeed later
   */
  async resume(): Promise<TransportResponse | 'impossible' | undefined> {
    const { call, clock, resume } = this.#exchange;
    const { lastEventId, retryMs = resumePauseMs } = this.#reader;
    if (lastEventId === undefined || call.signal.aborted) {
      return 'impossible';
    }
    await this.breakOff();
    const isEnded = await pause(clock, Math.min(retryMs, maxResumePauseMs), call.signal).catch(() => 'ended');
    if (isEnded) {
      return 'impossible';
    }
    const outcome = await resume(lastEventId);
    if ('problem' in outcome) {
      return undefined;
    }
    if (isEventStream(outcome.response)) {
      return outcome.response;
    }
    discardBody(outcome.response, clock);
    return outcome.response.status < 500 ? 'impossible' : undefined;
  }

  /** Ends an incomplete event. It must not be taken for a message, so it gets a type that clients ignore. */
  async breakOff(): Promise<void> {
    const lineEnd = this.#isInLine ? '\n' : '';
    this.#isInLine = false;
    this.#reader.dropEvent();
    await write(this.#exchange.response, Buffer.from(`${lineEnd}event: brokenOff\n\n`));
  }

  /** Ends the last event of a stream with the empty line that it may lack, if a request gets its response with it. */
  async #completeEvent(): Promise<void> {
    if (this.#read(eventEnd)) {
      await this.#write(eventEnd);
      this.#isInLine = false;
    }
  }

  /** @returns whether a request got its response */
  #read(chunk: Uint8Array): boolean {
    const { requests } = this.#exchange;
    const before = requests.count;
    for (const { kind, id } of this.#reader.push(chunk)) {
      if (kind === 'response' && id !== undefined) {
        requests.settle(id);
      }
    }
    return requests.count < before;
  }

  async #write(chunk: Uint8Array): Promise<void> {
    const { requests, response } = this.#exchange;
    if (this.#held === undefined) {
      await write(response, chunk);
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (requests.count === 0 || this.#heldBytes > maxHeldBytes) {
      await this.#release();
    }
  }

  async #release(): Promise<void> {
    const { response, title = '' } = this.#exchange;
    const held = this.#held ?? [];
    this.#held = undefined;
    if (held.length > 0) {
      await write(response, Buffer.from(titledEvents(Buffer.concat(held).toString(), title)));
    }
  }
}

/** Gives the server another title in the data of events. */
function titledEvents(text: string, title: string): string {
  return text
    .split(/(\r\n\r\n|\n\n|\r\r)/)
    .map((event) => {
      const [data = ''] = eventData(event);
      const titled = withServerTitle(data, title);
      if (titled === data) {
        return event;
      }
      const others = event.split(/\r\n|\n|\r/).filter((line) => !line.startsWith('data'));
      return [...others, ...titled.split('\n').map((line) => `data: ${line}`)].join('\n');
    })
    .join('');
}
