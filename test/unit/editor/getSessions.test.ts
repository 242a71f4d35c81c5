import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import { FakeClock } from '../fakeClock.ts';
import { openProvider, text } from './providerUnderTest.ts';

const hour = 60 * 60_000;
const offline = { name: 'offline', message: /^The sign-in to Notion could not be renewed just now\. It is kept/ };

function unreachable(): never {
  throw new Failure('transient', { step: 'token', code: 'unreachable', host: 'mcp.example' });
}

function refuses(): never {
  throw new Failure('serverRejected', { step: 'token', code: 'invalid_scope', status: 400, host: 'mcp.example' });
}

test('a request for sessions starts no sign-in, whether or not it finds any', async (t) => {
  const { provider, signIns, signIn } = await openProvider(t);
  assert.deepEqual(await provider.getSessions(['default'], {}), []);
  await signIn();
  assert.equal((await provider.getSessions(['default'], {})).length, 1);
  assert.deepEqual(await provider.getSessions(['never requested'], {}), []);
  assert.deepEqual(signIns, []);
});

test('a request without scopes lists every account from memory, also one that needs a sign-in, without its token', async (t) => {
  const { machine, window, provider, signIn } = await openProvider(t);
  const ended = (await signIn('ada')).grant;
  const { grant } = await signIn('grace');
  machine.clock.aheadMs = hour / 2;
  machine.server.end(ended);
  await assert.rejects(window.accounts.renew(ended.id, { reason: 'asked' }));
  machine.clock.aheadMs = 2 * hour;
  const sent = machine.server.refreshes.length;
  const sessions = await provider.getSessions(undefined, {});
  assert.deepEqual(
    sessions.map(({ account, accessToken }) => [account.label, accessToken]),
    [
      ['ada (wiki)', ''],
      ['grace (wiki)', grant.tokens.accessToken.reveal()],
    ],
  );
  assert.equal(machine.server.refreshes.length, sent);
});

test('accounts of another server are not listed', async (t) => {
  const { window, provider, events, signIn } = await openProvider(t);
  await signIn();
  await provider.getSessions(undefined, {});
  window.accounts.setServerUrl('https://other.example/mcp');
  assert.deepEqual(await provider.getSessions(undefined, {}), []);
  assert.deepEqual(await provider.getSessions(['default'], {}), []);
  assert.equal(events.at(-1), 'removed ada (wiki) default');
});

test('a request for one of several accounts gets that account alone', async (t) => {
  const { provider, signIn } = await openProvider(t);
  await signIn('ada', ['default'], 'wiki');
  await signIn('ada', ['default'], 'notes');
  await signIn('grace');
  const all = await provider.getSessions(['default'], {});
  assert.deepEqual(all.map(text), ['ada (notes) default', 'ada (wiki) default', 'grace (wiki) default']);
  for (const { account } of all) {
    const found = await provider.getSessions(['default'], { account });
    assert.deepEqual(
      found.map((session) => session.account),
      [account],
    );
    assert.deepEqual((await provider.getSessions(undefined, { account })).length, 1);
  }
  assert.deepEqual(await provider.getSessions(['default'], { account: { id: 'x', label: 'lin (wiki)' } }), []);
});

test('an account whose token cannot be renewed is left out if another one matches, and fails alone as offline', async (t) => {
  const { machine, provider, signIn } = await openProvider(t);
  const { grant } = await signIn('ada');
  await signIn('grace');
  const [{ account } = assert.fail()] = await provider.getSessions(['default'], {});
  machine.clock.aheadMs = 2 * hour;
  const onlyGrace: (typeof machine.server.next)[0] = ({ id }, respond) => (id === grant.id ? unreachable() : respond());
  // More than the requests below need, as the scheduler tries again too.
  machine.server.next.push(...Array<typeof onlyGrace>(20).fill(onlyGrace));
  assert.deepEqual((await provider.getSessions(['default'], {})).map(text), ['grace (wiki) default']);
  await assert.rejects(provider.getSessions(['default'], { account }), offline);
  assert.deepEqual((await provider.getSessions(undefined, {})).length, 2);
});

test('a request that only accounts match that cannot be renewed fails as offline, so that no sign-in is requested', async (t) => {
  const { machine, provider, signIn } = await openProvider(t);
  await signIn('ada');
  await signIn('grace');
  machine.clock.aheadMs = 2 * hour;
  machine.server.next.push(unreachable, unreachable);
  await assert.rejects(provider.getSessions(['default'], {}), offline);
});

const causes = {
  unreachable: 'mcp.example cannot be reached.',
  timeout: 'mcp.example did not respond in time.',
  certificate: 'The certificate of mcp.example is not trusted on this computer.',
  proxy: 'The proxy did not let the request to mcp.example through.',
} as const;

for (const [code, sentence] of Object.entries(causes)) {
  test(`a request for an account that cannot be renewed because of ${code} fails with a sentence that names this cause`, async (t) => {
    const { machine, provider, signIn } = await openProvider(t);
    await signIn();
    machine.clock.aheadMs = 2 * hour;
    machine.server.next.push(() => {
      throw new Failure('transient', { step: 'token', code: code as keyof typeof causes, host: 'mcp.example' });
    });
    await assert.rejects(
      provider.getSessions(['default'], {}),
      ({ message }: Error) => offline.message.test(message) && message.includes(`It is kept. ${sentence}`),
    );
  });
}

test('an account that the server refuses to renew is used while its token is good, and then fails with that reason', async (t) => {
  const { machine, window, provider, events, signIn } = await openProvider(t);
  const { grant } = await signIn();
  await provider.getSessions(undefined, {});
  events.length = 0;
  machine.server.next.push(refuses);
  await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
  assert.deepEqual(events, ['changed ada (wiki) default']);
  const [session] = await provider.getSessions(['default'], {});
  assert.equal(session?.accessToken, grant.tokens.accessToken.reveal());
  machine.server.next.push(refuses);
  machine.clock.aheadMs = 2 * hour;
  await assert.rejects(provider.getSessions(['default'], {}), {
    name: 'needsSignIn',
    message: /^Notion refuses to renew the sign-in\. .* reconnect it\.$/,
  });
  assert.deepEqual((await provider.getSessions(undefined, {})).map(text), ['ada (wiki) default']);
});

test('a request waits five seconds for a renewal, which goes on and is announced', async (t) => {
  const clock = new FakeClock(Date.now());
  const { machine, window, provider, signIn } = await openProvider(t, { clock });
  await signIn();
  await provider.getSessions(undefined, {});
  clock.jump(2 * hour);
  machine.clock.aheadMs = 2 * hour;
  const sent = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  machine.server.next.push(async (_, respond) => {
    sent.resolve();
    await held.promise;
    return respond();
  });
  const waiting = provider.getSessions(['default'], {});
  await sent.promise;
  clock.advance(5_000);
  await assert.rejects(waiting, offline);
  held.resolve();
  await window.waitForEvent('changed ada (wiki)');
  assert.equal((await provider.getSessions(['default'], {})).length, 1);
});

test('an account whose grant turns out to have ended is not reported as offline', async (t) => {
  const { machine, provider, signIn, events } = await openProvider(t);
  const { grant } = await signIn();
  machine.clock.aheadMs = 2 * hour;
  machine.server.end(grant);
  assert.deepEqual(await provider.getSessions(['default'], {}), []);
  assert.equal(events.at(-1), 'changed ada (wiki) default');
});
