import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { HttpFailure } from '../../../src/http/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../../src/http/transport.ts';
import { until } from '../connections.ts';
import { FakeClock } from '../fakeClock.ts';
import { type GatewayUnderTest, openGateway } from './gatewayUnderTest.ts';

/** A gateway in front of a server whose responses a test holds. */
export interface HeldCalls extends GatewayUnderTest {
  server: HeldServer;
  clock: WatchedClock;
  addresses: Set<string>;
  /** Posts a body as it is. Resolves to the text of the response. */
  post(body: string, headers?: Record<string, string>, grantId?: string): Promise<string>;
}

/** Opens a gateway whose one account, `ada`, is by default at an MCP server on another machine. */
export async function openHeld(t: TestContext, serverUrl = 'https://mcp.example.test/mcp'): Promise<HeldCalls> {
  const server = new HeldServer();
  const clock = new WatchedClock();
  const addresses = new Set(['192.0.2.1', '2001:db8::1']);
  const options = { clock, transport: server, addresses: () => new Set(addresses) };
  const opened = await openGateway(t, serverUrl, options);
  const post: HeldCalls['post'] = async (body, headers = {}, grantId = 'ada') => {
    const response = await opened.send({ body, headers, grantId });
    assert.equal(response.status, 200);
    return response.text();
  };
  return { ...opened, server, clock, addresses, post };
}

/** Returns a JSON-RPC request of id 1. */
export function rpcText(method: string): string {
  return JSON.stringify({ jsonrpc: '2.0', id: 1, method });
}

/** A call of a tool, and an event with its result. */
export const tool = rpcText('tools/call');
export const result = 'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n';

/** The last event of a stream. */
export function lastEvent(text: string): string {
  return text.split('\n\n').at(-2) ?? '';
}

/** The error of a JSON-RPC response, which may be the data of an event. */
export function errorIn(text: string): { data: { kind: string } } | undefined {
  const message: unknown = JSON.parse(text.replace(/^data: /, ''));
  return (message as { error?: { data: { kind: string } } }).error;
}

/** The kind of that error. */
export function kindIn(text: string): string | undefined {
  return errorIn(text)?.data.kind;
}

/** A clock that tells whether a timer of a certain delay is pending. */
class WatchedClock extends FakeClock {
  readonly #delays: number[] = [];

  override after(delayMs: number, action: () => void): () => void {
    this.#delays.push(delayMs);
    const settle = (): void => {
      this.#delays.splice(this.#delays.indexOf(delayMs), 1);
    };
    const cancel = super.after(delayMs, () => {
      settle();
      action();
    });
    return () => {
      settle();
      cancel();
    };
  }

  isWaiting(delayMs: number): boolean {
    return this.#delays.includes(delayMs);
  }
}

/** A response whose body a test writes. */
interface HeldResponse {
  request: TransportRequest;
  /** Resolves once the chunk was read. Rejects if the request has ended. */
  write(text: string): Promise<void>;
  end(): void;
}

/** An MCP server on another machine, whose responses a test begins and writes. */
class HeldServer implements Transport {
  readonly requests: TransportRequest[] = [];
  readonly #waiting: ((text: string | false, status: number, headers: Record<string, string>) => HeldResponse)[] = [];

  send(request: TransportRequest): Promise<TransportResponse> {
    this.requests.push(request);
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new HttpFailure('cancelled', request.url.host));
      request.signal.addEventListener('abort', fail);
      if (request.signal.aborted) {
        fail();
      }
      this.#waiting.push((type, status, headers) => {
        const { readable, writable } = new TransformStream<Uint8Array>();
        const [reader, writer] = [readable.getReader(), writable.getWriter()];
        const stop = (): void => {
          const cancelled = new HttpFailure('cancelled', request.url.host);
          writer.abort(cancelled).catch(() => undefined);
        };
        writer.closed.catch(() => undefined);
        request.signal.addEventListener('abort', stop);
        if (type !== false) {
          resolve({
            status,
            headers: { ...headers, 'content-type': type },
            read: async () => (await reader.read()).value,
            cancel: stop,
          });
        }
        return {
          request,
          write: (text) => writer.write(Buffer.from(text)),
          end: () => void writer.close().catch(() => undefined),
        };
      });
    });
  }

  /** Waits for the next request and begins its response, by default an event stream; `false` leaves it without. */
  async next(
    type: string | false = 'text/event-stream',
    status = 200,
    headers: Record<string, string> = {},
  ): Promise<HeldResponse> {
    await until(() => this.#waiting.length > 0);
    const begin = this.#waiting.shift() ?? assert.fail();
    return begin(type, status, headers);
  }

  async close(): Promise<void> {}
}
