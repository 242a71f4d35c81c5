import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorIn, type HeldCalls, lastEvent, openHeld, result, rpcText, tool } from './heldServer.ts';
import { turns } from './scriptedServer.ts';

const minuteMs = 60_000;
const longTimeMs = 7 * 24 * 60 * minuteMs;

test('a request that takes seconds at any server gets an error after a minute, whatever the server sends', async (t) => {
  for (const method of ['initialize', 'server/discover', 'ping', 'tools/list', 'prompts/list', 'resources/list']) {
    const { server, clock, post } = await openHeld(t);
    const [silent] = [post(rpcText(method)), await server.next(false)];
    const [busy, upstream] = [post(rpcText(method)), await server.next()];
    for (let half = 0; half < 2; half += 1) {
      clock.advance(minuteMs / 2);
      await upstream.write(':\n\n').catch(() => assert.equal(half, 1));
    }
    for (const text of [await silent, lastEvent(await busy)]) {
      assert.deepEqual(errorIn(text)?.data, { kind: 'unreachable', reason: 'timeout' }, method);
    }
  }
});

test('a notification without a response is acknowledged after a minute', async (t) => {
  const { server, clock, send } = await openHeld(t);
  const body = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
  const [response] = [send({ body }), await server.next(false)];
  clock.advance(minuteMs);
  assert.equal((await response).status, 202);
});

test('a tool call is not ended as long as the server sends something every half hour, and gets its result', async (t) => {
  const { server, clock, post } = await openHeld(t);
  const [response, upstream] = [post(tool), await server.next()];
  for (let time = 0; time < 10; time += 1) {
    clock.advance(30 * minuteMs - 1);
    await upstream.write(':\n\n');
  }
  await upstream.write(result);
  upstream.end();
  assert.ok((await response).endsWith(result));
});

test('a tool call gets an error after half an hour of silence, by which its caller learns that the outcome is unknown', async (t) => {
  const { server, clock, post } = await openHeld(t);
  const [silent] = [post(tool), await server.next(false)];
  const [begun, upstream] = [post(tool), await server.next()];
  clock.advance(30 * minuteMs - 1);
  await upstream.write(':\n\n');
  clock.advance(1);
  const outcomeUnknown = { kind: 'outcomeUnknown', reason: 'timeout' };
  assert.deepEqual(errorIn(await silent)?.data, outcomeUnknown);
  clock.advance(30 * minuteMs - 2);
  assert.equal(upstream.request.signal.aborted, false);
  clock.advance(1);
  assert.deepEqual(errorIn(lastEvent(await begun))?.data, outcomeUnknown);
});

test('a tool call that waits for a renewal for half an hour was not sent or rejected, so its outcome is known', async (t) => {
  for (const isRejected of [false, true]) {
    const { accounts, server, clock, post } = await openHeld(t);
    const renewing = Promise.withResolvers<void>();
    accounts[isRejected ? 'renew' : 'fresh'] = () => {
      renewing.resolve();
      return new Promise(() => undefined);
    };
    const response = post(tool);
    if (isRejected) {
      (await server.next('', 401)).end();
    }
    await renewing.promise;
    clock.advance(30 * minuteMs);
    assert.deepEqual(errorIn(await response)?.data, { kind: 'unreachable', reason: 'timeout' });
  }
});

test('a stream for the server’s own messages may be silent for days', async (t) => {
  const { server, clock, post, send } = await openHeld(t);
  const [stream, upstream] = await Promise.all([send({ method: 'GET' }), server.next()]);
  const [listening, listened] = [post(rpcText('subscriptions/listen')), await server.next()];
  clock.advance(longTimeMs);
  await turns(5);
  await upstream.write('data: 1\n\n');
  upstream.end();
  await listened.write(result);
  listened.end();
  assert.equal(await stream.text(), 'data: 1\n\n');
  assert.equal(await listening, result);
});

for (const [change, happen] of Object.entries({
  'an address of the computer is lost': ({ addresses }: HeldCalls) => addresses.delete('192.0.2.1'),
  'the computer slept for more than half a minute': ({ clock }: HeldCalls) => clock.jump(40_001),
})) {
  test(`calls to another machine end when ${change}, and the caller learns what became of them`, async (t) => {
    const opened = await openHeld(t);
    const { server, clock, post, send } = opened;
    const [stream] = await Promise.all([send({ method: 'GET' }), server.next()]);
    const [list] = [post(rpcText('tools/list')), await server.next(false)];
    const [call] = [post(tool), await server.next(false)];
    happen(opened);
    clock.advance(10_000);
    assert.deepEqual(errorIn(await list)?.data, { kind: 'unreachable', reason: 'interrupted' });
    assert.deepEqual(errorIn(await call)?.data, { kind: 'outcomeUnknown', reason: 'interrupted' });
    assert.equal(await stream.text(), '');
  });

  test(`calls to this machine go on when ${change}`, async (t) => {
    const opened = await openHeld(t, 'http://127.0.0.1:1/mcp');
    const { server, clock, post } = opened;
    const [call, upstream] = [post(tool), await server.next()];
    happen(opened);
    clock.advance(20_000);
    await upstream.write(result);
    upstream.end();
    assert.equal(await call, result);
  });
}

test('an added address ends no call', async (t) => {
  const { server, clock, addresses, post } = await openHeld(t);
  const [call, upstream] = [post(tool), await server.next()];
  addresses.add('198.51.100.1');
  clock.advance(20_000);
  await upstream.write(result);
  upstream.end();
  assert.equal(await call, result);
});

test('no timer remains once no call is open', async (t) => {
  const { server, clock, post, send } = await openHeld(t);
  const [stream, upstream] = await Promise.all([send({ method: 'GET' }), server.next()]);
  const [call, called] = [post(tool), await server.next()];
  assert.ok(clock.pendingTimers > 0);
  await called.write(result);
  called.end();
  upstream.end();
  await Promise.all([call, stream.text()]);
  await turns(5);
  assert.equal(clock.pendingTimers, 0);
});
