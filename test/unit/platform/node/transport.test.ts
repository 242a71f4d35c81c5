import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTransport } from '#platform/transport';
import { HttpFailure } from '../../../../src/http/errors.ts';
import { headerOf, readText } from '../../../../src/http/transport.ts';
import { respondWithJson, ScriptedServer } from '../../gateway/scriptedServer.ts';

const request = { method: 'GET', headers: {}, signal: new AbortController().signal } as const;

test('requests to this machine bypass the host’s fetch, and all others use it', async (t) => {
  const server = await ScriptedServer.start();
  server.script = (response) => respondWithJson(response, 200, {});
  const hosts: string[] = [];
  const transport = createTransport({
    hostFetch: async (url) => {
      hosts.push(new URL(String(url)).hostname);
      return new Response('', { headers: { via: 'host' } });
    },
  });
  t.after(async () => {
    await transport.close();
    await server.stop();
  });
  for (const hostname of ['127.0.0.1', 'localhost']) {
    const response = await transport.send({ ...request, url: new URL(`http://${hostname}:${server.port}/`) });
    assert.equal(await readText(response, 100), '{}');
  }
  assert.deepEqual(hosts, []);
  for (const hostname of ['mcp.notion.com', '10.0.0.1', 'sub.localhost', '127.0.0.1.example.com']) {
    const response = await transport.send({ ...request, url: new URL(`https://${hostname}/`) });
    assert.equal(headerOf(response, 'via'), 'host');
  }
  assert.deepEqual(hosts, ['mcp.notion.com', '10.0.0.1', 'sub.localhost', '127.0.0.1.example.com']);
});

test('closing the transport cancels requests to this machine and to others', async (t) => {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  const sent = Promise.withResolvers<void>();
  const transport = createTransport({
    hostFetch: (_url, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
        sent.resolve();
      }),
  });
  const responding = server.nextResponse(() => undefined);
  const cancelled = [server.url, 'https://mcp.notion.com/mcp'].map((url) =>
    assert.rejects(
      transport.send({ ...request, url: new URL(url) }),
      (error) => error instanceof HttpFailure && error.kind === 'cancelled',
    ),
  );
  await Promise.all([responding, sent.promise]);
  await transport.close();
  await Promise.all(cancelled);
});
