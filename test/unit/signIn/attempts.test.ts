import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Log } from '../../../src/core/log.ts';
import { Failure, type FailureDetails, type FailureKind } from '../../../src/oauth/errors.ts';
import { type AttemptOptions, createAttempt, type Repetition, repetitionOf } from '../../../src/signIn/attempts.ts';
import { FakeClock } from '../fakeClock.ts';

type Row = [what: string, kind: FailureKind, details: Omit<FailureDetails, 'step'>, repeated: Repetition];

const pause = { retryAfterMs: 5_000 };

const registration: Row[] = [
  ['a 503', 'transient', { code: 'http_503', status: 503 }, 'untilLimit'],
  ['a 429', 'transient', { code: 'http_429', status: 429 }, 'untilLimit'],
  ['a connection that cannot be established', 'transient', { code: 'unreachable', wasSent: false }, 'aFewTimes'],
  ['a reset', 'transient', { code: 'unreachable', wasSent: true }, 'aFewTimes'],
  ['a time-out', 'transient', { code: 'timeout', wasSent: true }, 'aFewTimes'],
  ['an untrusted certificate', 'transient', { code: 'certificate', wasSent: false }, 'aFewTimes'],
  ['the page of a captive portal', 'transient', { code: 'html', status: 200 }, 'aFewTimes'],
  ['a rejection', 'serverRejected', { code: 'invalid_client_metadata', status: 400 }, 'never'],
  ['an unexpected response', 'invalidResponse', { code: 'no_client_id' }, 'never'],
  ['a private address', 'unsafe', { code: 'private_address', wasSent: false }, 'never'],
  ['a cancellation', 'cancelled', { code: 'cancelled', wasSent: true }, 'never'],
];

const exchange: Row[] = [
  ['an unknown host name', 'transient', { code: 'unreachable', wasSent: false }, 'untilLimit'],
  ['a connection timeout', 'transient', { code: 'timeout', wasSent: false }, 'untilLimit'],
  ['an untrusted certificate', 'transient', { code: 'certificate', wasSent: false }, 'untilLimit'],
  ['a proxy that opens no tunnel', 'transient', { code: 'proxy', wasSent: false }, 'untilLimit'],
  ['a 429 with Retry-After', 'transient', { code: 'http_429', status: 429, ...pause }, 'untilLimit'],
  ['a 503 with Retry-After', 'transient', { code: 'http_503', status: 503, ...pause }, 'untilLimit'],
  ['invalid_client', 'invalidClient', { code: 'invalid_client', status: 401 }, 'untilLimit'],
  ['a 429 without Retry-After', 'transient', { code: 'http_429', status: 429 }, 'never'],
  ['a 503 without Retry-After', 'transient', { code: 'http_503', status: 503 }, 'never'],
  ['a 500 with Retry-After', 'transient', { code: 'http_500', status: 500, ...pause }, 'never'],
  ['a 502', 'transient', { code: 'http_502', status: 502 }, 'never'],
  ['a reset', 'transient', { code: 'unreachable', wasSent: true }, 'never'],
  ['a time-out', 'transient', { code: 'timeout', wasSent: true }, 'never'],
  ['the page of a captive portal', 'transient', { code: 'html', status: 200 }, 'never'],
  ['invalid_grant', 'invalidGrant', { code: 'invalid_grant', status: 400 }, 'never'],
  ['another rejection', 'serverRejected', { code: 'invalid_target', status: 400 }, 'never'],
  ['an unexpected response', 'invalidResponse', { code: 'no_access_token', status: 200 }, 'never'],
  ['a private address', 'unsafe', { code: 'private_address', wasSent: false }, 'never'],
];

const identity: Row[] = [
  ['a 401', 'serverRejected', { code: 'invalid_token', status: 401 }, 'aFewTimes'],
  ['a 429 with Retry-After', 'transient', { code: 'http_429', status: 429, ...pause }, 'aFewTimes'],
  ['a 503 with Retry-After', 'transient', { code: 'http_503', status: 503, ...pause }, 'aFewTimes'],
  ['a 500', 'transient', { code: 'http_500', status: 500 }, 'aFewTimes'],
  ['a connection that cannot be established', 'transient', { code: 'unreachable', wasSent: false }, 'aFewTimes'],
  ['a fault of a tool', 'transient', { code: 'server_fault' }, 'aFewTimes'],
  ['a tool’s rate limit', 'transient', { code: 'rate_limited', ...pause }, 'aFewTimes'],
  ['a response without identity', 'invalidResponse', { code: 'no_identity' }, 'never'],
  ['its time limit', 'cancelled', { code: 'cancelled', wasSent: true }, 'never'],
];

const texts: Record<Repetition, string> = {
  never: 'not sent again',
  aFewTimes: 'sent again a few times',
  untilLimit: 'sent again until the time limit',
};

