import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { steps } from '../stress/protocol.ts';
import { stress } from '../stress/stress.ts';
import { Swarm } from '../stress/swarm.ts';

// These tests spend most of their time waiting for tokens to expire.
describe('windows in separate processes against the Notion-shaped server', { timeout: 120_000, concurrency: 3 }, () => {
  for (const count of [1, 2, 8]) {
    test(`one refresh request is sent for each expiry, however many windows there are (${count})`, async () => {
      const swarm = await Swarm.start({ accounts: 1, lifeSeconds: 2 });
      try {
        const windows = Array.from({ length: count }, () => swarm.open());
        const reports = await Promise.all(
          windows.map((window) => window.reports((accounts) => (accounts[0]?.generation ?? 0) >= 4)),
        );
        const generation = Math.max(...reports.map(([account]) => account?.generation ?? 0));
        assert.ok(refreshCount(swarm) >= generation - 1);
        assert.equal(refreshCount(swarm), swarm.server.front.ledger.rotations, 'no refresh was refused');
        await Promise.all(windows.map((window) => window.end()));
        const [last] = await swarm.open().reports((accounts) => accounts.length === 1);
        // A renewal while the windows closed is counted as well; one that the last window has just begun is not.
        assert.ok(refreshCount(swarm) - ((last?.generation ?? 0) - 1) <= 1);
      } finally {
        await swarm.stop();
      }
    });
  }
});

// These tests spend most of their time waiting until the lock of a killed window is taken over.
describe('a window that is killed during a renewal', { timeout: 120_000, concurrency: 7 }, () => {
  for (const step of steps) {
    test(`an account stays signed in when a window is killed at the step “${step}” of a renewal`, async () => {
      const swarm = await Swarm.start({ accounts: 1, lifeSeconds: 2 });
      try {
        const victim = swarm.open({ killAt: step });
        await assert.rejects(
          victim.reports(() => false),
          /the window ended/,
        );
        const [successor] = await swarm
          .open({ takeoverAgeMs: 1_000 })
          .reports((accounts) => (accounts[0]?.generation ?? 0) >= 2);
        assert.equal(successor?.state, 'healthy');
      } finally {
        await swarm.stop();
      }
    });
  }
});

describe('a stress test against the Notion-shaped server', { timeout: 120_000 }, () => {
  test('no account is lost while windows are killed and stopped and their connections break', async () => {
    const { evidence, ...tally } = await stress({
      ...{ seed: 7, rotations: 300, processes: 3, accounts: 50, limitMs: 100_000 },
      ...{ server: 'notion', storage: 'shared', noKill: false, unkindDisk: false },
    });
    const { signOuts, unavoidableSignOuts, replays, astray } = tally;
    assert.deepEqual([signOuts, unavoidableSignOuts, replays, astray], [0, 0, 0, 0], evidence.join('\n'));
    assert.ok(tally.rotations >= 300 && tally.kills > 0 && tally.lostResponses > 0, JSON.stringify(tally));
  });
});

// These tests spend half of their time waiting for windows that are stopped and for tokens to expire.
describe('a stress test against oidc-provider, which detects reuse of refresh tokens', {
  timeout: 120_000,
  concurrency: 2,
}, () => {
  test('no refresh token is used twice while windows are stopped and their connections break', async () => {
    const { evidence, ...tally } = await stress({
      ...{ seed: 7, rotations: 150, processes: 3, accounts: 40, limitMs: 60_000 },
      ...{ server: 'oidc', storage: 'rewriting', noKill: true, unkindDisk: false },
    });
    const { signOuts, unavoidableSignOuts, replays, unavoidableReplays, astray, lostResponses } = tally;
    const counts = [signOuts, unavoidableSignOuts, replays, unavoidableReplays, astray, lostResponses];
    assert.deepEqual(counts, [0, 0, 0, 0, 0, 0], evidence.join('\n'));
    assert.ok(tally.rotations >= 150 && tally.stops > 0 && tally.faults > 0, JSON.stringify(tally));
  });

  test('no refresh token is used twice while foreign entries appear in the journal and its files vanish', async () => {
    const { evidence, ...tally } = await stress({
      ...{ seed: 8, rotations: 80, processes: 3, accounts: 20, limitMs: 60_000 },
      ...{ server: 'oidc', storage: 'shared', noKill: true, unkindDisk: true },
    });
    const { signOuts, unavoidableSignOuts, replays, unavoidableReplays, astray, lostResponses } = tally;
    const counts = [signOuts, unavoidableSignOuts, replays, unavoidableReplays, astray, lostResponses];
    assert.deepEqual(counts, [0, 0, 0, 0, 0, 0], evidence.join('\n'));
    assert.ok(tally.rotations >= 80 && tally.diskFaults > 0, JSON.stringify(tally));
  });
});

function refreshCount(swarm: Swarm): number {
  return swarm.server.front.ledger.refreshes.length;
}
