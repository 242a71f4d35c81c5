import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { buildAuthorization, type PendingAuthorization } from '../../../src/oauth/authorization.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { AuthorizationServer } from '../../../src/oauth/model.ts';
import { AnnouncedSignIns } from '../../../src/signIn/announcedSignIns.ts';
import { PendingSignIns } from '../../../src/signIn/pending.ts';
import { FakeClock } from '../fakeClock.ts';

const server: AuthorizationServer = {
  issuer: 'https://mcp.notion.com',
  authorizationEndpoint: 'https://mcp.notion.com/authorize',
  tokenEndpoint: 'https://mcp.notion.com/token',
};

function setUp(authorizationServer = server) {
  const lines: string[] = [];
  const record = (line: string) => void lines.push(line);
  const log = new Log({ error: record, warn: record, info: record, debug: record });
  const shared = new Set<string>();
  const changes = new EventEmitter();
  const clock = new FakeClock();
  const files = {
    makePrivateDirectory: async () => undefined,
    create: async (path: string) => {
      shared.add(path.replace('journal/', ''));
      return changes.emit('change');
    },
    list: async () => [...shared],
    remove: async (path: string) => {
      shared.delete(path.replace('journal/', ''));
      changes.emit('change');
    },
  };
  const open = () => new PendingSignIns(log, new AnnouncedSignIns({ files, directory: 'journal', clock }));
  const openAlone = () => new PendingSignIns(log);
  const authorize = (redirectUri = 'vscode://seedling.notion-mcp-auth/callback') =>
    buildAuthorization(
      { resource: 'https://mcp.notion.com/mcp', authorizationServer },
      { clientId: 'client', authMethod: 'none' },
      { redirectUri, randomness: systemRandomness },
    );
  return { lines, open, openAlone, authorize, shared, changes, clock };
}

const callback = ({ state }: PendingAuthorization, more: Record<string, string> = {}) =>
  new URLSearchParams({ code: 'user:grant:secret', state: state.reveal(), ...more }).toString();

test('a callback with the right state delivers its code exactly once', async () => {
  const { open, authorize } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = pending.wait(authorization, 'uriHandler');
  assert.equal(await pending.receive(callback(authorization)), 'accepted');
  assert.equal((await waiting.code).reveal(), 'user:grant:secret');
  assert.equal(await pending.receive(callback(authorization)), 'repeated');
});

test('a callback with no state, a wrong one or two changes nothing; the genuine one is still accepted', async () => {
  const { open, authorize } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = pending.wait(authorization, 'uriHandler');
  assert.equal(await pending.receive('code=stolen'), 'foreign');
  assert.equal(await pending.receive('code=stolen&state=AAAA%3D'), 'foreign');
  assert.equal(await pending.receive(`${callback(authorization)}&state=AAAA%3D`), 'unsafe');
  assert.equal(await pending.receive(`${callback(authorization)}&code=second`), 'unsafe');
  assert.equal(await pending.receive(callback(authorization, { iss: 'https://evil.example' })), 'unsafe');
  assert.equal(await pending.receive(callback(authorization)), 'accepted');
  assert.equal((await waiting.code).reveal(), 'user:grant:secret');
});

test('two sign-ins at the same time each receive their own code', async () => {
  const { open, authorize } = setUp();
  const pending = open();
  const [first, second] = [await authorize(), await authorize()];
  const waitingFirst = pending.wait(first, 'uriHandler');
  const waitingSecond = pending.wait(second, 'uriHandler');
  assert.equal(await pending.receive(callback(second, { code: 'second' })), 'accepted');
  assert.equal(await pending.receive(callback(first, { code: 'first' })), 'accepted');
  assert.equal((await waitingFirst.code).reveal(), 'first');
  assert.equal((await waitingSecond.code).reveal(), 'second');
});

test('a state is accepted only on the channel whose redirect URI it was bound to', async () => {
  const { open, authorize } = setUp();
  const pending = open();
  const [authorization, other] = [
    await authorize('http://127.0.0.1:50000/x'),
    await authorize('http://127.0.0.1:50001/y'),
  ];
  const refused: string[] = [];
  const onRefused = ({ details: { code } }: Failure) => refused.push(code);
  const waiting = pending.wait(authorization, 'loopback', { onRefused });
  const waitingOther = pending.wait(other, 'loopback', {
    onRefused: () => assert.fail('the sign-in is not concerned'),
  });
  assert.equal(await pending.receive(callback(authorization)), 'unsafe');
  assert.equal(await waitingOther.receive(callback(authorization)), 'unsafe');
  assert.deepEqual(refused, ['redirect_mismatch', 'redirect_mismatch']);
  assert.equal(await waiting.receive(callback(authorization)), 'accepted');
});

test('a callback with an OAuth error ends the sign-in with that error', async () => {
  const { open, authorize } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = pending.wait(authorization, 'uriHandler');
  const query = new URLSearchParams({ error: 'access_denied', state: authorization.state.reveal() }).toString();
  assert.equal(await pending.receive(query), 'declined');
  await assert.rejects(waiting.code, (error) => error instanceof Failure && error.kind === 'accessDenied');
});

test('a callback for a sign-in that ended is recognised and ignored', async () => {
  const { open, authorize, lines } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = pending.wait(authorization, 'uriHandler');
  waiting.end();
  assert.equal(await pending.receive(callback(authorization)), 'ended');
  assert.equal(pending.isWaiting, false);
  assert.match(lines[0] ?? '', /belongs to a sign-in that has ended/);
});