for (const [request, step, rows] of [
  ['a registration', 'registration', registration],
  ['a code', 'token', exchange],
  ['a request for the identity', 'identity', identity],
] as const) {
  for (const [what, kind, details, repetition] of rows) {
    test(`after ${what}, ${request} is ${texts[repetition]}`, () => {
      assert.equal(repetitionOf(new Failure(kind, { step, ...details }), true), repetition);
    });
  }
}

test('after invalid_client for a configured client, a code is not sent again', () => {
  const failure = new Failure('invalidClient', { step: 'token', code: 'invalid_client', status: 401 });
  assert.equal(repetitionOf(failure, false), 'never');
});

test('a failure of another step is not repeated', () => {
  const failure = new Failure('transient', { step: 'storage', code: 'not_stored' });
  assert.equal(repetitionOf(failure, true), 'never');
});

const busy = new Failure('transient', { step: 'registration', code: 'http_503', status: 503, host: 'mcp.example' });
const unreachable = new Failure('transient', { step: 'registration', code: 'unreachable', wasSent: false });

/** Requests that fail with `failures`, one after the other, and then succeed. Each pause passes as soon as it begins. */
function begin({ fraction = 0.5, ...more }: Partial<AttemptOptions> & { fraction?: number } = {}) {
  const clock = new FakeClock();
  const pausesMs: number[] = [];
  const sent: number[] = [];
  const attempt = createAttempt({
    isNewClient: true,
    signal: new AbortController().signal,
    onPause: () => void setImmediate(() => pausesMs.push(clock.advanceToNextTimer())),
    clock,
    randomness: { fraction: () => fraction },
    log: new Log({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }),
    ...more,
  });
  const send = (...failures: unknown[]) =>
    attempt(async () => {
      sent.push(clock.monotonicMs());
      if (failures.length > 0) {
        throw failures.shift();
      }
      return 'done';
    });
  return { clock, pausesMs, sent, send };
}

test('a request that succeeds is sent once, without a pause', async () => {
  const { send, sent, pausesMs } = begin();
  assert.equal(await send(), 'done');
  assert.deepEqual([sent.length, pausesMs], [1, []]);
});

test('the pauses before a request is sent again grow, and all tries lie within a minute', async () => {
  const { send, pausesMs } = begin();
  await assert.rejects(send(...Array(20).fill(busy)), busy);
  assert.deepEqual(pausesMs, [1_000, 2_000, 4_000, ...Array(6).fill(8_000)]);
});

test('the pauses before a request is sent again vary by a quarter', async () => {
  for (const [fraction, firstMs] of [
    [0, 750],
    [0.999, 1_250],
  ] as const) {
    const { send, pausesMs } = begin({ fraction });
    assert.equal(await send(busy), 'done');
    assert.deepEqual(pausesMs, [firstMs]);
  }
});

test('a request that is sent again a few times is sent four times in all', async () => {
  const { send, sent } = begin();
  await assert.rejects(send(...Array(20).fill(unreachable)), unreachable);
  assert.equal(sent.length, 4);
});

test('a pause is as long as Retry-After says, if that is longer than ours', async () => {
  const wait = (retryAfterMs: number) => new Failure(busy.kind, { ...busy.details, retryAfterMs });
  const { send, pausesMs } = begin();
  assert.equal(await send(wait(20_000), wait(0)), 'done');
  assert.deepEqual(pausesMs, [20_000, 2_000]);
});

test('a request is not sent again if Retry-After goes beyond the time limit', async () => {
  const tooLong = new Failure(busy.kind, { ...busy.details, retryAfterMs: 60_001 });
  const { send, sent, pausesMs } = begin();
  await assert.rejects(send(tooLong), tooLong);
  assert.deepEqual([sent.length, pausesMs], [1, []]);
});

test('the time limit counts from the first of several requests, and includes the time that they take', async () => {
  const { clock, send } = begin();
  clock.advance(30_000);
  assert.equal(await send(busy), 'done');
  clock.advance(28_500);
  await assert.rejects(send(busy), busy);
});

test('the cause of a pause is reported', async () => {
  const causes: Failure[] = [];
  const { clock, send } = begin({
    onPause: (failure) => {
      causes.push(failure);
      setImmediate(() => clock.advanceToNextTimer());
    },
  });
  await send(busy, unreachable);
  assert.deepEqual(causes, [busy, unreachable]);
});

test('Cancel ends a pause at once, and nothing is sent after it', async () => {
  for (const when of ['before', 'in'] as const) {
    const cancel = new AbortController();
    const abort = () => cancel.abort();
    const { clock, send, sent } = begin({
      signal: cancel.signal,
      onPause: when === 'before' ? abort : () => void setImmediate(abort),
    });
    await assert.rejects(send(busy), { kind: 'cancelled' });
    assert.equal(clock.pendingTimers, 0);
    assert.equal(sent.length, 1);
  }
});

test('an error that is not a failure of the request ends the tries', async () => {
  const { send, sent } = begin();
  await assert.rejects(send(new RangeError('bug')), RangeError);
  assert.equal(sent.length, 1);
});
