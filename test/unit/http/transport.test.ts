import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createPoolTransport } from '#platform/pools';
import { createTransport } from '#platform/transport';
import { HttpFailure } from '../../../src/http/errors.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import { headerOf, readText, type Transport, type TransportResponse } from '../../../src/http/transport.ts';
import { createTransport as createBrowserTransport } from '../../../src/platform/browser/transport.ts';
import { pour, respondWithJson, ScriptedServer, still } from '../gateway/scriptedServer.ts';

const transports: Record<string, () => Transport> = {
  'our own connections': createPoolTransport,
  'extension host fetch': createFetchTransport,
};

const never = new AbortController().signal;

for (const [name, create] of Object.entries(transports)) {
  test(`${name}: a request and its response pass through the transport unaltered`, async (t) => {
    const { server, send } = await open(t, create);
    server.script = (response) => {
      response.setHeader('mcp-session-id', 's');
      respondWithJson(response, 418, { a: 'ü' });
    };
    const response = await send({
      body: '{"b":"ö"}',
      headers: { 'mcp-method': 'x', 'content-type': 'application/json' },
    });
    assert.equal(response.status, 418);
    assert.equal(headerOf(response, 'mcp-session-id'), 's');
    assert.equal(await readText(response, 1000), '{"a":"ü"}');
    const [{ method, url, headers, body } = assert.fail()] = server.received;
    assert.deepEqual([method, url, headers['mcp-method'], body], ['POST', '/mcp', 'x', '{"b":"ö"}']);
  });

  test(`${name}: chunks of a response arrive as they are sent`, async (t) => {
    const { server, send } = await open(t, create);
    const responding = server.nextResponse((response) => response.writeHead(200).write('one'));
    const response = await send();
    assert.equal(textOf(await response.read()), 'one');
    const serverResponse = await responding;
    serverResponse.write('two');
    assert.equal(textOf(await response.read()), 'two');
    serverResponse.end();
    assert.equal(await response.read(), undefined);
  });

  test(`${name}: a redirect is returned by the transport and not followed`, async (t) => {
    const { server, send } = await open(t, create);
    server.script = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
    const response = await send();
    assert.equal(response.status, 307);
    assert.equal(server.received.length, 1);
  });

  test(`${name}: a server cannot write far ahead of a slow reader`, async (t) => {
    const { server, send } = await open(t, create);
    const total = 1_000 * 65_536;
    let sent = (): number => 0;
    server.script = (response) => {
      sent = pour(response, total);
    };
    const response = await send();
    const ahead = await still(sent);
    assert.ok(ahead < total / 2, `${ahead} of ${total} bytes`);
    let read = 0;
    for (let chunk = await response.read(); chunk !== undefined; chunk = await response.read()) {
      read += chunk.length;
    }
    assert.equal(read, total);
  });

  test(`${name}: an aborted request is closed at the server, before and after the response headers`, async (t) => {
    const { server, send } = await open(t, create);
    for (const early of [true, false]) {
      const caller = new AbortController();
      const responding = server.nextResponse((response) => {
        if (!early) {
          response.writeHead(200).write('one');
        }
      });
      const sending = send({ signal: caller.signal });
      const closed = once(await responding, 'close');
      if (early) {
        caller.abort();
        await assert.rejects(sending, isFailure('cancelled'));
      } else {
        const response = await sending;
        await response.read();
        const reading = response.read();
        caller.abort();
        await assert.rejects(reading, isFailure('cancelled'));
      }
      await closed;
    }
  });

  test(`${name}: a reader that reaches its limit closes the response`, async (t) => {
    const { server, send } = await open(t, create);
    const responding = server.nextResponse((response) => response.writeHead(200).write('x'.repeat(100)));
    const response = await send();
    const closed = once(await responding, 'close');
    assert.equal(await readText(response, 10), 'x'.repeat(10));
    await closed;
  });

  test(`${name}: connections are reused`, async (t) => {
    const { server, send } = await open(t, create);
    for (let count = 0; count < 20; count += 1) {
      assert.equal(await readText(await send({ body: '{"id":1}' }), 1000), '{"jsonrpc":"2.0","id":1,"result":{}}');
    }
    assert.ok(server.connections < 3, `${server.connections} connections`);
  });

  test(`${name}: closing a transport cancels requests in progress, and later requests work`, async (t) => {
    const { server, send, transport } = await open(t, create);
    server.script = (serverResponse) => serverResponse.writeHead(200).write('one');
    const response = await send();
    await response.read();
    const reading = assert.rejects(response.read(), isFailure('cancelled'));
    const responding = server.nextResponse(() => undefined);
    const sending = assert.rejects(send(), isFailure('cancelled'));
    await responding;
    await transport.close();
    await Promise.all([reading, sending]);
    server.script = (serverResponse) => serverResponse.end('again');
    assert.equal(await readText(await send(), 1000), 'again');
  });
}

test('a response decoded by the host’s fetch has no Content-Encoding header', async (t) => {
  const { server, send } = await open(t, createFetchTransport);
  const { gzipSync } = await import('node:zlib');
  server.script = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('text'));
  const response = await send();
  assert.equal(headerOf(response, 'content-encoding'), undefined);
  assert.equal(await readText(response, 100), 'text');
});

for (const [platform, createOnPlatform] of Object.entries({ desktop: createTransport, web: createBrowserTransport })) {
  test(`requests over the host’s fetch carry no cookies or referrer and bypass every cache: ${platform}`, async () => {
    const inits: (RequestInit | undefined)[] = [];
    const transport = createOnPlatform({
      hostFetch: async (_input, init) => {
        inits.push(init);
        return new Response('here');
      },
    });
    await transport.send({ method: 'GET', url: new URL('https://mcp.example.test/'), headers: {}, signal: never });
    const [{ signal: _signal, ...init } = assert.fail()] = inits;
    assert.deepEqual(init, {
      method: 'GET',
      headers: {},
      ...{ redirect: 'manual', credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer' },
    });
  });
}

test('the source calls fetch in one place', () => {
  const root = fileURLToPath(new URL('../../../src/', import.meta.url));
  const callers = readdirSync(root, { encoding: 'utf8', recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .filter((name) =>
      /(?<![\w'-])fetch\(|XMLHttpRequest|WebSocket|EventSource/.test(readFileSync(join(root, name), 'utf8')),
    );
  assert.deepEqual(callers, [join('http', 'fetchTransport.ts')]);
});

async function open(t: TestContext, create: () => Transport) {
  const server = await ScriptedServer.start();
  server.script = (response) => respondWithJson(response, 200, { jsonrpc: '2.0', id: 1, result: {} });
  const transport = create();
  t.after(async () => {
    await transport.close();
    await server.stop().catch(() => undefined);
  });
  const { url } = server;
  const send = ({ body = '', headers = {}, signal = never } = {}): Promise<TransportResponse> =>
    transport.send({ method: 'POST', url: new URL(url), headers, signal, body: Buffer.from(body) });
  return { server, transport, send };
}

function isFailure(kind: HttpFailure['kind']) {
  return (error: unknown): boolean => error instanceof HttpFailure && error.kind === kind;
}

function textOf(chunk: Uint8Array | undefined): string {
  return Buffer.from(chunk ?? []).toString();
}
