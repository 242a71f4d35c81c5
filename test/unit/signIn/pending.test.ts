import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { buildAuthorization, type PendingAuthorization } from '../../../src/oauth/authorization.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { AuthorizationServer } from '../../../src/oauth/model.ts';
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
  const stored = new Map<string, unknown>();
  const memory = {
    get: <T>(key: string) => stored.get(key) as T | undefined,
    update: async (key: string, value: unknown) => void stored.set(key, value),
  };
  const clock = new FakeClock();
  const open = () => new PendingSignIns(memory, clock, log);
  const authorize = (redirectUri = 'vscode://seedling.notion-mcp-auth/callback') =>
    buildAuthorization(
      { resource: 'https://mcp.notion.com/mcp', authorizationServer },
      { clientId: 'client', authMethod: 'none' },
      { redirectUri, randomness: systemRandomness },
    );
  return { lines, stored, clock, open, authorize };
}

const callback = ({ state }: PendingAuthorization, more: Record<string, string> = {}) =>
  new URLSearchParams({ code: 'user:grant:secret', state: state.reveal(), ...more }).toString();

test('a callback with the right state delivers its code exactly once', async () => {
  const { open, authorize } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = await pending.wait(authorization, server, 'uriHandler');
  assert.equal(await pending.receive(callback(authorization)), 'accepted');
  assert.equal((await waiting.code).reveal(), 'user:grant:secret');
  assert.equal(await pending.receive(callback(authorization)), 'ended');
});

test('a callback with no state, a wrong one or two changes nothing; the genuine one is still accepted', async () => {
  const { open, authorize } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = await pending.wait(authorization, server, 'uriHandler');
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
  const waitingFirst = await pending.wait(first, server, 'uriHandler');
  const waitingSecond = await pending.wait(second, server, 'uriHandler');
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
  const waiting = await pending.wait(authorization, server, 'loopback');
  const waitingOther = await pending.wait(other, server, 'loopback');
  assert.notEqual(await pending.receive(callback(authorization)), 'accepted');
  assert.notEqual(await waitingOther.receive(callback(authorization)), 'accepted');
  assert.equal(await waiting.receive(callback(authorization)), 'accepted');
});

test('a callback with an OAuth error ends the sign-in with that error', async () => {
  const { open, authorize } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = await pending.wait(authorization, server, 'uriHandler');
  const query = new URLSearchParams({ error: 'access_denied', state: authorization.state.reveal() }).toString();
  assert.equal(await pending.receive(query), 'declined');
  await assert.rejects(waiting.code, (error) => error instanceof Failure && error.kind === 'accessDenied');
});

test('a callback for a sign-in that ended, or that began before a reload, is recognised and ignored', async () => {
  const { open, authorize, clock } = setUp();
  const pending = open();
  const authorization = await authorize();
  const waiting = await pending.wait(authorization, server, 'uriHandler');
  waiting.end();
  assert.equal(await pending.receive(callback(authorization)), 'ended');
  assert.equal(await open().receive(callback(authorization)), 'ended');
  clock.advance(16 * 60_000);
  assert.equal(await open().receive(callback(authorization)), 'foreign');
});

test('no state is kept in clear across a reload, and unknown callbacks cannot flood the log', async () => {
  const { open, authorize, stored, lines } = setUp();
  const pending = open();
  const authorization = await authorize();
  await pending.wait(authorization, server, 'uriHandler');
  assert.ok(!JSON.stringify([...stored.values()]).includes(authorization.state.reveal()));
  for (let index = 0; index < 100; index++) {
    await pending.receive(`code=x&state=${index}`);
  }
  assert.ok(lines.length <= 10, String(lines.length));
});

test('a callback without the iss that the server announced is rejected before its code is used', async () => {
  const strict = { ...server, issParameterSupported: true };
  const { open, authorize } = setUp(strict);
  const pending = open();
  const authorization = await authorize();
  await pending.wait(authorization, strict, 'uriHandler');
  assert.equal(await pending.receive(callback(authorization)), 'unsafe');
  assert.equal(await pending.receive(callback(authorization, { iss: strict.issuer })), 'accepted');
});
