import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../connections.ts';
import { type HeldCalls, kindIn, lastEvent, openHeld, result, tool } from './heldServer.ts';
import { turns } from './scriptedServer.ts';

/** What ends a call that may not be used any more, and the kind of error that it then gets. */
const endings = {
  signedOut: ({ accounts }: HeldCalls) => accounts.grants.delete('ada'),
  notOffered: ({ offer }: HeldCalls) => {
    offer.isOn = false;
  },
};

for (const [kind, forbid] of Object.entries(endings)) {
  const title = kind === 'signedOut' ? 'a sign-out' : 'turning the offer off';

  test(`${title} ends a stream that was opened before, and later ones are refused`, async (t) => {
    const opened = await openHeld(t);
    const { gateway, send, server } = opened;
    const [stream, upstream] = await Promise.all([send({ method: 'GET' }), server.next()]);
    const text = stream.text();
    await upstream.write('data: 1\n\n');
    forbid(opened);
    gateway.endForbiddenCalls();
    assert.equal(await text, 'data: 1\n\n');
    assert.ok(upstream.request.signal.aborted);
    assert.equal((await send({ method: 'GET' })).status, 405);
    assert.equal(server.requests.length, 1);
  });

  test(`${title} ends a call that has no response yet with an error, and later ones are refused with the same`, async (t) => {
    const opened = await openHeld(t);
    const { gateway, server, post } = opened;
    const [response] = [post('{"jsonrpc":"2.0","id": 1.0,"method":"tools/call"}'), await server.next(false)];
    forbid(opened);
    gateway.endForbiddenCalls();
    const error = new RegExp(`^\\{"jsonrpc":"2.0","id":1.0,"error":\\{"code":-\\d+,"message":"sentence for ${kind}",`);
    assert.match(await response, error);
    assert.match(await post('{"jsonrpc":"2.0","id": 1.0,"method":"tools/list"}'), error);
    assert.equal(server.requests.length, 1);
  });

  test(`${title} ends a call whose events have begun with an error as its last event`, async (t) => {
    const opened = await openHeld(t);
    const { gateway, server, post } = opened;
    const [response, upstream] = [post(tool), await server.next()];
    await upstream.write('data: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n');
    forbid(opened);
    gateway.endForbiddenCalls();
    const events = (await response).split('\n\n').filter((event) => event.startsWith('data: '));
    assert.deepEqual(events.map(kindIn), [undefined, kind]);
  });

  test(`${title} ends a call whose JSON has begun, one that waits for a renewal, and one in a pause`, async (t) => {
    const opened = await openHeld(t);
    const { gateway, server, post, accounts } = opened;
    const json = post(tool);
    await (await server.next('application/json')).write('{"jsonrpc":');
    const paused = post(tool);
    await server.next('', 429, { 'retry-after': '9' });
    const renewing = Promise.withResolvers<void>();
    accounts.fresh = () => {
      renewing.resolve();
      return new Promise(() => undefined);
    };
    const waiting = post(tool);
    await renewing.promise;
    await turns(10);
    forbid(opened);
    gateway.endForbiddenCalls();
    assert.deepEqual((await Promise.all([json, paused, waiting])).map(kindIn), [kind, kind, kind]);
    assert.equal(server.requests.length, 2);
  });

  test(`${title} ends a call whose broken stream is about to be resumed, or is being resumed`, async (t) => {
    for (const isResuming of [false, true]) {
      const opened = await openHeld(t);
      const { gateway, server, clock, post } = opened;
      const [response, upstream] = [post(tool, { 'mcp-session-id': 'session' }), await server.next()];
      await upstream.write('id: 1\ndata: {"jsonrpc":"2.0","method":"notifications/progress"}\n\n');
      upstream.end();
      await until(() => clock.isWaiting(1_000));
      if (isResuming) {
        clock.advance(1_000);
        await server.next(false);
      }
      forbid(opened);
      gateway.endForbiddenCalls();
      assert.equal(kindIn(lastEvent(await response)), kind);
    }
  });
}

test('a sign-out ends no call of another account', async (t) => {
  const { gateway, server, accounts, post } = await openHeld(t);
  accounts.add('grace', 'https://mcp.example.test/mcp', 'other');
  gateway.secretFor('grace');
  const [ofAda] = [post(tool), await server.next(false)];
  const [ofGrace, upstream] = [post(tool, {}, 'grace'), await server.next()];
  accounts.grants.delete('ada');
  gateway.endForbiddenCalls();
  assert.equal(kindIn(await ofAda), 'signedOut');
  await upstream.write(result);
  upstream.end();
  assert.equal(await ofGrace, result);
});

test('calls go on while their account and the offer remain', async (t) => {
  const { gateway, server, post } = await openHeld(t);
  const [response, upstream] = [post(tool), await server.next()];
  gateway.endForbiddenCalls();
  await upstream.write(result);
  upstream.end();
  assert.equal(await response, result);
});
