import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import {
  type JSONRPCMessage,
  ListRootsRequestSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { openGateway } from '../../gateway/gatewayUnderTest.ts';
import { SdkServer, type ServerMode } from '../../gateway/sdkServer.ts';
import { ListenerUnderTest, temporaryFolder } from '../listenerUnderTest.ts';
import { account, bridgeArguments, mainProgram } from './bridgeProcess.ts';

const modes: Record<string, ServerMode> = {
  'an event-stream server with sessions': { json: false, sessions: true },
  'a JSON server with sessions': { json: true, sessions: true },
  'an event-stream server without sessions': { json: false, sessions: false },
  'a JSON server without sessions': { json: true, sessions: false },
};
const tenMiB = 10 * 1024 * 1024;

for (const [name, mode] of Object.entries(modes)) {
  test(`the official MCP client can use every method of ${name} through the bridge`, async (t) => {
    const { client, stderr } = await open(t, mode);
    assert.deepEqual(client.getServerVersion(), { name: 'everything', title: 'Engineering Wiki', version: '1' });
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
    assert.equal(stderr(), '');
  });

  test(`a result of 10 MiB from ${name} passes the bridge complete, and an argument of 3 MiB`, async (t) => {
    const { client } = await open(t, mode);
    assert.equal(Buffer.byteLength(await textOf(client, 'big', { bytes: tenMiB })), tenMiB);
    // The SDK's server takes no longer requests.
    const text = 'ü'.repeat(1.5 * 1024 * 1024);
    assert.ok((await textOf(client, 'echo', { text })) === text);
  });

  test(`a thousand concurrent calls through the bridge to ${name} each get their own result`, async (t) => {
    const { client, stderr } = await open(t, mode);
    const numbers = Array.from({ length: 1000 }, (_, number) => String(number));
    assert.deepEqual(await Promise.all(numbers.map((text) => textOf(client, 'echo', { text }))), numbers);
    assert.equal(stderr(), '');
  });

  test(`an agent does not notice that ${name} is restarted and that tokens rotate, but for a sentence while it is down`, async (t) => {
    const { client, server } = await open(t, mode);
    assert.equal(await textOf(client, 'echo', { text: 'before' }), 'before');
    server.accessToken = 'token+';
    assert.equal(await textOf(client, 'echo', { text: 'rotated' }), 'rotated');
    const { port } = server;
    await server.stop();
    assert.match(await textOf(client, 'echo', { text: 'away' }), /sentence for unreachable/);
    await assert.rejects(client.listResources(), /sentence for unreachable/);
    const restarted = new SdkServer(mode);
    restarted.accessToken = 'token+';
    await restarted.start(port);
    t.after(() => restarted.stop());
    assert.equal(await textOf(client, 'echo', { text: 'after' }), 'after');
    assert.equal((await client.listTools()).tools.length, 6);
  });
}

const events: ServerMode = { json: false, sessions: true };

test('progress notifications arrive in order, and before the result, through the bridge', async (t) => {
  const { client, messages } = await open(t, events);
  await client.callTool({ name: 'progress' }, undefined, { onprogress: () => undefined });
  // Not counted by `onprogress`: the SDK's client drops those that it reads together with the result.
  const seen = messages
    .slice(-4)
    .map((message) => ('method' in message ? message.params?.progress : Object.keys(message)));
  assert.deepEqual(seen, [1, 2, 3, ['jsonrpc', 'id', 'result']]);
});

test('the server can send the agent a request during a call through the bridge', async (t) => {
  const { client } = await open(t, events);
  assert.equal(await textOf(client, 'listRoots', {}), 'file:///root');
});

test('notifications that the server sends on its own reach the agent, also after it was restarted', async (t) => {
  const { client, server } = await open(t, events);
  const changes = async (): Promise<void> => {
    let hasChanged = false;
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      hasChanged = true;
    });
    while (!hasChanged) {
      await client.callTool({ name: 'change' });
    }
  };
  await changes();
  const { port } = server;
  await server.stop();
  const restarted = await new SdkServer(events).start(port);
  t.after(() => restarted.stop());
  await changes();
});

test('a call that the agent cancels is cancelled at the server through the bridge', async (t) => {
  const { client, server } = await open(t, events);
  const cancelling = new AbortController();
  const waiting = once(server.toolEvents, 'waiting');
  const cancelled = once(server.toolEvents, 'cancelled');
  const call = client.callTool({ name: 'wait' }, undefined, { signal: cancelling.signal });
  await waiting;
  cancelling.abort('enough');
  await assert.rejects(call, /enough/);
  await cancelled;
});

test('an agent goes on through the window that opens after its own was closed', async (t) => {
  const { client, window, openWindow } = await open(t, events);
  assert.equal(await textOf(client, 'echo', { text: 'first' }), 'first');
  await window.listener.close();
  assert.match(await textOf(client, 'echo', { text: 'none' }), /window/);
  await openWindow();
  assert.equal(await textOf(client, 'echo', { text: 'second' }), 'second');
});

/** The official client, connected by the bridge's process, a window and the gateway to the official server. */
async function open(t: TestContext, mode: ServerMode) {
  const home = temporaryFolder(t);
  const server = await new SdkServer(mode).start();
  t.after(() => server.stop().catch(() => undefined));
  const { gateway, accounts } = await openGateway(t, server.url);
  const openWindow = async (): Promise<ListenerUnderTest> => {
    const [grant] = [...accounts.grants.values()];
    const names = { handle: account, title: 'Engineering Wiki' };
    const grants = grant === undefined ? [] : [Object.assign(grant, { serverNames: names })];
    const window = new ListenerUnderTest(t, home, { grants, gateway: async () => gateway });
    await window.update();
    return window;
  };
  const window = await openWindow();
  const client = new Client({ name: 'test', version: '1' }, { capabilities: { roots: { listChanged: true } } });
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [{ uri: 'file:///root' }] }));
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [mainProgram, ...bridgeArguments(window.directory)],
    stderr: 'pipe',
    maxBufferSize: 2 * tenMiB,
  });
  let errors = '';
  transport.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  await client.connect(transport);
  t.after(() => client.close());
  const messages: JSONRPCMessage[] = [];
  const { onmessage } = transport;
  transport.onmessage = (message) => {
    messages.push(message);
    onmessage?.(message);
  };
  return { server, client, messages, window, openWindow, stderr: () => errors };
}

async function textOf(client: Client, name: string, args: Record<string, unknown>): Promise<string> {
  const { content } = await client.callTool({ name, arguments: args });
  const [first] = content as { text: string }[];
  return first?.text ?? '';
}
