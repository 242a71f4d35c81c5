import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { RenewalScheduler } from '../../../src/renewal/scheduler.ts';
import { FakeClock } from '../fakeClock.ts';

const minute = 60_000;

/** A keeper with one grant of an hour, whose renewals succeed at once. */
function keeping({
  watchWorks = true,
  lifeSeconds = 3_600,
  retryAtMs = undefined as number | undefined,
  confirmAtMs = undefined as number | undefined,
  belongsToOtherMachine = false,
} = {}) {
  const clock = new FakeClock();
  let obtainedAtMs = clock.nowMs();
  let generation = 1;
  const heard = { renewals: 0, looks: 0, wakes: 0 };
  const begun = clock.nowMs();
  const scheduler = new RenewalScheduler({
    clock,
    randomness: { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 },
    grants: () => [
      {
        id: 'one',
        generation,
        tokens: { accessToken: new Secret('a'), obtainedAtMs, expiresInSeconds: lifeSeconds },
      } as Grant,
    ],
    retryAtMs: () => retryAtMs,
    confirmAtMs: () => (generation === 1 ? confirmAtMs : undefined),
    belongsToOtherMachine: () => belongsToOtherMachine,
    renew: async () => {
      heard.renewals += 1;
      obtainedAtMs = clock.nowMs();
      generation += 1;
    },
    look: async () => {
      heard.looks += 1;
    },
    watchWorks: () => watchWorks,
    wokeUp: () => {
      heard.wakes += 1;
    },
  });
  scheduler.plan();
  return { clock, scheduler, heard, begun };
}

/** Lets what a timer began come to its end: it awaits nothing but promises. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

async function advance(clock: FakeClock, spanMs: number, stepMs = minute): Promise<void> {
  for (let gone = 0; gone < spanMs; gone += stepMs) {
    clock.advance(stepMs);
    await settle();
  }
}

describe('the keeper', () => {
  test('renews between 5 and 10 minutes before the token expires, and again after that', async () => {
    const { clock, heard } = keeping();
    await advance(clock, 50 * minute);
    assert.equal(heard.renewals, 0);
    await advance(clock, 5 * minute);
    assert.equal(heard.renewals, 1);
    await advance(clock, 55 * minute);
    assert.equal(heard.renewals, 2);
  });

  test('has one timer, and wakes up for nothing but the renewal where it watchWorks of other windows', async () => {
    const { clock, heard } = keeping();
    assert.equal(clock.pendingTimers, 1);
    await advance(clock, 5 * 60 * minute);
    assert.equal(clock.pendingTimers, 1);
    assert.equal(heard.looks, heard.renewals);
  });

  test('looks once a minute where it watchWorks nothing', async () => {
    const { clock, heard } = keeping({ watchWorks: false });
    await advance(clock, 30 * minute);
    assert.equal(heard.looks, 30);
    assert.equal(heard.renewals, 0);
  });

  test('renews at once after a sleep, and knows that it slept', async () => {
    const { clock, heard } = keeping();
    clock.jump(3 * 60 * minute);
    clock.advance(0);
    await settle();
    assert.equal(heard.renewals, 1);
    assert.equal(heard.wakes, 1);
  });

  test('does not run in circles for a token that lives no time at all', async () => {
    const { clock, heard } = keeping({ lifeSeconds: 0 });
    await advance(clock, 10_000, 100);
    assert.ok(heard.renewals <= 11, String(heard.renewals));
  });

  test('waits as long as a renewal would be refused', async () => {
    const at = new FakeClock().monotonicMs() + 70 * minute;
    const { clock, heard } = keeping({ retryAtMs: at });
    await advance(clock, 69 * minute);
    assert.equal(heard.renewals, 0);
    await advance(clock, 2 * minute);
    assert.equal(heard.renewals, 1);
  });

  test('has a refusal confirmed when that is due, however good the token still is, and then goes on as planned', async () => {
    const { clock, heard } = keeping({ confirmAtMs: new FakeClock().monotonicMs() + 90_000 });
    await advance(clock, 80_000, 10_000);
    assert.equal(heard.renewals, 0);
    await advance(clock, 20_000, 10_000);
    assert.equal(heard.renewals, 1);
    await advance(clock, 40 * minute);
    assert.equal(heard.renewals, 1);
  });

  test('does nothing more once it ended', async () => {
    const { clock, scheduler, heard } = keeping();
    scheduler.end();
    scheduler.plan();
    await advance(clock, 120 * minute);
    assert.equal(heard.renewals, 0);
    assert.equal(clock.pendingTimers, 0);
  });
});
