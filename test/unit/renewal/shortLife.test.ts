import assert from 'node:assert/strict';
import { test } from 'node:test';
import { granting, signedInAtServer } from './realServer.ts';

test('a window that is asked for tokens all the time renews at most twice a minute, however short their life is', async (t) => {
  const { machine, server, window, grant, refreshes } = await signedInAtServer(t);
  server.routes['POST /token'] = granting(1);
  await window.accounts.renew(grant.id, { reason: 'asked' });
  const minutes = 10;
  for (let tenths = 0; tenths < minutes * 600; tenths += 1) {
    machine.clock.aheadMs += 100;
    await window.accounts.fresh(grant.id, 5_000);
    if (tenths % 10 === 0) {
      // The scheduler's timer, which cannot run faster than the real time, is due at most once a second.
      await window.accounts.wakeUp();
    }
  }
  const count = refreshes().length;
  assert.ok(count >= minutes && count <= 2 * minutes + 1, `${count} refresh requests`);
});
