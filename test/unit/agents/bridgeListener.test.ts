import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { listenSocket } from '#platform/listenSocket';
import { maxSocketPathBytes } from '../../../src/agents/bridgeListener.ts';
import { callConsent } from '../../../src/agents/callConsent.ts';
import { greeting, proofLine, prove } from '../../../src/agents/protocol.ts';
import { formatEntry } from '../../../src/agents/windowEntry.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { notPrivateCode } from '../../../src/platform/contract.ts';
import { until } from '../connections.ts';
import { openGateway, rpc } from '../gateway/gatewayUnderTest.ts';
import { respondWithResult, ScriptedServer } from '../gateway/scriptedServer.ts';
import { files, grantOf, ListenerUnderTest, temporaryFolder } from './listenerUnderTest.ts';

const nonce = 'A'.repeat(43);
const inAnHour = () => AbortSignal.timeout(3_600_000);

test('a bridge’s request reaches the account’s MCP server with the account’s token', async (t) => {
  const { window, server, post } = await open(t);
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
  assert.deepEqual(await post({}, rpc(1)), {
    status: 200,
    body: { jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } },
  });
  assert.equal(server.received[0]?.headers.authorization, 'Bearer token');
});

test('a window entry and its socket are for their user alone', async (t) => {
  const { window, home } = await open(t);
  const [name = ''] = window.entryNames();
  assert.match(name, /^[0-9a-f]{16}\.window$/);
  const { path } = window.entry();
  assert.equal(dirname(path), join(home, 'agents'));
  const modes = [join(window.directory, name), window.directory, dirname(path)].map(
    (each) => statSync(each).mode & 0o777,
  );
  assert.deepEqual(modes, [0o600, 0o700, 0o700]);
});

test('a window proves itself by the nonce, its path and the entry’s secret before it gets a request', async (t) => {
  const { window } = await open(t);
  const { path, secret } = window.entry();
  const socket = connectTo(t, path);
  socket.write(greeting(nonce));
  const [line] = await once(socket, 'data');
  assert.equal(String(line), proofLine(await prove(secret, nonce, path)));
  const other = await prove(secret, nonce, `${path}2`);
  assert.notEqual(String(line), proofLine(other));
});

for (const first of ['GET / HTTP/1.1\r\n', 'notion-mcp-bridge/2 '.padEnd(80, 'A'), 'notion-mcp-bridge/1 short']) {
  test(`a connection that begins with ${JSON.stringify(first.slice(0, 30))} is closed without a response`, async (t) => {
    const { window } = await open(t);
    const socket = connectTo(t, window.entry().path);
    socket.write(`${first}\n`);
    assert.equal(await text(socket), '');
  });
}

const badRequests: Record<string, { path?: string; headers: (bearer: string) => Record<string, string> }> = {
  'no secret': { headers: () => ({}) },
  'a wrong secret': { headers: (bearer) => ({ Authorization: `${bearer.slice(0, -1)}?` }) },
  'a truncated secret': { headers: (bearer) => ({ Authorization: bearer.slice(0, -1) }) },
  'the secret under a wrong scheme': {
    headers: (bearer) => ({ Authorization: bearer.replace('Bearer', 'Basic') }),
  },
  'an origin': { headers: (bearer) => ({ Authorization: bearer, Origin: 'null' }) },
  'a path without an agent': { path: '/notion-ada/mcp', headers: (bearer) => ({ Authorization: bearer }) },
  'a path with a query': { path: '/notion-ada/editor/mcp?', headers: (bearer) => ({ Authorization: bearer }) },
  'the path of the other listener': { path: '/ada/mcp', headers: (bearer) => ({ Authorization: bearer }) },
};

