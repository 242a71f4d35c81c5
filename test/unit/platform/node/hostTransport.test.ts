import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createTransport } from '#platform/transport';
import { HttpFailure } from '../../../../src/http/errors.ts';
import { NetworkWatch } from '../../../../src/http/networkWatch.ts';
import { readText, type TransportResponse } from '../../../../src/http/transport.ts';
import { until } from '../../connections.ts';
import { FakeClock } from '../../fakeClock.ts';
import { Authority } from '../../http/authority.ts';
import { startProxy } from '../../http/connectProxy.ts';
import { startTlsServer } from '../../http/tlsServer.ts';
import { patchHost } from './fakeHost.ts';

const url = new URL('https://mcp.example.test/mcp');
const password = 'p:ss word';
const minuteMs = 60_000;

test('requests to another machine share one connection through the proxy, without the host’s fetch', async (t) => {
  const { call, counts } = await start(t);
  for (let count = 0; count < 5; count += 1) {
    assert.equal(await call(`call ${count}`), `call ${count}`);
  }
  assert.deepEqual(counts(), { tunnels: 1, handshakes: 1, fetched: 0 });
});

test('four calls at the same time open four connections, which later ones use', async (t) => {
  const { call, counts } = await start(t);
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 4 }, (_, index) => call(`call ${index}`)));
  }
  assert.deepEqual(counts(), { tunnels: 4, handshakes: 4, fetched: 0 });
});

test('a request whose connection the host does not open goes over its fetch, once and with its body', async (t) => {
  const { transport, call, counts, fetched } = await start(t, { isPatched: false });
  assert.equal(await call('write'), 'fetched');
  assert.deepEqual(fetched, ['write']);
  assert.deepEqual(counts(), { tunnels: 0, handshakes: 0, fetched: 1 });
  await transport.close();
});

test('requests go over the host’s fetch where the editor’s network settings do not apply to extensions', async (t) => {
  const { call, counts } = await start(t, { usesHostSockets: () => false });
  await call('write');
  assert.deepEqual(counts(), { tunnels: 0, handshakes: 0, fetched: 1 });
});

test('a refusal of the proxy is final: it is asked once, and the host’s fetch is not tried', async (t) => {
  const { send, counts } = await start(t, { sentPassword: 'guessed' });
  await assert.rejects(send('write'), isFailure('proxy'));
  assert.deepEqual(counts(), { tunnels: 1, handshakes: 0, fetched: 0 });
});

test('A26: an untrusted certificate is final: the server is asked once, and the host’s fetch is not tried', async (t) => {
  const { send, counts } = await start(t, { isTrusted: false });
  await assert.rejects(send('write'), isFailure('certificate'));
  assert.deepEqual(counts(), { tunnels: 1, handshakes: 0, fetched: 0 });
});

test('A26: requests over connections that the host opens are verified, and so sent, although the environment switches verification off', async (t) => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
  t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
  const trusted = await start(t);
  assert.equal(await trusted.call('sent'), 'sent');
  const untrusted = await start(t, { isTrusted: false });
  await assert.rejects(untrusted.send('secret'), isFailure('certificate'));
  assert.deepEqual(untrusted.received, []);
});

test('a reset closes idle connections, lets a request in progress go on and has later ones open new connections', async (t) => {
  const { transport, call, send, held, connections, counts } = await start(t);
  await Promise.all([call('one'), call('two')]);
  const [stream, response] = await Promise.all([send('hold'), held.promise]);
  transport.reset();
  await until(() => connections.open === 1);
  assert.equal(await call('three'), 'three');
  assert.equal(counts().handshakes, 3);
  response.end('held');
  assert.equal(await readText(stream, 100), ' held');
  // The connection that carried it belongs to the time before.
  await until(() => connections.open === 1);
});

