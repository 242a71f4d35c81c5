import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { files, type Window } from '../accounts/machine.ts';
import { fails } from '../oauth/failing.ts';
import { granting, oauthError, signedInAtServer } from './realServer.ts';
import { announcementsOf, fail, minute, signedIn } from './renewals.ts';

describe('an account that needs the user', () => {
  test('only the window that a renewal is refused in says that the account needs the user, and only once', async (t) => {
    const signed = await signedInAtServer(t);
    const { machine, server, window, grant, open } = signed;
    const other = await open();
    const announced = [window, other].map(announcementsOf);
    server.routes['POST /token'] = oauthError('invalid_request');
    const refuse = async ({ accounts }: Window) => {
      await fails(() => accounts.renew(grant.id, { reason: 'asked' }), 'serverRejected');
      await Promise.all([window, other].map((each) => each.accounts.wakeUp()));
    };
    await refuse(window);
    assert.deepEqual(announced, [[grant.id], []]);
    await refuse(other);
    machine.clock.aheadMs += 24 * 60 * minute;
    await refuse(window);
    assert.deepEqual(announced, [[grant.id], []]);
    assert.deepEqual((await open()).events, []);
    server.routes['POST /token'] = granting();
    await window.accounts.renew(grant.id, { reason: 'asked' });
    server.routes['POST /token'] = oauthError('invalid_request');
    await refuse(window);
    assert.deepEqual(announced, [[grant.id, grant.id], []]);
  });

  for (const [name, failure] of Object.entries({
    refused: fail('serverRejected', { code: 'invalid_request', status: 400 }),
    ended: fail('invalidGrant', { code: 'invalid_grant', status: 400 }),
  })) {
    test(`a window whose renewal was ${name} says so also if it reads the stored record before the renewal returns`, async (t) => {
      let beforeRelease = async (): Promise<void> => undefined;
      const remove = async (path: string) => {
        await (path.endsWith('.lock') && beforeRelease());
        await files.remove(path);
      };
      const { machine, window, grant } = await signedIn(t, { files: { ...files, remove } });
      machine.clock.aheadMs += 120 * minute;
      const announced = announcementsOf(window);
      machine.server.next.push(failure);
      beforeRelease = async () => {
        beforeRelease = async () => undefined;
        await window.accounts.wakeUp();
      };
      await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
      assert.deepEqual(announced, [grant.id]);
    });
  }
});
