import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallOptions, type OpenCall, OpenCalls } from '../../../src/calls/openCalls.ts';
import type { Problem } from '../../../src/calls/problem.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import { NetworkWatch } from '../../../src/http/networkWatch.ts';
import { FakeClock } from '../fakeClock.ts';

const minuteMs = 60_000;
const host = 'mcp.example.test';

test('a request that must have its response within a minute ends then, whatever the server has sent until then', () => {
  const { clock, open } = setUp();
  const call = open({ messages: new Set(['tools/list']) });
  clock.advance(minuteMs - 1);
  call.noteSign();
  assert.equal(call.signal.aborted, false);
  clock.advance(1);
  assert.deepEqual(endOf(call), ['unreachable', 'timeout']);
});

test('a tool call ends after half an hour without a sign of the server, and then its outcome is unknown', () => {
  const { clock, open } = setUp();
  const call = open({ messages: new Set(['tools/call']) });
  call.mayHaveArrived = true;
  for (const _ of Array.from({ length: 10 })) {
    clock.advance(30 * minuteMs - 1);
    assert.equal(call.signal.aborted, false);
    call.noteSign();
  }
  clock.advance(30 * minuteMs - 1);
  assert.equal(call.signal.aborted, false);
  clock.advance(1);
  assert.deepEqual(endOf(call), ['outcomeUnknown', 'timeout']);
});

test('the outcome of a tool call that was never sent is known', () => {
  const { clock, open } = setUp();
  const call = open({ messages: new Set(['tools/call']) });
  clock.advance(30 * minuteMs);
  assert.deepEqual(endOf(call), ['unreachable', 'timeout']);
});

test('a GET, and a request that opens a stream for the server’s own messages, may be silent for days', () => {
  const { clock, open } = setUp();
  const calls = [open({ method: 'GET', messages: new Set() }), open({ messages: new Set(['subscriptions/listen']) })];
  clock.advance(7 * 24 * 60 * minuteMs);
  assert.deepEqual(
    calls.map(({ signal }) => signal.aborted),
    [false, false],
  );
});

test('a call whose caller is gone fails as cancelled, and one that was ended before keeps its problem', () => {
  const { open } = setUp();
  const cancelled = open();
  cancelled.cancel();
  assert.ok(cancelled.signal.aborted);
  const error = new HttpFailure('cancelled', host);
  assert.throws(
    () => cancelled.problemOf(error),
    (thrown) => thrown === error,
  );
  const ended = open();
  ended.end({ kind: 'notOffered', host });
  ended.end({ kind: 'signedOut', host });
  ended.cancel();
  assert.deepEqual(ended.problemOf(error), { kind: 'notOffered', host });
});

test('only calls for which there is a problem are ended, and closed ones are forgotten', () => {
  const { calls, open } = setUp();
  const [ada, grace, closed] = [open(), open({ grantId: 'grace' }), open()];
  closed.close();
  const seen: OpenCall[] = [];
  calls.endEach((call) => {
    seen.push(call);
    return call.grantId === 'ada' ? { kind: 'signedOut', host } : undefined;
  });
  assert.deepEqual(seen, [ada, grace]);
  assert.deepEqual(
    [ada, grace, closed].map(({ signal }) => signal.aborted),
    [true, false, false],
  );
});

test('a lost address ends calls to other machines, and none to this one', () => {
  const { clock, open, addresses } = setUp(['192.0.2.1', '2001:db8::1']);
  const list = open({ messages: new Set(['tools/list']) });
  const tool = open({ messages: new Set(['tools/call']) });
  const stream = open({ method: 'GET', messages: new Set() });
  const local = open({ isLocal: true, messages: new Set(['tools/call']) });
  tool.mayHaveArrived = true;
  addresses.delete('192.0.2.1');
  clock.advance(10_000);
  assert.deepEqual([list, tool, stream].map(endOf), [
    ['unreachable', 'interrupted'],
    ['outcomeUnknown', 'interrupted'],
    ['unreachable', 'interrupted'],
  ]);
  assert.equal(local.signal.aborted, false);
});

