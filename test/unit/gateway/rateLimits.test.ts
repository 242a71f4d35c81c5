import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { maxDiscardMs } from '../../../src/calls/accountCall.ts';
import { FakeClock } from '../fakeClock.ts';
import { rpc } from './gatewayUnderTest.ts';
import { openPosting } from './posting.ts';
import { respondWithResult, turns } from './scriptedServer.ts';

test('a request is sent again after a short pause that the MCP server requested', async (t) => {
  const clock = new ObservedClock();
  const { server, call } = await openPosting(t, clock);
  server.script = (response, received, number) => {
    if (number === 1) {
      response.writeHead(429, { 'retry-after': '10' }).end();
    } else {
      respondWithResult(response, received);
    }
  };
  const [[delayMs], { body }] = await Promise.all([
    once(clock.events, 'timer').then((event) => {
      assert.equal(server.received.length, 1);
      clock.advance(10_000);
      return event;
    }),
    call(rpc(1)),
  ]);
  assert.equal(delayMs, 10_000);
  assert.deepEqual(body, { jsonrpc: '2.0', id: 1, result: { method: 'tools/list' } });
});

test('a second 429 is passed to the caller as an error with the requested pause', async (t) => {
  const clock = new ObservedClock();
  const { server, call } = await openPosting(t, clock);
  server.script = (response) => response.writeHead(429, { 'retry-after': '3' }).end();
  clock.events.once('timer', () => clock.advance(3_000));
  const { body } = await call(rpc(1));
  assert.equal(server.received.length, 2);
  assert.deepEqual((body as { error: unknown }).error, {
    code: -32086,
    message: 'sentence for rateLimited 3 s',
    data: { kind: 'rateLimited', status: 429, retryAfterSeconds: 3 },
  });
});

test('a request is not sent again if the caller disconnects during the pause', async (t) => {
  const clock = new ObservedClock();
  const { server, send } = await openPosting(t, clock);
  server.script = (response) => response.writeHead(429, { 'retry-after': '3' }).end();
  const caller = new AbortController();
  clock.events.once('timer', () => caller.abort());
  const cancelled = once(clock.events, 'cancelled');
  await assert.rejects(send({ body: JSON.stringify(rpc(1)), signal: caller.signal }));
  await cancelled;
  await turns(1);
  assert.equal(clock.pendingTimers, 0);
  assert.equal(server.received.length, 1);
});

/** A clock that emits `timer` when a pause starts and `cancelled` when one is cancelled. */
class ObservedClock extends FakeClock {
  readonly events = new EventEmitter();

  override after(delayMs: number, action: () => void): () => void {
    const cancel = super.after(delayMs, action);
    // Not the limits of calls and of discarded responses.
    if (delayMs === maxDiscardMs || delayMs > 10_000) {
      return cancel;
    }
    setImmediate(() => this.events.emit('timer', delayMs));
    return () => {
      cancel();
      this.events.emit('cancelled');
    };
  }
}
