import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { WindowConnection } from '../../../../src/agents/bridge/windowConnection.ts';
import { Windows } from '../../../../src/agents/bridge/windows.ts';
import { proofLine, prove } from '../../../../src/agents/protocol.ts';
import { type Clock, systemClock } from '../../../../src/core/clock.ts';
import { systemRandomness } from '../../../../src/core/random.ts';
import { Secret } from '../../../../src/core/secret.ts';
import { until } from '../../connections.ts';
import { FakeClock } from '../../fakeClock.ts';
import { windowDirectory } from './bridgeUnderTest.ts';
import { placeOf, proofFor, RawWindow, secret, TestWindow, writeEntry } from './testWindow.ts';

function windowsIn(directory: string, clock: Clock = systemClock, agent = 'editor'): Windows {
  const endpoint = { handle: 'notion-engineering-wiki', agent };
  return new Windows(directory, endpoint, { randomness: systemRandomness, clock });
}

async function statusRequestsOf(windows: readonly TestWindow[]): Promise<number[]> {
  return windows.map(({ statusRequests }) => statusRequests);
}

test('the newest window that serves the account is found', async (t) => {
  const directory = windowDirectory(t);
  const windows = [];
  for (const number of [2, 3, 1]) {
    windows.push(await TestWindow.start(t, directory, { number }));
  }
  assert.equal(typeof (await windowsIn(directory).find()), 'object');
  assert.deepEqual(await statusRequestsOf(windows), [0, 1, 0]);
});

test('a window without the account is passed over', async (t) => {
  const directory = windowDirectory(t);
  const older = await TestWindow.start(t, directory, { number: 1 });
  const newer = await TestWindow.start(t, directory, { number: 2 });
  newer.status = 'unknownAccount';
  assert.equal(typeof (await windowsIn(directory).find()), 'object');
  assert.deepEqual(await statusRequestsOf([older, newer]), [1, 1]);
});

for (const [statuses, reason] of [
  [[], 'noWindow'],
  [['unknownAccount'], 'unknownAccount'],
  [['notAllowed', 'unknownAccount'], 'notAllowed'],
  [['unknownAccount', 'notAllowed'], 'notAllowed'],
  [['a word of a later version'], 'otherVersion'],
  [['a word of a later version', 'unknownAccount'], 'unknownAccount'],
] as const) {
  test(`the reason is ${reason} where windows say ${JSON.stringify(statuses)}`, async (t) => {
    const directory = windowDirectory(t);
    for (const [number, status] of statuses.entries()) {
      (await TestWindow.start(t, directory, { number })).status = status;
    }
    assert.equal(await windowsIn(directory).find(), reason);
  });
}

test('a window of the first version, which knows the editor alone, is of another version to any other agent', async (t) => {
  const directory = windowDirectory(t);
  (await TestWindow.start(t, directory)).status = 'notAllowed';
  assert.equal(await windowsIn(directory, systemClock, 'codex').find(), 'otherVersion');
});

test('an entry of a later version is told from one of no window', async (t) => {
  const directory = windowDirectory(t);
  writeFileSync(placeOf(directory, 1).entryPath, '{"version":2,"path":"x"}');
  assert.equal(await windowsIn(directory).find(), 'otherVersion');
});

test('a window where the user has not allowed the agent is found if no other one serves it', async (t) => {
  const directory = windowDirectory(t);
  const older = await TestWindow.start(t, directory, { number: 1 });
  const newer = await TestWindow.start(t, directory, { number: 2 });
  const windows = windowsIn(directory, systemClock, 'codex');
  [older.status, newer.status] = ['noConsent', 'unknownAccount'];
  const found = await windows.find();
  assert.equal(typeof found === 'object' && (await windows.statusOf(found)), 'noConsent');
  older.status = 'ready';
  newer.status = 'noConsent';
  const ready = await windows.find();
  assert.equal(typeof ready === 'object' && (await windows.statusOf(ready)), 'ready');
});

test('entries of windows that are dead, files that are no entries and a missing directory do not matter', async (t) => {
  const directory = windowDirectory(t);
  assert.equal(await windowsIn(join(directory, 'missing')).find(), 'noWindow');
  await TestWindow.start(t, directory, { number: 1 });
  writeEntry(directory, 2);
  await (await TestWindow.start(t, directory, { number: 3 })).stop();
  for (const [number, text] of ['', '{', '[]', '{"version":2,"path":"x","secret":"y"}', '{"version":1}'].entries()) {
    writeFileSync(placeOf(directory, 10 + number).entryPath, text);
  }
  mkdirSync(placeOf(directory, 20).entryPath);
  writeFileSync(join(directory, 'zz.window'), 'junk');
  assert.equal(typeof (await windowsIn(directory).find()), 'object');
});

