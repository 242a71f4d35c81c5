import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { renewAtMs } from '../../../src/grants/tokenLife.ts';
import { RenewalScheduler } from '../../../src/renewal/scheduler.ts';
import { FakeClock } from '../fakeClock.ts';

const minute = 60_000;

/** Starts a scheduler with one grant, valid for an hour, whose renewals succeed at once. */
function startScheduler({
  lookInMs = 600 * minute,
  lifeSeconds = 3_600,
  retryAtMs = undefined as number | undefined,
  confirmAtMs = undefined as number | undefined,
} = {}) {
  const clock = new FakeClock();
  let obtainedAtMs = clock.nowMs();
  let generation = 1;
  const counts = { renewals: 0, syncs: 0, wakeUps: 0 };
  const startedAtMs = clock.nowMs();
  const scheduler = new RenewalScheduler({
    clock,
    randomness: { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 },
    accounts: {
      grants: () => [
        {
          id: 'one',
          generation,
          tokens: { accessToken: new Secret('a'), obtainedAtMs, expiresInSeconds: lifeSeconds },
        } as Grant,
      ],
      renew: async () => {
        counts.renewals += 1;
        obtainedAtMs = clock.nowMs();
        generation += 1;
      },
      sync: async () => {
        counts.syncs += 1;
      },
      lookInMs: () => lookInMs,
    },
    renewal: {
      retryAtMs: () => retryAtMs,
      confirmAtMs: () => (generation === 1 ? confirmAtMs : undefined),
      wokeUp: () => {
        counts.wakeUps += 1;
      },
    },
    machines: { renewAtMs: ({ tokens }, fraction) => renewAtMs(tokens, fraction) },
  });
  scheduler.plan();
  return { clock, scheduler, counts, startedAtMs };
}

/** Lets what a timer started finish: it awaits only promises. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

async function advance(clock: FakeClock, spanMs: number, stepMs = minute): Promise<void> {
  for (let passedMs = 0; passedMs < spanMs; passedMs += stepMs) {
    clock.advance(stepMs);
    await settle();
  }
}

describe('the renewal scheduler', () => {
  test('the scheduler renews each token 5 to 10 minutes before it expires', async () => {
    const { clock, counts } = startScheduler();
    await advance(clock, 50 * minute);
    assert.equal(counts.renewals, 0);
    await advance(clock, 5 * minute);
    assert.equal(counts.renewals, 1);
    await advance(clock, 55 * minute);
    assert.equal(counts.renewals, 2);
  });

  test('the scheduler has one timer and wakes up only for renewals until the storage is to be read', async () => {
    const { clock, counts } = startScheduler();
    assert.equal(clock.pendingTimers, 1);
    await advance(clock, 5 * 60 * minute);
    assert.equal(clock.pendingTimers, 1);
    assert.equal(counts.syncs, counts.renewals);
  });

  test('the scheduler synchronizes with the storage as often as that is due', async () => {
    const { clock, counts } = startScheduler({ lookInMs: minute });
    await advance(clock, 30 * minute);
    assert.equal(counts.syncs, 30);
    assert.equal(counts.renewals, 0);
  });

  test('the scheduler detects that the machine slept and renews an expired token at once', async () => {
    const { clock, counts } = startScheduler();
    clock.jump(3 * 60 * minute);
    clock.advance(0);
    await settle();
    assert.equal(counts.renewals, 1);
    assert.equal(counts.wakeUps, 1);
  });

  test('the scheduler renews at most once a second if tokens expire at once', async () => {
    const { clock, counts } = startScheduler({ lifeSeconds: 0 });
    await advance(clock, 10_000, 100);
    assert.ok(counts.renewals <= 11, String(counts.renewals));
  });

  test('the scheduler waits until a failed renewal may be retried', async () => {
    const at = new FakeClock().monotonicMs() + 70 * minute;
    const { clock, counts } = startScheduler({ retryAtMs: at });
    await advance(clock, 69 * minute);
    assert.equal(counts.renewals, 0);
    await advance(clock, 2 * minute);
    assert.equal(counts.renewals, 1);
  });

  test('the scheduler has a rejection confirmed when that is due, although the token is still valid', async () => {
    const { clock, counts } = startScheduler({ confirmAtMs: new FakeClock().monotonicMs() + 90_000 });
    await advance(clock, 80_000, 10_000);
    assert.equal(counts.renewals, 0);
    await advance(clock, 20_000, 10_000);
    assert.equal(counts.renewals, 1);
    await advance(clock, 40 * minute);
    assert.equal(counts.renewals, 1);
  });

  test('the scheduler does nothing after it has ended', async () => {
    const { clock, scheduler, counts } = startScheduler();
    scheduler.end();
    scheduler.plan();
    await advance(clock, 120 * minute);
    assert.equal(counts.renewals, 0);
    assert.equal(clock.pendingTimers, 0);
  });
});
