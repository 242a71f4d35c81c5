import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { files } from '../accounts/machine.ts';
import { minute, signedIn } from './renewals.ts';

describe('an access token that the MCP server rejected', () => {
  test('a rejected access token is renewed at most once a minute', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.clock.aheadMs = 10 * minute;
    const first = await window.accounts.renew(grant.id, { reason: 'rejected', accessToken: grant.tokens.accessToken });
    assert.equal(first.generation, 2);
    machine.clock.aheadMs += minute / 2;
    for (const _ of [1, 2]) {
      const same = await window.accounts.renew(grant.id, { reason: 'rejected', accessToken: first.tokens.accessToken });
      assert.equal(same.generation, 2);
    }
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('a fresh access token is renewed only at its second rejection, as Notion’s stores may lag', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const rejected = { reason: 'rejected', accessToken: grant.tokens.accessToken } as const;
    assert.equal((await window.accounts.renew(grant.id, rejected)).generation, 1);
    assert.equal((await window.accounts.renew(grant.id, rejected)).generation, 2);
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('the rejection of an unknown access token causes no renewal', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.clock.aheadMs = 10 * minute;
    await window.accounts.renew(grant.id, { reason: 'rejected', accessToken: new Secret('unknown') });
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('a window with a rejected access token adopts another window’s renewal without a request', async (t) => {
    const withoutWatch = { files: { ...files, watch: () => ({ close: () => undefined }) } };
    const { machine, window, grant } = await signedIn(t, withoutWatch);
    machine.secrets.announces = false;
    const other = await machine.open(withoutWatch);
    machine.clock.aheadMs = 10 * minute;
    await other.accounts.renew(grant.id, { reason: 'asked' });
    const adopted = await window.accounts.renew(grant.id, {
      reason: 'rejected',
      accessToken: grant.tokens.accessToken,
    });
    assert.equal(adopted.generation, 2);
    assert.equal(machine.server.refreshes.length, 1);
  });
});
