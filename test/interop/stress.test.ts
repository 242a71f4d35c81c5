import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { steps } from '../stress/protocol.ts';
import { stress } from '../stress/stress.ts';
import { Swarm } from '../stress/swarm.ts';

describe('windows in processes of their own, against the Notion-shaped server', { timeout: 120_000 }, () => {
  for (const count of [1, 2, 8]) {
    test(`${count} of them send one refresh for each expiry`, async () => {
      const swarm = await Swarm.start({ accounts: 1, lifeSeconds: 2 });
      try {
        const windows = Array.from({ length: count }, () => swarm.open());
        const reports = await Promise.all(
          windows.map((window) => window.reports((accounts) => (accounts[0]?.generation ?? 0) >= 4)),
        );
        const generation = Math.max(...reports.map(([account]) => account?.generation ?? 0));
        assert.ok(requests(swarm) >= generation - 1);
        assert.equal(requests(swarm), swarm.server.front.ledger.rotations, 'none was refused');
        await Promise.all(windows.map((window) => window.end()));
        const [last] = await swarm.open().reports((accounts) => accounts.length === 1);
        // What was renewed once more while they ended counts as well; one that the last window began does not.
        assert.ok(requests(swarm) - ((last?.generation ?? 0) - 1) <= 1);
      } finally {
        await swarm.stop();
      }
    });
  }
});

// Most of it is waiting until a dead window's lock is taken over.
describe('windows in processes of their own, one of which dies', { timeout: 120_000, concurrency: 4 }, () => {
  for (const step of steps) {
    test(`one that is killed at “${step}” costs nobody the sign-in`, async () => {
      const swarm = await Swarm.start({ accounts: 1, lifeSeconds: 2 });
      try {
        const victim = swarm.open({ dieAt: step });
        await assert.rejects(
          victim.reports(() => false),
          /the window ended/,
        );
        const [heir] = await swarm
          .open({ takeoverAgeMs: 1_000 })
          .reports((accounts) => (accounts[0]?.generation ?? 0) >= 2);
        assert.equal(heir?.state, 'healthy');
      } finally {
        await swarm.stop();
      }
    });
  }
});

describe('windows that are tormented at the Notion-shaped server', { timeout: 120_000 }, () => {
  test('none of them loses an account while they are killed, stopped and cut off', async () => {
    const { evidence, ...tally } = await stress({
      ...{ seed: 7, rotations: 300, processes: 3, accounts: 50, limitMs: 100_000 },
      ...{ server: 'notion', storage: 'shared', noKill: false },
    });
    const { signOuts, unavoidableSignOuts, replays, astray } = tally;
    assert.deepEqual([signOuts, unavoidableSignOuts, replays, astray], [0, 0, 0, 0], evidence.join('\n'));
    assert.ok(tally.rotations >= 300 && tally.kills > 0 && tally.lostAnswers > 0, JSON.stringify(tally));
  });
});

describe('windows that are tormented at oidc-provider, with its strict reuse detection', {
  timeout: 120_000,
}, () => {
  test('none of them presents a token twice while they are stopped and cut off', async () => {
    const { evidence, ...tally } = await stress({
      ...{ seed: 7, rotations: 150, processes: 3, accounts: 40, limitMs: 60_000 },
      ...{ server: 'oidc', storage: 'rewriting', noKill: true },
    });
    const { signOuts, unavoidableSignOuts, replays, unavoidableReplays, astray, lostAnswers } = tally;
    const counts = [signOuts, unavoidableSignOuts, replays, unavoidableReplays, astray, lostAnswers];
    assert.deepEqual(counts, [0, 0, 0, 0, 0, 0], evidence.join('\n'));
    assert.ok(tally.rotations >= 150 && tally.stops > 0 && tally.faults > 0, JSON.stringify(tally));
  });
});

function requests(swarm: Swarm): number {
  return swarm.server.front.ledger.refreshes.length;
}
