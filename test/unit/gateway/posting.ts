import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { eventData } from '../../../src/mcp/eventStream.ts';
import type { FakeClock } from '../fakeClock.ts';
import { type GatewayUnderTest, openGateway } from './gatewayUnderTest.ts';
import { ScriptedServer } from './scriptedServer.ts';

/** A JSON-RPC message of the gateway or the server. */
export interface Message {
  id: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: { kind: string; reason?: string } };
}

export const events = { 'content-type': 'text/event-stream' };
export const json = { 'content-type': 'application/json' };

/** Responds with a text. */
export function ofText(headers: Record<string, string>, text: string) {
  return (response: ServerResponse): void => {
    response.writeHead(200, headers).end(text);
  };
}

/** Breaks the connection off after a text. */
export function breakOff(headers: Record<string, string>, text: string) {
  return (response: ServerResponse): void => {
    response.writeHead(200, headers).write(text, () => response.destroy());
  };
}

type Opened = GatewayUnderTest & {
  server: ScriptedServer;
  /** Posts a message and resolves to those in the response, whether it is JSON or events. */
  post(message: unknown, headers?: Record<string, string>): Promise<Message[]>;
};

/** Opens a gateway in front of a scripted server. */
export async function openPosting(t: TestContext, clock?: FakeClock): Promise<Opened> {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  const gateway = await openGateway(t, server.url, clock && { clock });
  return {
    server,
    ...gateway,
    post: async (message, headers = {}) => {
      const response = await gateway.send({ body: JSON.stringify(message), headers });
      assert.equal(response.status, 200);
      const text = await response.text();
      if (response.headers.get('content-type') === 'application/json') {
        return [JSON.parse(text)].flat();
      }
      const typed = text.split('\n\n').filter((event) => !/^event: (?!message)/m.test(event));
      return typed.flatMap((event) => eventData(event)).map((data) => JSON.parse(data));
    },
  };
}