for (const [name, { path = '/notion-ada/editor/mcp', headers }] of Object.entries(badRequests)) {
  test(`a bridge’s request with ${name} gets an empty 404 and is not forwarded`, async (t) => {
    const { window, server } = await open(t);
    const entry = window.entry();
    const socket = connectTo(t, entry.path);
    const lines = Object.entries(headers(`Bearer ${entry.secret.reveal()}`)).map(
      ([key, value]) => `${key}: ${value}\r\n`,
    );
    socket.write(
      `${greeting(nonce)}POST ${path} HTTP/1.1\r\nHost: localhost\r\n${lines.join('')}Content-Length: 0\r\n\r\n`,
    );
    const [, response = ''] = /^[^\n]*\n(.*)$/s.exec(await text(socket)) ?? [];
    assert.match(
      response,
      /^HTTP\/1\.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\nDate: [^\r]*\r\n\r\n$/,
    );
    assert.deepEqual(server.received, []);
  });
}

for (const [name, kind] of [
  ['was not decided about', 'consentPending'],
  ['was denied', 'notAllowed'],
] as const) {
  test(`an agent that ${name} gets an error for each request, and nothing of it is forwarded`, async (t) => {
    const { window, server, post } = await open(t);
    if (kind === 'notAllowed') {
      await window.consent.deny('notion-ada', 'codex');
    }
    assert.equal(await window.connect(t, { agent: 'codex' }).status(inAnHour()), 'noConsent');
    const { status, body } = await post({ agent: 'codex' }, [rpc(1), rpc('two')]);
    assert.equal(status, 200);
    assert.deepEqual(
      (body as { id: unknown; error: { message: string; data: unknown } }[]).map(({ id, error }) => [
        id,
        error.message,
      ]),
      [1, 'two'].map((id) => [id, `sentence for ${kind}`]),
    );
    const notification = { jsonrpc: '2.0', method: 'notifications/initialized' };
    assert.deepEqual(await post({ agent: 'codex' }, notification), { status: 202, body: undefined });
    assert.deepEqual(server.received, []);
    await window.consent.refresh();
    assert.deepEqual(window.consent.questions('notion-ada'), kind === 'consentPending' ? ['codex'] : []);
  });
}

test('an agent that the user allowed reaches the account at once, and no other account or agent does', async (t) => {
  const { window, post } = await open(t);
  await window.consent.allow('notion-ada', 'codex');
  assert.equal(await window.connect(t, { agent: 'codex' }).status(inAnHour()), 'ready');
  assert.deepEqual((await post({ agent: 'codex' }, rpc(1))).body, {
    jsonrpc: '2.0',
    id: 1,
    result: { method: 'tools/list' },
  });
  assert.equal(await window.connect(t, { agent: 'gemini' }).status(inAnHour()), 'noConsent');
  window.grants.push(grantOf('grace'));
  assert.equal(await window.connect(t, { agent: 'codex', handle: 'notion-grace' }).status(inAnHour()), 'noConsent');
});

test('an agent that the user allowed goes on while nothing is offered in chat, and chat does not', async (t) => {
  const { window, post } = await open(t);
  await window.consent.allow('notion-ada', 'codex');
  window.isOffered = false;
  await window.update();
  assert.equal(await window.connect(t, { agent: 'codex' }).status(inAnHour()), 'ready');
  assert.equal((await post({ agent: 'codex' }, rpc(1))).status, 200);
  assert.equal(await window.connect(t).status(inAnHour()), 'notAllowed');
  const { body } = await post({}, rpc(2));
  assert.equal((body as { error: { message: string } }).error.message, 'sentence for notOffered');
});

test('Offer in chat of one account leaves the others offered', async (t) => {
  const { window } = await open(t);
  window.grants.push(grantOf('grace'));
  await window.consent.setOffered('notion-ada', false);
  await window.update();
  assert.equal(await window.connect(t).status(inAnHour()), 'notAllowed');
  assert.equal(await window.connect(t, { handle: 'notion-grace' }).status(inAnHour()), 'ready');
});

