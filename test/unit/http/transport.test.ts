import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { createDirectUpstream } from '#platform/pools';
import { HttpFailure } from '../../../src/http/errors.ts';
import { createFetchUpstream } from '../../../src/http/fetchTransport.ts';
import {
  chooseUpstream,
  headerOf,
  readText,
  type Upstream,
  type UpstreamResponse,
} from '../../../src/http/transport.ts';
import { createDirectUpstream as createNoUpstream } from '../../../src/platform/browser/pools.ts';
import { answerJson, pour, ScriptedServer, still } from '../gateway/scriptedServer.ts';

const ways: Record<string, () => Upstream> = {
  'our own connections': () => createDirectUpstream() ?? assert.fail(),
  'the host’s fetch': () => createFetchUpstream(fetch),
};

const never = new AbortController().signal;

for (const [way, create] of Object.entries(ways)) {
  test(`${way}: request and answer pass unaltered`, async (t) => {
    const { server, send } = await open(t, create);
    server.script = (response) => {
      response.setHeader('mcp-session-id', 's');
      answerJson(response, 418, { a: 'ü' });
    };
    const answer = await send({
      body: '{"b":"ö"}',
      headers: { 'mcp-method': 'x', 'content-type': 'application/json' },
    });
    assert.equal(answer.status, 418);
    assert.equal(headerOf(answer, 'mcp-session-id'), 's');
    assert.equal(await readText(answer, 1000), '{"a":"ü"}');
    const [{ method, url, headers, body } = assert.fail()] = server.received;
    assert.deepEqual([method, url, headers['mcp-method'], body], ['POST', '/mcp', 'x', '{"b":"ö"}']);
  });

  test(`${way}: pieces arrive as they are sent`, async (t) => {
    const { server, send } = await open(t, create);
    const responding = server.answered((response) => response.writeHead(200).write('one'));
    const answer = await send();
    assert.equal(textOf(await answer.read()), 'one');
    const response = await responding;
    response.write('two');
    assert.equal(textOf(await answer.read()), 'two');
    response.end();
    assert.equal(await answer.read(), undefined);
  });

  test(`${way}: a redirect is handed back and not followed`, async (t) => {
    const { server, send } = await open(t, create);
    server.script = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
    const answer = await send();
    assert.equal(answer.status, 307);
    assert.equal(server.received.length, 1);
  });

  test(`${way}: a server does not write far ahead of a slow reader`, async (t) => {
    const { server, send } = await open(t, create);
    const total = 1_000 * 65_536;
    let sent = (): number => 0;
    server.script = (response) => {
      sent = pour(response, total);
    };
    const answer = await send();
    const ahead = await still(sent);
    assert.ok(ahead < total / 2, `${ahead} of ${total} bytes`);
    let read = 0;
    for (let chunk = await answer.read(); chunk !== undefined; chunk = await answer.read()) {
      read += chunk.length;
    }
    assert.equal(read, total);
  });

  test(`${way}: a caller who leaves ends the request at the server, before the head and after it`, async (t) => {
    const { server, send } = await open(t, create);
    for (const early of [true, false]) {
      const caller = new AbortController();
      const responding = server.answered((response) => {
        if (!early) {
          response.writeHead(200).write('one');
        }
      });
      const sending = send({ signal: caller.signal });
      const response = await responding;
      const closed = once(response, 'close');
      if (early) {
        caller.abort();
        await assert.rejects(sending, isFailure('cancelled'));
      } else {
        const answer = await sending;
        await answer.read();
        const reading = answer.read();
        caller.abort();
        await assert.rejects(reading, isFailure('cancelled'));
      }
      await closed;
    }
  });

  test(`${way}: a reader who has seen enough ends the answer`, async (t) => {
    const { server, send } = await open(t, create);
    const responding = server.answered((response) => response.writeHead(200).write('x'.repeat(100)));
    const answer = await send();
    const closed = once(await responding, 'close');
    assert.equal(await readText(answer, 10), 'x'.repeat(10));
    await closed;
  });

  test(`${way}: an answer that breaks off rejects the next read`, async (t) => {
    const { server, send } = await open(t, create);
    server.script = (response) => {
      response.writeHead(200, { 'content-length': 100 }).write('one');
      setImmediate(() => response.destroy());
    };
    const answer = await send();
    await answer.read();
    await assert.rejects(answer.read(), isFailure('unreachable'));
  });

  test(`${way}: a server that is not there is a failure that names its host only`, async (t) => {
    const { server, send } = await open(t, create);
    await server.stop();
    await assert.rejects(send(), (error) => {
      assert.ok(isFailure('unreachable')(error));
      assert.match(String((error as Error).message), /^unreachable: 127\.0\.0\.1:\d+$/);
      return true;
    });
  });

  test(`${way}: connections are used again`, async (t) => {
    const { server, send } = await open(t, create);
    for (let count = 0; count < 20; count += 1) {
      assert.equal(await readText(await send({ body: '{"id":1}' }), 1000), '{"jsonrpc":"2.0","id":1,"result":{}}');
    }
    assert.ok(server.connections < 3, `${server.connections} connections`);
  });

  test(`${way}: closing ends what is under way, and what comes later works`, async (t) => {
    const { server, send, upstream } = await open(t, create);
    const responding = server.answered(() => undefined);
    const sending = assert.rejects(send(), HttpFailure);
    await responding;
    await upstream.close();
    await sending;
    server.script = (response) => response.end('again');
    assert.equal(await readText(await send(), 1000), 'again');
  });
}

test('a web worker has no connections of its own', () => {
  assert.equal(createNoUpstream(), undefined);
});

test('the host’s fetch: what it has decoded no longer says that it is encoded', async (t) => {
  const { server, send } = await open(t, () => createFetchUpstream(fetch));
  const { gzipSync } = await import('node:zlib');
  server.script = (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('text'));
  const answer = await send();
  assert.equal(headerOf(answer, 'content-encoding'), undefined);
  assert.equal(await readText(answer, 100), 'text');
});

test('each request takes the way that its address asks for, and closing closes both', async () => {
  const log: string[] = [];
  const way = (name: string): Upstream => ({
    send: async () => {
      log.push(name);
      return { status: 200, headers: {}, read: async () => undefined, cancel: () => undefined };
    },
    close: async () => void log.push(`close ${name}`),
  });
  const upstream = chooseUpstream(({ hostname }) => hostname === '127.0.0.1', {
    direct: way('direct'),
    host: way('host'),
  });
  for (const url of ['http://127.0.0.1/mcp', 'https://mcp.notion.com/mcp']) {
    await upstream.send({ method: 'GET', url: new URL(url), headers: {}, signal: never });
  }
  await upstream.close();
  assert.deepEqual(log, ['direct', 'host', 'close direct', 'close host']);
});

async function open(t: TestContext, create: () => Upstream) {
  const server = await ScriptedServer.start();
  server.script = (response) => answerJson(response, 200, { jsonrpc: '2.0', id: 1, result: {} });
  const upstream = create();
  t.after(async () => {
    await upstream.close();
    await server.stop().catch(() => undefined);
  });
  const { url } = server;
  const send = ({ body = '', headers = {}, signal = never } = {}): Promise<UpstreamResponse> =>
    upstream.send({ method: 'POST', url: new URL(url), headers, signal, body: Buffer.from(body) });
  return { server, upstream, send };
}

function isFailure(kind: HttpFailure['kind']) {
  return (error: unknown): boolean => error instanceof HttpFailure && error.kind === kind;
}

function textOf(chunk: Uint8Array | undefined): string {
  return Buffer.from(chunk ?? []).toString();
}
