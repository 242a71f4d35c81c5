import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { ListRootsRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { createDirectUpstream } from '#platform/pools';
import { Secret } from '../../../src/core/secret.ts';
import { createFetchUpstream } from '../../../src/http/fetchTransport.ts';
import type { Upstream } from '../../../src/http/transport.ts';
import { openGateway } from './gatewayUnderTest.ts';
import { type Manner, SdkServer } from './sdkServer.ts';

const manners: Record<string, Manner> = {
  'events in a session': { json: false, sessions: true },
  'JSON in a session': { json: true, sessions: true },
  'events without a session': { json: false, sessions: false },
  'JSON without a session': { json: true, sessions: false },
};

for (const [name, manner] of Object.entries(manners)) {
  test(`${name}: the official client can use every method`, async (t) => {
    const { client } = await open(t, manner);
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

  test(`${name}: an answer of 10 MiB arrives whole`, async (t) => {
    const { client } = await open(t, manner);
    const bytes = 10 * 1024 * 1024;
    assert.equal(Buffer.byteLength(await textOf(client, 'big', { bytes })), bytes);
  });

  test(`${name}: a thousand calls at once each get their own answer`, async (t) => {
    const { client } = await open(t, manner);
    const numbers = Array.from({ length: 1000 }, (_, number) => String(number));
    assert.deepEqual(await Promise.all(numbers.map((text) => textOf(client, 'echo', { text }))), numbers);
  });

  test(`${name}: tokens rotate between calls and nobody notices`, async (t) => {
    const { client, server, accounts } = await open(t, manner);
    for (const accessToken of ['token+', 'token++', 'token+++']) {
      server.accessToken = accessToken;
      assert.equal(await textOf(client, 'echo', { text: accessToken }), accessToken);
    }
    assert.deepEqual(new Set(accounts.rejected), new Set(['token', 'token+', 'token++']));
  });

  test(`${name}: a token that expires under a hundred calls is renewed as often as it was rejected`, async (t) => {
    const { client, server, accounts } = await open(t, manner);
    server.accessToken = 'token+';
    const numbers = Array.from({ length: 100 }, (_, number) => String(number));
    assert.deepEqual(await Promise.all(numbers.map((text) => textOf(client, 'echo', { text }))), numbers);
    assert.deepEqual(new Set(accounts.rejected), new Set(['token']));
    assert.equal(accounts.grants.get('ada')?.tokens.accessToken.equals(new Secret('token+')), true);
  });

  test(`${name}: while the server is away calls fail, and when it is back the same client goes on`, async (t) => {
    const { client, server, reconnect } = await open(t, manner);
    assert.equal(await textOf(client, 'echo', { text: 'before' }), 'before');
    const { port } = server;
    await server.stop();
    await assert.rejects(textOf(client, 'echo', { text: 'away' }), { message: /sentence for unreachable/ });
    const again = await new SdkServer(manner).start(port);
    t.after(() => again.stop());
    if (manner.sessions) {
      // The session is lost with the server; MCP's clients learn it by 404 and begin a new one.
      await assert.rejects(textOf(client, 'echo', { text: 'lost' }), { code: 404 });
      assert.equal(await textOf(await reconnect(), 'echo', { text: 'after' }), 'after');
    } else {
      assert.equal(await textOf(client, 'echo', { text: 'after' }), 'after');
    }
  });
}

for (const [way, create] of Object.entries<() => Upstream | undefined>({
  'our own connections': createDirectUpstream,
  'the host’s fetch': () => createFetchUpstream(fetch),
})) {
  const events: Manner = { json: false, sessions: true };

  test(`${way}: progress arrives in its order`, async (t) => {
    const { client } = await open(t, events, create());
    const seen: number[] = [];
    await client.callTool({ name: 'progress' }, undefined, { onprogress: ({ progress }) => seen.push(progress) });
    assert.deepEqual(seen, [1, 2, 3]);
  });

  test(`${way}: the server may ask the client in the middle of a call`, async (t) => {
    const { client } = await open(t, events, create());
    assert.equal(await textOf(client, 'ask', {}), 'file:///root');
  });

  test(`${way}: what the server says of its own accord arrives`, async (t) => {
    const { client, server } = await open(t, events, create());
    const changed = new Promise<void>((resolve) => {
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => resolve());
    });
    await client.callTool({ name: 'change' });
    await changed;
    assert.ok(!server.statuses.includes(401));
  });

  test(`${way}: a cancelled call is cancelled at the server`, async (t) => {
    const { client, server } = await open(t, events, create());
    const cancelling = new AbortController();
    const waiting = once(server.happened, 'waiting');
    const cancelled = once(server.happened, 'cancelled');
    const call = client.callTool({ name: 'wait' }, undefined, { signal: cancelling.signal });
    await waiting;
    cancelling.abort('enough');
    await assert.rejects(call, /enough/);
    await cancelled;
  });

  test(`${way}: a client that ends its session ends it at the server`, async (t) => {
    const { transport, server } = await open(t, events, create());
    await transport.terminateSession();
    assert.equal(transport.sessionId, undefined);
    assert.equal(server.statuses.at(-1), 200);
  });
}

async function open(t: TestContext, manner: Manner, upstream?: Upstream) {
  const server = await new SdkServer(manner).start();
  t.after(() => server.stop().catch(() => undefined));
  const { gateway, accounts } = await openGateway(t, server.url, upstream && { upstream });
  const connect = async (): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> => {
    const client = new Client({ name: 'test', version: '1' }, { capabilities: { roots: { listChanged: true } } });
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///root' }] }));
    const transport = new StreamableHTTPClientTransport(new URL(gateway.urlFor('ada')), {
      requestInit: { headers: { authorization: `Bearer ${gateway.secretFor('ada').reveal()}` } },
    });
    // The SDK's types were not made for `exactOptionalPropertyTypes`.
    await client.connect(transport as Transport);
    t.after(() => client.close());
    return { client, transport };
  };
  return { server, accounts, ...(await connect()), reconnect: async () => (await connect()).client };
}

async function textOf(client: Client, name: string, given: Record<string, unknown>): Promise<string> {
  const { content } = await client.callTool({ name, arguments: given });
  const [first] = content as { text: string }[];
  return first?.text ?? '';
}
