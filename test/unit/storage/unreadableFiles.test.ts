import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Files } from '../../../src/platform/contract.ts';
import { files } from '../accounts/machine.ts';
import { foreignEntries } from './foreignEntries.ts';
import { HangingClock } from './hangingClock.ts';
import { ada, begin, grace, recordOf, renews, stateIn, timeout } from './twoAccounts.ts';

describe('a record that the disk does not let a window read', () => {
  /** A disk on which one file cannot be read while `isBad`. */
  function badDisk(path: string, code: string) {
    const clock = new HangingClock();
    const disk = {
      isBad: true,
      clock,
      files: {
        ...files,
        read: async (each: string) => {
          if (!disk.isBad || each !== path) {
            return files.read(each);
          }
          if (code === 'hangs') {
            clock.hang();
            return new Promise<never>(() => undefined);
          }
          throw Object.assign(new Error('unreadable'), { code });
        },
      } satisfies Files,
    };
    return disk;
  }

  for (const code of ['EIO', 'EMFILE', 'EACCES', 'hangs']) {
    const failure = code === 'hangs' ? 'a read that never returns' : `a read that fails with ${code}`;
    test(`${failure} makes one account read-only until the record can be read`, { timeout }, async (t) => {
      const begun = await begin(t);
      const disk = badDisk(await recordOf(begun.machine, begun.ada), code);
      const window = await begun.open(disk);
      assert.deepEqual(window.labels, [ada, grace]);
      assert.equal(stateIn(window, begun.ada), 'unreadable');
      await assert.rejects(window.accounts.renew(begun.ada.id, { reason: 'asked' }), {
        details: { step: 'storage', code: 'unreadable' },
      });
      await window.accounts.wakeUp();
      assert.deepEqual(begun.sent, []);
      await renews(begun, window, begun.grace);
      disk.isBad = false;
      await window.accounts.wakeUp();
      assert.equal(stateIn(window, begun.ada), 'healthy');
      await renews(begun, window, begun.ada);
    });

    test(`${failure} does not make a window forget tokens that it knows`, { timeout }, async (t) => {
      const begun = await begin(t);
      const disk = badDisk(await recordOf(begun.machine, begun.ada), code);
      disk.isBad = false;
      const window = await begun.open(disk);
      disk.isBad = true;
      await window.accounts.wakeUp();
      assert.equal(stateIn(window, begun.ada), 'healthy');
      await renews(begun, window, begun.ada);
    });

    test(`a sign-in replaces a record with ${failure}, and the account keeps its id`, { timeout }, async (t) => {
      const begun = await begin(t);
      const disk = badDisk(await recordOf(begun.machine, begun.ada), code);
      const window = await begun.open(disk);
      const { grant } = await window.accounts.storeSignIn(begun.machine.server.signIn('ada'));
      assert.equal(grant.id, begun.ada.id);
      assert.ok(grant.generation > begun.ada.generation);
      assert.equal(stateIn(window, grant), 'healthy');
      const reloaded = await begun.open();
      assert.deepEqual(reloaded.labels, [ada, grace]);
      assert.ok(reloaded.accounts.find(grant.id)?.grant.tokens.accessToken.equals(grant.tokens.accessToken));
      await reloaded.accounts.renew(grant.id, { reason: 'asked' });
    });
  }

  test('an entry that turns out to be no record, or vanishes, makes its account usable again', {
    timeout,
  }, async (t) => {
    const begun = await begin(t);
    await writeFile(begun.highest, 'garbage');
    const disk = badDisk(begun.highest, 'EACCES');
    const [one, two] = [await begun.open(disk), await begun.open(disk)];
    assert.equal(stateIn(one, begun.ada), 'unreadable');
    disk.isBad = false;
    await one.accounts.wakeUp();
    assert.equal(stateIn(one, begun.ada), 'healthy');
    await rm(begun.highest);
    await two.accounts.wakeUp();
    assert.equal(stateIn(two, begun.ada), 'healthy');
    await renews(begun, two, begun.ada);
  });
});

/** Names of files that are no records; `id` is the account's. */
const otherNames = [
  { whose: 'its tombstone', name: (id: string) => `${id}.gone` },
  { whose: 'its lock', name: (id: string) => `${id}.lock` },
  { whose: 'its reserved file', name: (id: string) => `${id}.0123456789abcdef.reserved` },
  { whose: 'the lock of sign-ins', name: () => 'sign-in.lock' },
  { whose: 'the machine’s id', name: () => 'machineId' },
];

// Many of these tests wait until a lock that cannot be read is taken over.
describe('a bad entry with another name of the journal', { concurrency: 8 }, () => {
  for (const { whose, name } of otherNames) {
    // A tombstone is empty and counts by its name, whichever user’s file it is.
    const isTombstone = whose === 'its tombstone';
    const entries = foreignEntries.filter(({ what }) => !isTombstone || what !== 'a file of another user');
    for (const { what, lay, skip = false } of entries) {
      test(`${what} in the place of ${whose} prevents no renewal and no sign-in`, { skip, timeout }, async (t) => {
        const begun = await begin(t);
        const path = join(begun.machine.directory, name(begun.ada.id));
        await rm(path, { force: true });
        await lay(path);
        const window = await begun.open();
        assert.deepEqual(window.labels, [ada, grace]);
        await renews(begun, window, begun.grace);
        await renews(begun, window, begun.ada);
        const { grant } = await window.accounts.storeSignIn(begun.machine.server.signIn('ada'));
        assert.equal(grant.id, begun.ada.id);
        assert.deepEqual((await begun.open()).labels, [ada, grace]);
      });
    }
  }

  for (const { what, lay, skip = false } of foreignEntries) {
    test(`${what} in the place of the tombstone does not undo a sign-out`, { skip, timeout }, async (t) => {
      const begun = await begin(t);
      await lay(join(begun.machine.directory, `${begun.ada.id}.gone`));
      const [one, two] = [await begun.open(), await begun.open()];
      await one.accounts.signOut(begun.ada.id);
      await two.accounts.wakeUp();
      assert.deepEqual(two.labels, [grace]);
      assert.deepEqual((await begun.open()).labels, [grace]);
    });
  }
});