test('a callback that a sign-in refuses is named to that sign-in at once', async () => {
  const strict = { ...server, issParameterSupported: true };
  const { open, authorize } = setUp(strict);
  const pending = open();
  const authorization = await authorize();
  const refused: string[] = [];
  pending.wait(authorization, 'uriHandler', { onRefused: ({ details: { code } }) => refused.push(code) });
  await pending.receive(callback(authorization, { iss: 'https://evil.example' }));
  await pending.receive(callback(authorization));
  await pending.receive(new URLSearchParams({ state: authorization.state.reveal(), iss: strict.issuer }).toString());
  assert.deepEqual(refused, ['issuer_mismatch', 'issuer_missing', 'no_code']);
});

/** Waits until `count` sign-ins are announced. */
async function announced({ shared, changes }: ReturnType<typeof setUp>, count: number): Promise<void> {
  while (shared.size !== count) {
    await once(changes, 'change');
  }
}

test('a callback of a sign-in that waits in another window, or waited before a reload, is recognised, however it is encoded', async () => {
  const windows = setUp();
  const { open, authorize, lines } = windows;
  const authorization = await authorize();
  const waiting = open().wait(authorization, 'uriHandler');
  await announced(windows, 1);
  const other = open();
  const query = callback(authorization);
  for (const encoded of [query, decodeURIComponent(query), query.replaceAll('%', '%25')]) {
    assert.equal(await other.receive(encoded), 'otherWindow', encoded);
  }
  assert.match(lines[0] ?? '', /belongs to a sign-in of another window/);
  assert.equal(await other.receive('code=x&state=d3Jvbmc%3D'), 'foreign');
  assert.equal(await waiting.receive(query), 'accepted');
  await announced(windows, 0);
  assert.equal(await other.receive(query), 'foreign');
});

test('a sign-in of another window that has not ended its announcement is unknown after its time limit', async () => {
  const windows = setUp();
  const { open, authorize, clock } = windows;
  const authorization = await authorize();
  open().wait(authorization, 'uriHandler');
  await announced(windows, 1);
  clock.advance(5 * 60_000);
  assert.equal(await open().receive(callback(authorization)), 'foreign');
});

test('what windows share of a sign-in cannot be used to complete it', async () => {
  const windows = setUp();
  const { open, authorize, shared } = windows;
  const authorization = await authorize();
  const pending = open();
  pending.wait(authorization, 'uriHandler');
  await announced(windows, 1);
  const [hash = ''] = [...shared][0]?.split('.') ?? [];
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.ok(!hash.includes(authorization.state.reveal().slice(0, 8)));
  assert.equal(await pending.receive(new URLSearchParams({ code: 'stolen', state: hash }).toString()), 'foreign');
});

test('the last 20 sign-ins that ended are recognised, and no earlier one', async () => {
  const { openAlone, authorize } = setUp();
  const pending = openAlone();
  const authorizations = await Promise.all(Array.from({ length: 21 }, () => authorize()));
  for (const authorization of authorizations) {
    const waiting = pending.wait(authorization, 'uriHandler');
    await pending.receive(callback(authorization));
    // As every sign-in does, also after its callback was accepted.
    waiting.end();
  }
  const results = await Promise.all(authorizations.map((authorization) => pending.receive(callback(authorization))));
  assert.deepEqual(results, ['foreign', ...Array<string>(20).fill('repeated')]);
});

test('unknown callbacks cannot flood the log', async () => {
  const { open, lines } = setUp();
  const pending = open();
  for (let index = 0; index < 100; index++) {
    await pending.receive(`code=x&state=${index}`);
  }
  assert.equal(lines.length, 10);
  assert.match(lines.at(-1) ?? '', /furtherLinesSuppressed=true/);
});

test('a callback of any length costs no more than a look at its length, and leaves the sign-in waiting', async () => {
  const { open, authorize, lines } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = pending.wait(authorization, 'uriHandler');
  // A text of which nothing but its length can be used.
  const long = { length: 650_000_000 } as string;
  for (let index = 0; index < 100; index++) {
    assert.equal(await pending.receive(long), 'foreign');
  }
  assert.equal(lines.length, 10);
  assert.match(lines[0] ?? '', /too long; it was ignored\. furtherLinesSuppressed=false length=650000000/);
  assert.equal(await pending.receive(`${callback(authorization)}&x=${'x'.repeat(1_000_000)}`), 'foreign');
  assert.equal(await pending.receive(callback(authorization)), 'accepted');
  await waiting.code;
});

test('callbacks of a sign-in that ended cannot flood the log either', async () => {
  const { open, authorize, lines } = setUp();
  const pending = open();
  const authorization = await authorize();
  pending.wait(authorization, 'uriHandler').end();
  for (let index = 0; index < 100; index++) {
    assert.equal(await pending.receive(callback(authorization)), 'ended');
  }
  assert.equal(lines.length, 10);
});

test('a callback without the iss that the server announced is rejected before its code is used', async () => {
  const strict = { ...server, issParameterSupported: true };
  const { open, authorize } = setUp(strict);
  const pending = open();
  const authorization = await authorize();
  pending.wait(authorization, 'uriHandler');
  assert.equal(await pending.receive(callback(authorization)), 'unsafe');
  assert.equal(await pending.receive(callback(authorization, { iss: strict.issuer })), 'accepted');
});