for (const [change, begin] of Object.entries({
  'the computer slept': ({ clock }: Changing) => clock.jump(minuteMs),
  'its clock was set back': ({ clock }: Changing) => clock.jump(-minuteMs),
  'an address was lost': ({ addresses }: Changing) => addresses.delete('192.0.2.1'),
  'an address was added': ({ addresses }: Changing) => addresses.add('198.51.100.1'),
})) {
  test(`a request after ${change} uses a new connection, and the idle one is closed`, async (t) => {
    const { call, connections, counts, ...changing } = await start(t);
    await call('before');
    begin(changing);
    await call('after');
    assert.equal(counts().handshakes, 2);
    await until(() => connections.open === 1);
  });
}

test('a write after the server closed the idle connection goes over a new one', async (t) => {
  const { call, connections, closeConnections, counts } = await start(t);
  await call('before');
  closeConnections();
  await until(() => connections.open === 0);
  assert.equal(await call('write'), 'write');
  assert.deepEqual(counts(), { tunnels: 2, handshakes: 2, fetched: 0 });
});

test('after a connection was lost under a request, the next one does not use those that were idle beside it', async (t) => {
  const { call, send, counts } = await start(t);
  await Promise.all([call('one'), call('two'), call('three')]);
  await assert.rejects(send('break'), isFailure('unreachable'));
  assert.equal(await call('four'), 'four');
  assert.equal(counts().handshakes, 4);
});

test('closing the transport ends requests that went on after a reset', async (t) => {
  const { transport, send, held } = await start(t);
  const [stream] = await Promise.all([send('hold'), held.promise]);
  await stream.read();
  transport.reset();
  const reading = assert.rejects(stream.read(), isFailure('cancelled'));
  await transport.close();
  await reading;
});

interface Changing {
  clock: FakeClock;
  addresses: Set<string>;
}

interface StartOptions {
  isPatched?: boolean;
  isTrusted?: boolean;
  sentPassword?: string;
  usesHostSockets?: () => boolean;
}

/** A server behind a proxy with a password, and the transport of an extension in a host that uses the proxy. */
async function start(t: TestContext, options: StartOptions = {}) {
  const { isPatched = true, isTrusted = true, sentPassword = password, usesHostSockets = () => true } = options;
  const authority = await Authority.create(t);
  const held = Promise.withResolvers<ServerResponse>();
  const server = await startTlsServer(t, await authority.issue('DNS:mcp.example.test'), async (request, response) => {
    const body = await text(request);
    sockets.add(request.socket);
    if (body === 'break') {
      request.socket.destroy();
    } else if (body === 'hold') {
      response.writeHead(200).write(' ', () => held.resolve(response));
    } else {
      response.end(body);
    }
  });
  const sockets = new Set<IncomingMessage['socket']>();
  const proxy = await startProxy(t, { password, port: server.port });
  const proxyUrl = new URL(proxy.url);
  Object.assign(proxyUrl, { username: 'someone', password: sentPassword });
  if (isPatched) {
    patchHost(t, { proxy: proxyUrl, ca: isTrusted ? authority.cert : undefined });
  }
  const clock = new FakeClock();
  const addresses = new Set(['192.0.2.1']);
  const fetched: string[] = [];
  const transport = createTransport({
    usesHostSockets,
    network: new NetworkWatch({ clock, addresses: () => new Set(addresses) }),
    hostFetch: async (_url, init) => {
      fetched.push(Buffer.from(init?.body as Uint8Array).toString());
      return new Response('fetched');
    },
  });
  t.after(() => transport.close());
  const send = (body: string): Promise<TransportResponse> => {
    const { signal } = new AbortController();
    return transport.send({ method: 'POST', url, headers: {}, body: Buffer.from(body), signal });
  };
  return {
    ...{ transport, clock, addresses, send, held, fetched },
    received: server.received,
    connections: server.connections,
    call: async (body: string) => {
      const result = await readText(await send(body), 1000);
      // undici frees a connection one turn after the response; a caller in another process is never that quick.
      await turn();
      return result;
    },
    counts: () => ({
      tunnels: proxy.tunnels.length,
      handshakes: server.connections.handshakes,
      fetched: fetched.length,
    }),
    closeConnections: (): void => {
      for (const socket of sockets) {
        socket.end();
      }
    },
  };
}

function isFailure(kind: HttpFailure['kind']) {
  return (error: unknown): boolean => error instanceof HttpFailure && error.kind === kind;
}
