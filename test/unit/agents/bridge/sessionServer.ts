import type { ServerResponse } from 'node:http';
import { BridgeUnderTest, windowDirectory } from './bridgeUnderTest.ts';
import { beginEvents, type Respond, respondAsServer, sendJson, TestWindow } from './testWindow.ts';

/** An MCP server with sessions, which any window reaches. */
export class SessionServer {
  /** The sessions that the server knows. */
  readonly known = new Set<string>();
  begun = 0;
  /** The calls to tools that were carried out. */
  readonly calls: unknown[] = [];
  readonly streams: ServerResponse[] = [];
  lostStatus = 404;

  readonly respond: Respond = (response, request) => {
    const session = String(request.headers['mcp-session-id']);
    if (request.method === 'initialize') {
      this.begun += 1;
      const id = `session-${this.begun}`;
      this.known.add(id);
      response.setHeader('mcp-session-id', id);
      respondAsServer(response, request);
    } else if (!this.known.has(session)) {
      const error = { code: -32001, message: 'Session not found' };
      sendJson(response, this.lostStatus, { jsonrpc: '2.0', id: null, error });
    } else if (request.httpMethod === 'GET') {
      this.streams.push(response);
      beginEvents(response);
    } else {
      if (request.method === 'tools/call') {
        this.calls.push(request.id);
      }
      respondAsServer(response, request);
    }
  };
}

/** A bridge whose agent has begun a session through a window, and listens to the server’s own messages. */
export async function openSession(t: { after(cleanup: () => unknown): void }) {
  const directory = windowDirectory(t);
  const server = new SessionServer();
  const window = await TestWindow.start(t, directory, { respond: server.respond });
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  await window.arrived('GET');
  return { directory, server, window, agent };
}
