import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Credentials, Scope } from '../../unit/http/authority.ts';

/**
 * An MCP server over TLS whose tool `do` takes as long as the last part of the path says, in milliseconds. The part
 * before is the server's name, from which the editor makes the name of its tool. It sends no `Keep-Alive`, and keeps
 * connections open.
 */
export async function startFarServer(scope: Scope, credentials: Credentials): Promise<number> {
  const server = createServer(credentials, async (request, response) => {
    const body = await text(request);
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const [, name = '', , serverMs = '0'] = /^\/(\w+)(\/(\d+))?$/.exec(request.url ?? '') ?? [];
    const { id, method, params } = JSON.parse(body) as { id?: unknown; method: string; params?: Params };
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const result = resultOf(method, name, params);
    if (method === 'tools/call') {
      await new Promise((resolve) => setTimeout(resolve, Number(serverMs)));
    }
    const message = result === undefined ? { error: { code: -32601, message: 'unknown' } } : { result };
    const payload = JSON.stringify({ jsonrpc: '2.0', id, ...message });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) });
    response.end(payload);
  });
  server.keepAliveTimeout = 0;
  await once(server.listen(0, '127.0.0.1'), 'listening');
  scope.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

interface Params {
  protocolVersion?: string;
}

function resultOf(method: string, name: string, params: Params = {}): object | undefined {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name, version: '1' },
      };
    case 'tools/list': {
      // Without this hint the editor would ask before each call.
      const annotations = { readOnlyHint: true, openWorldHint: false };
      return { tools: [{ name: 'do', description: 'Does it.', inputSchema: { type: 'object' }, annotations }] };
    }
    case 'tools/call':
      return { content: [{ type: 'text', text: 'done' }] };
    case 'ping':
      return {};
    default:
      return undefined;
  }
}
