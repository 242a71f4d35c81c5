import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { listenSocket } from '#platform/listenSocket';
import { maxSocketPathBytes } from '../../../src/agents/bridgeListener.ts';
import { greeting } from '../../../src/agents/protocol.ts';
import { formatEntry } from '../../../src/agents/windowEntry.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { notPrivateCode } from '../../../src/platform/contract.ts';
import { files, grantOf, ListenerUnderTest, temporaryFolder } from './listenerUnderTest.ts';
import { connectTo, inAnHour, nonce, openWindow } from './listeningWindow.ts';

test('a window entry and its socket are for their user alone', async (t) => {
  const { window, home } = await openWindow(t);
  const [name = ''] = window.entryNames();
  assert.match(name, /^[0-9a-f]{16}\.window$/);
  const { path } = window.entry();
  assert.equal(dirname(path), join(home, 'agents'));
  const modes = [join(window.directory, name), window.directory, dirname(path)].map(
    (each) => statSync(each).mode & 0o777,
  );
  assert.deepEqual(modes, [0o600, 0o700, 0o700]);
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
  const { window } = await openWindow(t);
  const socket = connectTo(t, window.entry().path);
  socket.write(greeting(nonce));
  await once(socket, 'data');
  const closed = once(socket, 'close');
  await window.listener.close();
  await closed;
});

test('a window entry that was removed is there again after a minute', async (t) => {
  const { window } = await openWindow(t);
  const before = window.entry();
  rmSync(join(window.directory, window.entryNames()[0] ?? ''));
  await window.check();
  const { path, secret } = window.entry();
  assert.equal(path, before.path);
  assert.ok(secret.equals(before.secret));
});

test('a socket that was removed is replaced after a minute, and connections to it go on', async (t) => {
  const { window } = await openWindow(t);
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
  const { window, home } = await openWindow(t);
  rmSync(home, { recursive: true });
  await window.check();
  assert.equal(await window.connect(t).status(inAnHour()), 'ready');
});

test('a window removes what a dead one left behind, and nothing of a living one', async (t) => {
  const { window: first, home } = await openWindow(t);
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

function sockets(home: string): string[] {
  return existsSync(join(home, 'agents')) ? readdirSync(join(home, 'agents')) : [];
}
