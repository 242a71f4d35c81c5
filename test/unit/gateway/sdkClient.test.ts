import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport as SdkTransport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ListRootsRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { createPoolTransport } from '#platform/pools';
import { Secret } from '../../../src/core/secret.ts';
import { createFetchTransport } from '../../../src/http/fetchTransport.ts';
import type { Transport } from '../../../src/http/transport.ts';
import { openGateway } from './gatewayUnderTest.ts';
import { SdkServer, type ServerMode } from './sdkServer.ts';

const modes: Record<string, ServerMode> = {
  'an event-stream server with sessions': { json: false, sessions: true },
  'a JSON server with sessions': { json: true, sessions: true },
  'an event-stream server without sessions': { json: false, sessions: false },
  'a JSON server without sessions': { json: true, sessions: false },
};

for (const [name, mode] of Object.entries(modes)) {
  test(`the official MCP client can use every method of ${name}`, async (t) => {
    const { client } = await open(t, mode);
    assert.equal(client.getServerVersion()?.name, 'everything');
    await client.ping();
    assert.equal((await client.listTools()).tools.length, 6);
    assert.equal((await client.listResources()).resources.length, 1);
    assert.equal((await client.listResourceTemplates()).resourceTemplates.length, 0);
    assert.equal((await client.readResource({ uri: 'test://one' })).contents.length, 1);
    await client.subscribeResource({ uri: 'test://one' });
    await client.unsubscribeResource({ uri: 'test://one' });
    assert.equal((await client.listPrompts()).prompts.length, 1);
    assert.equal((await client.getPrompt({ name: 'prompt' })).messages.length, 1);
    const argument = { name: 'a', value: 'w' };
    const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'prompt' }, argument });
    assert.deepEqual(completion.values, ['whole']);
    await client.setLoggingLevel('debug');
    await client.sendRootsListChanged();
    assert.equal(await textOf(client, 'echo', { text: 'ä "quoted" \u2028' }), 'ä "quoted" \u2028');
  });

  test(`a result of 10 MiB from ${name} arrives complete`, async (t) => {
    const { client } = await open(t, mode);
    const bytes = 10 * 1024 * 1024;
    assert.equal(Buffer.byteLength(await textOf(client, 'big', { bytes })), bytes);
  });

  test(`a thousand concurrent calls to ${name} each get their own result`, async (t) => {
    const { client } = await open(t, mode);
    const numbers = Array.from({ length: 1000 }, (_, number) => String(number));
    assert.deepEqual(await Promise.all(numbers.map((text) => textOf(client, 'echo', { text }))), numbers);
  });

  test(`a client of ${name} does not notice that tokens rotate between calls`, async (t) => {
    const { client, server, accounts } = await open(t, mode);
    for (const accessToken of ['token+', 'token++', 'token+++']) {
      server.accessToken = accessToken;
      assert.equal(await textOf(client, 'echo', { text: accessToken }), accessToken);
    }
    assert.deepEqual(new Set(accounts.rejected), new Set(['token', 'token+', 'token++']));
  });

  test(`a hundred concurrent calls to ${name} succeed although their token expired, after one renewal`, async (t) => {
    const { client, server, accounts } = await open(t, mode);
    server.accessToken = 'token+';
    const numbers = Array.from({ length: 100 }, (_, number) => String(number));
    assert.deepEqual(await Promise.all(numbers.map((text) => textOf(client, 'echo', { text }))), numbers);
    assert.deepEqual(new Set(accounts.rejected), new Set(['token']));
    assert.equal(accounts.grants.get('ada')?.tokens.accessToken.equals(new Secret('token+')), true);
  });

  test(`calls to ${name} fail while it is down and succeed once it is back`, async (t) => {
    const { client, server, reconnect } = await open(t, mode);
    assert.equal(await textOf(client, 'echo', { text: 'before' }), 'before');
    const { port } = server;
    await server.stop();
    await assert.rejects(textOf(client, 'echo', { text: 'away' }), { message: /sentence for unreachable/ });
    const restarted = await new SdkServer(mode).start(port);
    t.after(() => restarted.stop());
    if (mode.sessions) {
      // The session is lost with the server; the 404 tells MCP clients to start a new one.
      await assert.rejects(textOf(client, 'echo', { text: 'lost' }), { code: 404 });
      assert.equal(await textOf(await reconnect(), 'echo', { text: 'after' }), 'after');
    } else {
      assert.equal(await textOf(client, 'echo', { text: 'after' }), 'after');
    }
  });
}

for (const [transportName, create] of Object.entries<() => Transport>({
  'the gateway’s own connections': createPoolTransport,
  'the extension host’s fetch': () => createFetchTransport(fetch),
})) {
  const events: ServerMode = { json: false, sessions: true };

  test(`progress notifications arrive in order over ${transportName}`, async (t) => {
    const { client } = await open(t, events, create());
    const seen: number[] = [];
    await client.callTool({ name: 'progress' }, undefined, { onprogress: ({ progress }) => seen.push(progress) });
    assert.deepEqual(seen, [1, 2, 3]);
  });

  test(`the server can send the client a request during a call over ${transportName}`, async (t) => {
    const { client } = await open(t, events, create());
    assert.equal(await textOf(client, 'listRoots', {}), 'file:///root');
  });

  test(`notifications that the server sends on its own reach the client over ${transportName}`, async (t) => {
    const { client, server } = await open(t, events, create());
    const changed = new Promise<void>((resolve) => {
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve());
    });
    await client.callTool({ name: 'change' });
    await changed;
    assert.ok(!server.statuses.includes(401));
  });

  test(`a call that the client cancels is cancelled at the server over ${transportName}`, async (t) => {
    const { client, server } = await open(t, events, create());
    const cancelling = new AbortController();
    const waiting = once(server.toolEvents, 'waiting');
    const cancelled = once(server.toolEvents, 'cancelled');
    const call = client.callTool({ name: 'wait' }, undefined, { signal: cancelling.signal });
    await waiting;
    cancelling.abort('enough');
    await assert.rejects(call, /enough/);
    await cancelled;
  });

  test(`a session that the client ends is ended at the server over ${transportName}`, async (t) => {
    const { transport, server } = await open(t, events, create());
    await transport.terminateSession();
    assert.equal(transport.sessionId, undefined);
    assert.equal(server.statuses.at(-1), 200);
  });
}

async function open(t: TestContext, mode: ServerMode, transport?: Transport) {
  const server = await new SdkServer(mode).start();
  t.after(() => server.stop().catch(() => undefined));
  const { gateway, accounts } = await openGateway(t, server.url, transport && { transport });
  const connect = async (): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> => {
    const client = new Client({ name: 'test', version: '1' }, { capabilities: { roots: { listChanged: true } } });
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///root' }] }));
    const clientTransport = new StreamableHTTPClientTransport(new URL(gateway.urlFor('ada')), {
      requestInit: { headers: { authorization: `Bearer ${gateway.secretFor('ada').reveal()}` } },
    });
    // The SDK's types do not support `exactOptionalPropertyTypes`.
    await client.connect(clientTransport as SdkTransport);
    t.after(() => client.close());
    return { client, transport: clientTransport };
  };
  return { server, accounts, ...(await connect()), reconnect: async () => (await connect()).client };
}

async function textOf(client: Client, name: string, args: Record<string, unknown>): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  const [first] = content as { text: string }[];
  return first?.text ?? '';
}