/** What a process may do that has taken over the socket of a window that is gone, without knowing the secret. */
const takeovers: Record<string, (received: string, path: string) => string | undefined | Promise<string>> = {
  'sends nothing but its own greeting back': (received) => received,
  'proves itself with a guessed secret': async (received, path) => {
    const nonce = /\/1 (.*)/.exec(received)?.[1] ?? '';
    return proofLine(await prove(new Secret('guessed'), nonce, path));
  },
  'sends a proof for another nonce': async (_received, path) => proofLine(await prove(secret, 'A'.repeat(43), path)),
  'sends the proof of a window at another path': async (received, path) => {
    const nonce = /\/1 (.*)/.exec(received)?.[1] ?? '';
    return proofLine(await prove(secret, nonce, path.replace('2.sock', '1.sock')));
  },
  'sends the proof of another version': async (received, path) => {
    const line = (await proofFor(received, path)) ?? '';
    return line.replace('window/1', 'window/2');
  },
  'sends a part of the proof': async (received, path) => `${((await proofFor(received, path)) ?? '').slice(0, -9)}\n`,
  'sends more than the proof': async (received, path) => `${((await proofFor(received, path)) ?? '').trimEnd()}=\n`,
  'sends an HTTP response': () => 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nready',
  'sends a line without an end': () => 'x'.repeat(1_000),
  'sends bytes that are no text': () => '\0\xff\xfe\n',
};

for (const [name, reply] of Object.entries(takeovers)) {
  test(`a process that took over a window’s socket and ${name} gets a nonce and nothing else, and is passed over`, async (t) => {
    const directory = windowDirectory(t);
    const honest = await TestWindow.start(t, directory, { number: 1 });
    const { path } = placeOf(directory, 2);
    const stranger = await new RawWindow(async (socket, received) => {
      const text = await reply(received(), path);
      if (text !== undefined) {
        socket.write(text, 'latin1');
      }
    }).start(t, directory, 2);
    assert.equal(typeof (await windowsIn(directory).find()), 'object');
    assert.equal(honest.statusRequests, 1);
    assert.match(stranger.received, /^notion-mcp-bridge\/1 [\w-]{43}\n$/);
  });
}

test('each connection has a nonce of its own, so that no proof can be used again', async (t) => {
  const directory = windowDirectory(t);
  const stranger = await new RawWindow((socket) => void socket.destroy()).start(t, directory);
  await windowsIn(directory).find();
  await windowsIn(directory).find();
  assert.equal(new Set(stranger.received.trim().split('\n')).size, 2);
});

test('a window that hangs before its proof is passed over after 3 s', async (t) => {
  const directory = windowDirectory(t);
  const clock = new FakeClock();
  await TestWindow.start(t, directory, { number: 1 });
  const hanging = await new RawWindow(() => undefined).start(t, directory, 2);
  let found: WindowConnection | string | undefined;
  const finding = windowsIn(directory, clock)
    .find()
    .then((result) => {
      found = result;
    });
  await until(() => hanging.received.endsWith('\n'));
  clock.advance(2_999);
  assert.equal(found, undefined);
  clock.advance(1);
  await finding;
  assert.equal(typeof found, 'object');
  assert.equal(clock.pendingTimers, 0);
});

test('a window that does not say in 10 s whether it serves the account is passed over', async (t) => {
  const directory = windowDirectory(t);
  const clock = new FakeClock();
  const { path } = placeOf(directory, 2);
  const hanging = await new RawWindow(async (socket, received) => {
    if (!received().includes('GET')) {
      socket.write((await proofFor(received(), path)) ?? '');
    }
  }).start(t, directory, 2);
  const finding = windowsIn(directory, clock).find();
  await until(() => hanging.received.includes('\r\n\r\n'));
  clock.advance(9_999);
  await TestWindow.start(t, directory, { number: 1 });
  clock.advance(1);
  // The entries were listed before the older window came.
  assert.equal(await finding, 'noWindow');
  assert.match(hanging.received, /GET \/notion-engineering-wiki\/editor\/status HTTP/);
});

test('a window whose entry is removed while it is read is passed over', async (t) => {
  const directory = windowDirectory(t);
  await TestWindow.start(t, directory, { number: 1 });
  const finding = windowsIn(directory).find();
  rmSync(placeOf(directory, 1).entryPath);
  assert.equal(await finding, 'noWindow');
});
