import type { Clock } from '../../src/core/clock.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Grant } from '../../src/grants/grant.ts';
import { renewAtMs } from '../../src/grants/tokenLife.ts';
import { RenewalScheduler } from '../../src/renewal/scheduler.ts';
import { FakeClock } from '../unit/fakeClock.ts';
import { type Figure, figure } from './figure.ts';

const hours = 24;
const minuteMs = 60_000;

/** How often a signed-in, idle window wakes up per hour, not counting renewals, with a simulated clock. */
export async function idleFigures(): Promise<Figure[]> {
  return [figure('idle wake-ups an hour beyond renewals (aim: <= 60)', 'times', await wakeUps(), Number.NaN)];
}

async function wakeUps(): Promise<number> {
  const clock = new CountingClock();
  let obtainedAtMs = clock.nowMs();
  let renewals = 0;
  const scheduler = new RenewalScheduler({
    clock,
    randomness: { bytes: (length) => new Uint8Array(length), fraction: () => 0.5 },
    accounts: {
      grants: () => [
        {
          id: 'one',
          generation: renewals,
          tokens: { accessToken: new Secret('a'), obtainedAtMs, expiresInSeconds: 3_600 },
        } as Grant,
      ],
      renew: async () => {
        renewals += 1;
        obtainedAtMs = clock.nowMs();
      },
      sync: async () => undefined,
      lookInMs: () => minuteMs,
    },
    renewal: { retryAtMs: () => undefined, confirmAtMs: () => undefined, wokeUp: () => undefined },
    machines: { renewAtMs: ({ tokens }, fraction) => renewAtMs(tokens, fraction) },
  });
  scheduler.plan();
  for (let minute = 0; minute < hours * 60; minute += 1) {
    clock.advance(minuteMs);
    await new Promise((resolve) => setImmediate(resolve));
  }
  scheduler.end();
  return (clock.fired - renewals) / hours;
}

class CountingClock extends FakeClock implements Clock {
  fired = 0;

  override after(delayMs: number, action: () => void): () => void {
    return super.after(delayMs, () => {
      this.fired += 1;
      action();
    });
  }
}