test('the calls of an agent are counted as uses of the account, and other requests are not', async (t) => {
  const { window, post } = await open(t);
  await window.consent.allow('notion-ada', 'codex');
  await post({ agent: 'codex' }, rpc(1));
  assert.deepEqual(window.consent.uses('notion-ada'), [{ agent: 'codex', permission: 'allowed' }]);
  await post({ agent: 'codex' }, rpc(2, 'tools/call'));
  await post({ agent: 'gemini' }, rpc(3, 'tools/call'));
  assert.deepEqual(window.consent.uses('notion-ada'), [
    { agent: 'codex', permission: 'allowed', usedAtMs: window.clock.nowMs() },
  ]);
});

test('a withdrawn permission ends the agent’s call that is under way, and no other agent’s', async (t) => {
  const { window, server, post, gateway } = await open(t);
  const held: (() => void)[] = [];
  server.script = (response, request) => {
    held.push(() => respondWithResult(response, request));
  };
  await window.consent.allow('notion-ada', 'codex');
  const calls = [post({ agent: 'codex' }, rpc(1, 'tools/call')), post({}, rpc(2, 'tools/call'))];
  await until(() => held.length === 2);
  await window.consent.deny('notion-ada', 'codex');
  gateway.endForbiddenCalls();
  const { body } = (await calls[0]) ?? {};
  assert.equal((body as { error: { message: string } }).error.message, 'sentence for notAllowed');
  for (const respond of held) {
    respond();
  }
  assert.deepEqual((await calls[1])?.body, { jsonrpc: '2.0', id: 2, result: { method: 'tools/call' } });
});

test('the log names the agent and the method of a request, and nothing else of it', async (t) => {
  const { window, post, logged } = await open(t);
  await window.consent.allow('notion-ada', 'codex');
  const params = { name: 'notion-secret-tool', arguments: { query: 'secret words' } };
  await post({ agent: 'codex' }, { ...rpc(1, 'tools/call'), params });
  await post({ agent: 'codex' }, rpc(2, 'secret words'));
  await post({ agent: 'gemini' }, rpc(3, 'tools/call'));
  assert.deepEqual(
    logged.filter((line) => line.includes('agent=')),
    [
      'An agent sends a request. agent=codex method=tools/call',
      'An agent sends a request. agent=codex method=other',
      'An agent sends a request. agent=gemini method=tools/call',
      'The gateway responds with an error. agent=gemini method=POST kind=consentPending',
    ],
  );
  assert.doesNotMatch(logged.join('\n'), /secret/);
});

test('an account that the window does not have is unknown, and a request for it gets an error', async (t) => {
  const { window, server, post } = await open(t);
  const handle = 'notion-grace';
  assert.equal(await window.connect(t, { handle }).status(inAnHour()), 'unknownAccount');
  const { body } = await post({ handle }, rpc(1));
  assert.equal((body as { error: { message: string } }).error.message, 'sentence for signedOut');
  assert.deepEqual(server.received, []);
});

test('a window listens for bridges only while it has an account with a name that chat or an agent may use', async (t) => {
  const home = temporaryFolder(t);
  const { serverNames: _, ...unnamed } = grantOf('ada');
  const window = new ListenerUnderTest(t, home, { grants: [] });
  const states = [];
  for (const change of [
    () => undefined,
    () => window.grants.push(unnamed as Grant),
    () => window.grants.push(grantOf('grace')),
    () => {
      window.isOffered = false;
    },
    () => window.consent.allow('notion-grace', 'codex'),
    () => window.consent.deny('notion-grace', 'codex'),
    () => {
      window.isOffered = true;
    },
    () => window.consent.setOffered('notion-grace', false),
    () => window.consent.setOffered('notion-grace', true),
    () => window.grants.pop(),
  ]) {
    await change();
    await window.update();
    states.push(existsSync(window.directory) ? window.entryNames().length + sockets(home).length : 'nothing');
  }
  assert.deepEqual(states, ['nothing', 'nothing', 2, 0, 2, 0, 2, 0, 2, 0]);
  assert.equal(window.clock.pendingTimers, 0);
});

