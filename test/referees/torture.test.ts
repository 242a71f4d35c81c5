import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { steps } from '../torture/protocol.ts';
import { Swarm } from '../torture/swarm.ts';
import { torment } from '../torture/torment.ts';

describe('windows in processes of their own, against the Notion-shaped server', { timeout: 120_000 }, () => {
  for (const count of [1, 2, 8]) {
    test(`${count} of them send one refresh for each expiry`, async () => {
      const swarm = await Swarm.start({ accounts: 1, lifeSeconds: 2 });
      try {
        const windows = Array.from({ length: count }, () => swarm.open());
        const reports = await Promise.all(
          windows.map((window) => window.reports(({ accounts }) => (accounts[0]?.generation ?? 0) >= 4)),
        );
        const generation = Math.max(...reports.map(({ accounts }) => accounts[0]?.generation ?? 0));
        assert.ok(swarm.refreshRequests >= generation - 1);
        assert.equal(swarm.refreshRequests, swarm.renewals, 'none was refused');
        await Promise.all(windows.map((window) => window.end()));
        const last = await swarm.open().reports(({ accounts }) => accounts.length === 1);
        // What was renewed once more while they ended counts as well; one that the last window began does not.
        assert.ok(swarm.refreshRequests - ((last.accounts[0]?.generation ?? 0) - 1) <= 1);
      } finally {
        await swarm.stop();
      }
    });
  }

  for (const step of steps) {
    test(`one that is killed at “${step}” costs nobody the sign-in`, async () => {
      const swarm = await Swarm.start({ accounts: 1, lifeSeconds: 2 });
      try {
        const victim = swarm.open({ dieAt: step });
        await assert.rejects(
          victim.reports(() => false),
          /the window ended/,
        );
        const heir = await swarm.open().reports(({ accounts }) => (accounts[0]?.generation ?? 0) >= 2);
        assert.equal(heir.accounts[0]?.state, 'healthy');
      } finally {
        await swarm.stop();
      }
    });
  }

  test('none of them loses an account while they are killed, stopped and cut off', async () => {
    const tally = await torment({ seed: 7, rotations: 300, limitMs: 60_000, processes: 3, accounts: 20 });
    assert.deepEqual(
      { signOuts: tally.signOuts, astray: tally.astray },
      { signOuts: 0, astray: 0 },
      tally.evidence.join(),
    );
    assert.ok(tally.rotations >= 300 && tally.kills > 0, JSON.stringify(tally));
  });
});
