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

function world(authorizationServer = server) {
  const lines: string[] = [];
  const keep = (line: string) => void lines.push(line);
  const log = new Log({ error: keep, warn: keep, info: keep, debug: keep });
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

const answer = ({ state }: PendingAuthorization, more: Record<string, string> = {}) =>
  new URLSearchParams({ code: 'user:grant:secret', state: state.reveal(), ...more }).toString();

test('the answer with the right state brings the code, once', async () => {
  const { open, authorize } = world();
  const pending = open();
  const authorization = await authorize();
  const waiting = await pending.wait(authorization, server, 'uriHandler');
  assert.equal(await pending.receive(answer(authorization)), 'accepted');
  assert.equal((await waiting.code).reveal(), 'user:grant:secret');
  assert.equal(await pending.receive(answer(authorization)), 'ended');
});

test('an answer without a state, with a foreign one, or with two changes nothing: the right one still counts', async () => {
  const { open, authorize } = world();
  const pending = open();
  const authorization = await authorize();
  const waiting = await pending.wait(authorization, server, 'uriHandler');
  assert.equal(await pending.receive('code=stolen'), 'foreign');
  assert.equal(await pending.receive('code=stolen&state=AAAA%3D'), 'foreign');
  assert.equal(await pending.receive(`${answer(authorization)}&state=AAAA%3D`), 'unsafe');
  assert.equal(await pending.receive(`${answer(authorization)}&code=second`), 'unsafe');
  assert.equal(await pending.receive(answer(authorization, { iss: 'https://evil.example' })), 'unsafe');
  assert.equal(await pending.receive(answer(authorization)), 'accepted');
  assert.equal((await waiting.code).reveal(), 'user:grant:secret');
});

test('two sign-ins at once do not mix', async () => {
  const { open, authorize } = world();
  const pending = open();
  const [first, second] = [await authorize(), await authorize()];
  const waitingFirst = await pending.wait(first, server, 'uriHandler');
  const waitingSecond = await pending.wait(second, server, 'uriHandler');
  assert.equal(await pending.receive(answer(second, { code: 'second' })), 'accepted');
  assert.equal(await pending.receive(answer(first, { code: 'first' })), 'accepted');
  assert.equal((await waitingFirst.code).reveal(), 'first');
  assert.equal((await waitingSecond.code).reveal(), 'second');
});

test('a state counts only on the channel whose redirect URI it was bound to', async () => {
  const { open, authorize } = world();
  const pending = open();
  const [byLoopback, other] = [
    await authorize('http://127.0.0.1:50000/x'),
    await authorize('http://127.0.0.1:50001/y'),
  ];
  const waiting = await pending.wait(byLoopback, server, 'loopback');
  const waitingOther = await pending.wait(other, server, 'loopback');
  assert.notEqual(await pending.receive(answer(byLoopback)), 'accepted');
  assert.notEqual(await waitingOther.receive(answer(byLoopback)), 'accepted');
  assert.equal(await waiting.receive(answer(byLoopback)), 'accepted');
});

test('a refusal ends the sign-in with what the server said', async () => {
  const { open, authorize } = world();
  const pending = open();
  const authorization = await authorize();
  const waiting = await pending.wait(authorization, server, 'uriHandler');
  const query = new URLSearchParams({ error: 'access_denied', state: authorization.state.reveal() }).toString();
  assert.equal(await pending.receive(query), 'declined');
  await assert.rejects(waiting.code, (error) => error instanceof Failure && error.kind === 'accessDenied');
});

test('an answer after the end, or after a reload, is known as ours and does nothing', async () => {
  const { open, authorize, clock } = world();
  const pending = open();
  const authorization = await authorize();
  const waiting = await pending.wait(authorization, server, 'uriHandler');
  waiting.end();
  assert.equal(await pending.receive(answer(authorization)), 'ended');
  assert.equal(await open().receive(answer(authorization)), 'ended');
  clock.advance(16 * 60_000);
  assert.equal(await open().receive(answer(authorization)), 'foreign');
});

test('what is kept across a reload is no state, and strangers cannot fill the log', async () => {
  const { open, authorize, stored, lines } = world();
  const pending = open();
  const authorization = await authorize();
  await pending.wait(authorization, server, 'uriHandler');
  assert.ok(!JSON.stringify([...stored.values()]).includes(authorization.state.reveal()));
  for (let index = 0; index < 100; index++) {
    await pending.receive(`code=x&state=${index}`);
  }
  assert.ok(lines.length <= 10, String(lines.length));
});

test('a server that promised to name itself and does not is refused before its code is used', async () => {
  const strict = { ...server, issParameterSupported: true };
  const { open, authorize } = world(strict);
  const pending = open();
  const authorization = await authorize();
  await pending.wait(authorization, strict, 'uriHandler');
  assert.equal(await pending.receive(answer(authorization)), 'unsafe');
  assert.equal(await pending.receive(answer(authorization, { iss: strict.issuer })), 'accepted');
});
