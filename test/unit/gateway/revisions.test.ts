import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { withBearer } from '../../../src/http/bearer.ts';
import { mcpRequest } from '../../../src/notion/mcpClient.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import { openGateway } from './gatewayUnderTest.ts';
import { respondWithJson, respondWithResult, type Script, ScriptedServer } from './scriptedServer.ts';

const modern = '2026-07-28';

/** Servers, by how they respond to a request of revision 2026-07-28. */
const servers: Record<string, { script: Script; result: string; requests: string[] }> = {
  'a server of that revision, which compares the headers with the body': {
    script: (response, request) => {
      const { id, method, params } = JSON.parse(request.body);
      const encodedName = `=?base64?${Buffer.from(params.name).toString('base64')}?=`;
      const { 'mcp-protocol-version': version, 'mcp-method': mirrored, 'mcp-name': name } = request.headers;
      if (version === modern && mirrored === method && name === encodedName) {
        respondWithResult(response, request);
      } else {
        respondWithJson(response, 400, { jsonrpc: '2.0', id, error: { code: -32020, message: 'header mismatch' } });
      }
    },
    result: 'tools/call',
    requests: ['tools/call'],
  },
  'a server of that revision that rejects the request': {
    script: (response, { body }) => {
      const error = { code: -32020, message: 'header mismatch' };
      respondWithJson(response, 400, { jsonrpc: '2.0', id: JSON.parse(body).id, error });
    },
    result: 'serverRejected rpc_error',
    requests: ['tools/call'],
  },
  'a server of that revision without the method': {
    script: (response, { body }) => {
      const error = { code: -32601, message: 'no such method' };
      respondWithJson(response, 404, { jsonrpc: '2.0', id: JSON.parse(body).id, error });
    },
    result: 'serverRejected rpc_error',
    requests: ['tools/call'],
  },
  'an older server that responds with 400': {
    script: olderServer((response) => response.writeHead(400).end()),
    result: 'tools/call',
    requests: ['tools/call', 'tools/call'],
  },
  'an older server that responds with 400 and a JSON-RPC error': {
    script: olderServer((response) => {
      const error = { code: -32000, message: 'Bad Request: Unsupported protocol version' };
      respondWithJson(response, 400, { jsonrpc: '2.0', id: null, error });
    }),
    result: 'tools/call',
    requests: ['tools/call', 'tools/call'],
  },
  'an older server that responds with 404': {
    script: olderServer((response) => response.writeHead(404).end()),
    result: 'tools/call',
    requests: ['tools/call', 'tools/call'],
  },
};

for (const [name, { script, result, requests }] of Object.entries(servers)) {
  test(`a client of revision ${modern} gets the same through the gateway as directly from ${name}`, async (t) => {
    const server = await startServer(t, script);
    const { gateway } = await openGateway(t, server.url);
    const ways = [
      [server.url, 'token'],
      [gateway.urlFor('ada'), gateway.secretFor('ada').reveal()],
    ] as const;
    for (const [url, token] of ways) {
      server.received.length = 0;
      const http = withBearer(fetchHttp, new Secret(token));
      const call = mcpRequest(http, new URL(url), 'tools/call', { name: 'søk', arguments: {} });
      assert.equal(await call.then(({ method }) => method, describeFailure), result);
      assert.deepEqual(
        server.received.map(({ body }) => JSON.parse(body).method),
        requests,
      );
    }
  });
}

async function startServer(t: TestContext, script: Script): Promise<ScriptedServer> {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  server.script = script;
  return server;
}

/** A server that rejects requests of revision 2026-07-28 in this way. */
function olderServer(reject: Script): Script {
  return (response, request, number) => {
    const script = request.headers['mcp-protocol-version'] === modern ? reject : respondWithResult;
    script(response, request, number);
  };
}

function describeFailure(error: unknown): string {
  assert.ok(error instanceof Failure);
  return `${error.kind} ${error.details.code}`;
}