test('an added address ends no call, and is missed like any other once it is lost', () => {
  const { clock, open, addresses } = setUp(['192.0.2.1']);
  const stream = open({ method: 'GET', messages: new Set() });
  addresses.add('198.51.100.1');
  clock.advance(minuteMs);
  assert.equal(stream.signal.aborted, false);
  addresses.delete('198.51.100.1');
  clock.advance(10_000);
  assert.deepEqual(endOf(stream), ['unreachable', 'interrupted']);
});

test('a call that begins after an address was lost goes on, whether or not an older one is open then', () => {
  for (const isOlderOpen of [true, false]) {
    const { clock, open, addresses } = setUp(['192.0.2.1']);
    const older = open();
    if (!isOlderOpen) {
      older.close();
    }
    clock.advance(5_000);
    addresses.clear();
    const next = open();
    clock.advance(minuteMs);
    assert.deepEqual([older.signal.aborted, next.signal.aborted], [isOlderOpen, false]);
  }
});

for (const [change, jumpMs] of Object.entries({
  'slept or set its clock ahead': minuteMs,
  'set its clock back': -minuteMs,
})) {
  test(`calls to other machines end once the computer ${change} by a minute`, () => {
    const { clock, open } = setUp();
    const [remote, local] = [open(), open({ isLocal: true })];
    clock.wallMs += jumpMs;
    clock.advance(10_000);
    assert.deepEqual(endOf(remote), ['unreachable', 'interrupted']);
    assert.equal(local.signal.aborted, false);
  });
}

test('a call that begins after the computer slept goes on, while an older one ends', () => {
  const { clock, open } = setUp();
  const older = open();
  clock.wallMs += minuteMs;
  const next = open();
  clock.advance(minuteMs);
  assert.deepEqual([older.signal.aborted, next.signal.aborted], [true, false]);
});

test('a clock that is off by half a minute or less ends no call', () => {
  for (const jumpMs of [30_000, -30_000]) {
    const { clock, open } = setUp();
    const call = open();
    clock.wallMs += jumpMs;
    clock.advance(minuteMs);
    assert.equal(call.signal.aborted, false);
  }
});

test('no timer remains once no call is open', () => {
  const { clock, open } = setUp();
  const calls = ['tools/list', 'tools/call'].flatMap((method) => [
    open({ messages: new Set([method]) }),
    open({ isLocal: true, messages: new Set([method]) }),
  ]);
  assert.ok(clock.pendingTimers > 0);
  for (const call of calls) {
    call.close();
  }
  assert.equal(clock.pendingTimers, 0);
});

test('the network is not looked at for calls to this machine', () => {
  const { clock, open } = setUp();
  open({ isLocal: true, method: 'GET', messages: new Set() });
  assert.equal(clock.pendingTimers, 0);
});

/** A clock whose wall clock can be set, while its timers go on. */
class SettableClock extends FakeClock {
  wallMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.wallMs;
  }
}

function setUp(own: readonly string[] = []) {
  const clock = new SettableClock();
  const addresses = new Set(own);
  const calls = new OpenCalls({ clock, network: new NetworkWatch({ clock, addresses: () => new Set(addresses) }) });
  const open = (options: Partial<CallOptions> = {}): OpenCall =>
    calls.open({
      grantId: 'ada',
      agent: 'editor',
      host,
      isLocal: false,
      method: 'POST',
      messages: new Set(['tools/call']),
      ...options,
    });
  return { clock, addresses, calls, open };
}

/** The kind and reason with which a call has ended. */
function endOf(call: OpenCall): [kind: Problem['kind'], reason: string | undefined] {
  assert.ok(call.signal.aborted, 'the call goes on');
  const problem = call.problemOf(new HttpFailure('cancelled', host));
  return [problem.kind, 'failure' in problem ? problem.failure.details.code : undefined];
}