test('a window that stops listening drops the connections of bridges', async (t) => {
  const { window } = await open(t);
  const socket = connectTo(t, window.entry().path);
  socket.write(greeting(nonce));
  await once(socket, 'data');
  const closed = once(socket, 'close');
  await window.listener.close();
  await closed;
});

test('a window entry that was removed is there again after a minute', async (t) => {
  const { window } = await open(t);
  const before = window.entry();
  rmSync(join(window.directory, window.entryNames()[0] ?? ''));
  await window.check();
  const { path, secret } = window.entry();
  assert.equal(path, before.path);
  assert.ok(secret.equals(before.secret));
});

test('a socket that was removed is replaced after a minute, and connections to it go on', async (t) => {
  const { window } = await open(t);
  const before = window.entry();
  const earlier = window.connect(t);
  assert.equal(await earlier.status(inAnHour()), 'ready');
  rmSync(before.path);
  await window.check();
  assert.notEqual(window.entry().path, before.path);
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
  assert.equal(await earlier.status(inAnHour()), 'ready');
});

test('a removed folder of the installation is made again after a minute', async (t) => {
  const { window, home } = await open(t);
  rmSync(home, { recursive: true });
  await window.check();
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
});

test('a window removes what a dead one left behind, and nothing of a living one', async (t) => {
  const { window: first, home } = await open(t);
  const dead = join(home, 'agents', 'dead.sock');
  const secret = new Secret('secret');
  writeFileSync(join(first.directory, '0'.repeat(16).concat('.window')), formatEntry({ path: dead, secret }));
  writeFileSync(join(first.directory, '1'.repeat(16).concat('.window')), '{"version":2}');
  // It cannot be told whether that window lives.
  const unclear = join(first.directory, `${'2'.repeat(16)}.window`);
  writeFileSync(unclear, formatEntry({ path: join(unclear, 'below a file'), secret }));
  const living = first.entryNames().filter((name) => !/^(0|1)+\.window$/.test(name));
  const second = new ListenerUnderTest(t, home);
  await second.update();
  const names = second.entryNames();
  assert.equal(names.length, 4);
  assert.ok(!names.includes(`${'0'.repeat(16)}.window`));
  assert.ok(living.every((name) => names.includes(name)));
  assert.equal(sockets(home).length, 2);
});

