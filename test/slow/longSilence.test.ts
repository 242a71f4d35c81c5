import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { startTestbed } from '../e2e/testbed.ts';
import { Authority, type Scope } from '../unit/http/authority.ts';
import { startProxy } from '../unit/http/connectProxy.ts';
import { startTlsServer } from '../unit/http/tlsServer.ts';

/** The host's `fetch` gives up after 300 s. */
const longCallMs = 330_000;
const silenceMs = 610_000;
const password = 'open sesame';

test('a tool call of 330 s, an event stream that is silent for as long and one for ten minutes come through the gateway and a proxy, over connections that are closed after half a minute without use', {
  timeout: 800_000,
}, async (t) => {
  const { gateway, connections } = await start(t, (incoming, response) => {
    const isEvents = incoming.method === 'GET' || incoming.headers['mcp-method'] === 'events';
    const message = '{"jsonrpc":"2.0","id":1,"result":{"content":[]}}';
    if (isEvents) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    }
    if (!isEvents) {
      response.setHeader('content-type', 'application/json');
    }
    const respond = (): void => {
      response.end(isEvents ? `data: ${message}\n\n` : message);
    };
    setTimeout(respond, incoming.method === 'GET' ? silenceMs : longCallMs);
  });
  const call = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'do' } });
  const responses = await Promise.all([
    send(gateway, 'POST', {}, call),
    send(gateway, 'POST', { 'mcp-method': 'events' }, call),
    send(gateway, 'GET', {}),
  ]);
  for (const [status, body] of responses) {
    assert.equal(status, 200);
    assert.match(body, /"result":\{"content":\[\]\}/);
  }
  const startMs = performance.now();
  while (connections.open > 0) {
    await once(connections.events, 'closed');
  }
  const idleMs = performance.now() - startMs;
  assert.ok(idleMs > 25_000 && idleMs < 40_000, `${idleMs} ms`);
});

/** A gateway in a real extension host, before a server that responds with `respond`, behind a proxy. */
async function start(t: TestContext, respond: (incoming: IncomingMessage, response: ServerResponse) => void) {
  const cleanups = new AsyncDisposableStack();
  t.after(() => cleanups.disposeAsync());
  const scope: Scope = { after: (end) => cleanups.defer(async () => void (await end())) };
  const authority = await Authority.create(scope);
  const server = await startTlsServer(scope, await authority.issue('DNS:far.test'), respond);
  const { url } = await startProxy(scope, { password, port: server.port });
  const proxy = Object.assign(new URL(url), { username: 'someone', password });
  const testbed = await startTestbed({
    settings: { 'http.systemCertificatesNode': true, 'http.proxy': proxy.href },
    environment: { SSL_CERT_FILE: authority.certFile },
  });
  scope.after(() => testbed.stop());
  return { gateway: await testbed.consumer.openGateway('https://far.test/mcp'), connections: server.connections };
}

/** Sends a request without a time limit. */
async function send(
  { url, authorization }: { url: string; authorization: string },
  method: string,
  headers: Record<string, string>,
  body?: string,
): Promise<[status: number | undefined, body: string]> {
  const accept = 'application/json, text/event-stream';
  const sent = request(url, {
    method,
    headers: { authorization, accept, 'content-type': 'application/json', ...headers },
  });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return [response.statusCode, await text(response)];
}
