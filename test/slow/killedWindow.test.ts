import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { processEnd } from '../e2e/driver/processEnd.ts';
import { signIn } from '../e2e/signIn.ts';
import { useTestbed } from '../e2e/testbed.ts';

/** Another window takes over a lock after it has seen its counter unchanged for 130 seconds. */
const takeoverLimitMs = 170_000;

describe('two windows, one of which is killed during a renewal', { timeout: 300_000 }, async () => {
  const first = await useTestbed();
  await signIn(first.window);
  const second = await first.openWindow();
  const { notion } = first;

  test('after a window is killed during a renewal and its response is lost, the other window takes over the lock and renews', async () => {
    const hold = notion.hold({ path: '/token', grantType: 'refresh_token' });
    await first.window.runCommand('Notion MCP: Refresh Session');
    await hold.held;
    process.kill(first.consumer.pid, 'SIGKILL');
    await processEnd(first.consumer.pid);
    hold.release();
    assert.deepEqual(await second.consumer.accounts(), ['Ada Lovelace (Engineering Wiki)']);
    const changesBefore = (await second.consumer.history()).sessionChanges;
    await second.window.runCommand('Notion MCP: Refresh Session');
    second.window.page.setDefaultTimeout(takeoverLimitMs);
    await second.window.notifications.waitFor('Refreshed Ada Lovelace (Engineering Wiki)');
    assert.equal((await second.consumer.history()).sessionChanges, changesBefore + 1);
    const refreshes = notion.requests({ path: '/token', grantType: 'refresh_token' });
    assert.deepEqual(
      refreshes.map(({ status }) => status),
      [200, 200],
    );
  });
});