test('the socket of a window that was killed is removed with its entry and its temporary folder', async (t) => {
  const home = temporaryFolder(t);
  const folder = temporaryFolder(t, 'notion-mcp-');
  const path = join(folder, 'killed.sock');
  const program = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('listening'))`;
  const killed = spawn(process.execPath, ['-e', program]);
  await once(killed.stdout, 'data');
  const window = new ListenerUnderTest(t, home);
  mkdirSync(window.directory);
  const entry = join(window.directory, `${'0'.repeat(16)}.window`);
  writeFileSync(entry, formatEntry({ path, secret: new Secret('secret') }));
  await window.update();
  assert.ok(existsSync(entry) && existsSync(path));
  await window.listener.close();
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  assert.ok(existsSync(path));
  await new ListenerUnderTest(t, home).update();
  assert.ok(!existsSync(entry) && !existsSync(folder));
});

test('a connection without a request that is admitted is closed after 10 seconds, and one with it stays', async (t) => {
  const { window } = await open(t);
  const bridge = window.connect(t);
  assert.equal(await bridge.status(inAnHour()), 'ready');
  const strangers = ['', greeting(nonce), `${greeting(nonce)}POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n`];
  const closings = [];
  for (const line of strangers) {
    const socket = connectTo(t, window.entry().path);
    await once(socket, 'connect');
    socket.write(line);
    socket.resume();
    closings.push(once(socket, 'close'));
  }
  // Its response shows that the window has accepted the connections before it.
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
  window.clock.advance(10_000);
  await Promise.all(closings);
  assert.equal(await bridge.status(inAnHour()), 'ready');
});

test('a socket whose path would be too long lies in a private temporary folder, which goes with it', async (t) => {
  const home = join(temporaryFolder(t), 'x'.repeat(maxSocketPathBytes));
  const temporary = temporaryFolder(t);
  const window = new ListenerUnderTest(t, home, { temporaryDirectories: [join(temporary, 'y'.repeat(90)), temporary] });
  await window.update();
  const { path } = window.entry();
  assert.equal(dirname(dirname(path)), temporary);
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700);
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
  await window.listener.close();
  assert.deepEqual(readdirSync(temporary), []);
});

test('a window whose folder other users can change does not listen, says so once and tries again', async (t) => {
  const home = temporaryFolder(t);
  let isPrivate = false;
  const window = new ListenerUnderTest(t, home, {
    temporaryDirectories: [temporaryFolder(t)],
    files: {
      ...files,
      makePrivateDirectory: async (path) => {
        if (!isPrivate && !path.endsWith('journal')) {
          throw Object.assign(new Error('not private'), { code: notPrivateCode });
        }
        await files.makePrivateDirectory(path);
      },
    },
  });
  await window.update();
  await window.check();
  assert.deepEqual(window.entryNames(), []);
  assert.equal(window.logged.length, 1);
  assert.match(window.logged[0] ?? '', /Agents cannot reach this window.*not_private/);
  isPrivate = true;
  await window.check();
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
});

test('where the file system has no sockets, a temporary folder is used', async (t) => {
  const home = temporaryFolder(t);
  const temporary = temporaryFolder(t);
  const window = new ListenerUnderTest(t, home, {
    temporaryDirectories: [temporary],
    listen: async (options) => {
      if (options.path.startsWith(home)) {
        throw Object.assign(new Error('listen'), { code: 'ENOTSUP' });
      }
      return listenSocket(options);
    },
  });
  await window.update();
  assert.ok(window.entry().path.startsWith(temporary));
});

test('on Windows a window listens on a pipe of a random name', async (t) => {
  const paths: string[] = [];
  const parts = {
    system: 'win32',
    listen: async ({ path }: { path: string }) => {
      paths.push(path);
      return { close: async () => undefined };
    },
  };
  for (const home of [temporaryFolder(t), temporaryFolder(t)]) {
    const window = new ListenerUnderTest(t, home, parts);
    await window.update();
    await window.check();
    assert.equal(window.entry().path, paths.at(-1));
  }
  assert.equal(new Set(paths).size, 2);
  for (const path of paths) {
    assert.match(path, /^\\\\\.\\pipe\\notion-mcp-[0-9a-f]{32}$/);
  }
});

/** A window whose account `ada` is at a scripted MCP server. */
async function open(t: TestContext) {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  server.script = respondWithResult;
  const home = temporaryFolder(t);
  const window = new ListenerUnderTest(t, home, { gateway: async () => gateway });
  const consent = callConsent(window.consent, (grantId) => `notion-${grantId}`);
  const { gateway, logged } = await openGateway(t, server.url, { consent });
  await window.update();
  const post = async (to: { handle?: string; agent?: string }, message: unknown) => {
    const response = await window.connect(t, to).send({
      method: 'POST',
      headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(message)),
      signal: inAnHour(),
    });
    const body = await text(response);
    return { status: response.statusCode, body: body === '' ? undefined : JSON.parse(body) };
  };
  return { window, server, home, post, gateway, logged };
}

function connectTo(t: TestContext, path: string): Socket {
  const socket = connect(path);
  t.after(() => socket.destroy());
  return socket;
}

function sockets(home: string): string[] {
  return existsSync(join(home, 'agents')) ? readdirSync(join(home, 'agents')) : [];
}
