import assert from 'node:assert/strict';
import { cp, lstat, mkdir, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { encodeGrant } from '../../../src/grants/codec.ts';
import { newKey } from '../../../src/storage/encryption.ts';
import { Journal } from '../../../src/storage/journal.ts';
import { SecretStore } from '../../../src/storage/secretStore.ts';
import { files, type Machine } from '../accounts/machine.ts';
import { foreignEntries, giveAway, skipUnlessRoot } from './foreignEntries.ts';
import { ada, type Begun, begin, grace, recordOf, renews, stateIn, timeout } from './twoAccounts.ts';

/** A record of a generation that the account never had, with tokens that no server knows; ada's, if not stated. */
async function recordAhead({ machine, ada }: Begun, keys = readKeys(machine), account = ada): Promise<string> {
  const directory = join(machine.directory, '..', 'elsewhere');
  await mkdir(directory);
  const journal = new Journal({ files, directory, clock: systemClock, randomness: systemRandomness, openedAtMs: 0 });
  journal.addKeys(await keys);
  const tokens = { ...account.tokens, refreshToken: new Secret('refresh-planted') };
  await journal.write({ ...account, generation: 9, tokens });
  return readFile(join(directory, (await readdir(directory))[0] ?? ''), 'utf8');
}

function readKeys({ secrets }: Machine) {
  return new SecretStore(secrets.window()).readKeys();
}

/** Which entry of the disk has this name; ours are made private, which changes the mode. */
async function entryAt(path: string): Promise<{ ino: number; size: number }> {
  const { ino, size } = await lstat(path);
  return { ino, size };
}

interface BadEntry {
  what: string;
  lay: (path: string, begun: Begun) => Promise<unknown>;
  skip?: string | false;
}

/** What may have the name of a record but is none. */
const badRecords: BadEntry[] = [
  ...foreignEntries,
  {
    what: 'a link to a good record',
    skip: process.platform === 'win32' && 'Windows reserves links for administrators',
    lay: async (path, begun) => {
      const target = join(begun.machine.directory, '..', 'target');
      await writeFile(target, await recordAhead(begun));
      await symlink(target, path);
    },
  },
  {
    what: 'a good record of another user',
    skip: skipUnlessRoot,
    lay: async (path, begun) => {
      await writeFile(path, await recordAhead(begun));
      await giveAway(path);
    },
  },
  { what: 'an empty file', lay: (path) => writeFile(path, '') },
  { what: 'garbage', lay: (path) => writeFile(path, 'garbage\n\0garbage\n') },
  {
    what: 'a good record in a file of 2 MB',
    lay: async (path, begun) => writeFile(path, (await recordAhead(begun)).padEnd(2_000_000)),
  },
  {
    what: 'a truncated record',
    lay: async (path, begun) => {
      const record = (await recordAhead(begun)).trimEnd();
      await writeFile(path, record.slice(0, record.length / 2));
    },
  },
  {
    what: 'a copy of another account’s record',
    lay: async (path, { machine, grace }) => cp(await recordOf(machine, grace), path),
  },
  {
    what: 'another account’s record of the same generation',
    lay: async (path, begun) => writeFile(path, await recordAhead(begun, readKeys(begun.machine), begun.grace)),
  },
  {
    what: 'another account’s record with a changed header',
    lay: async (path, { machine, ada, grace }) => {
      const [header = '', body] = (await readFile(await recordOf(machine, grace), 'utf8')).split('\n');
      await writeFile(path, `${JSON.stringify({ ...JSON.parse(header), grantId: ada.id, generation: 9 })}\n${body}\n`);
    },
  },
  { what: 'an outdated record of the account', lay: (path, { outdated }) => writeFile(path, outdated) },
  {
    what: 'an outdated record of the account with a changed header',
    lay: async (path, { outdated }) => {
      const [header = '', body] = outdated.split('\n');
      await writeFile(path, `${JSON.stringify({ ...JSON.parse(header), generation: 9 })}\n${body}\n`);
    },
  },
  {
    what: 'a record whose key is lost',
    lay: async (path, begun) => {
      await writeFile(path, await recordAhead(begun, Promise.resolve([newKey(systemRandomness)])));
      const longAgoSeconds = Date.now() / 1_000 - 3_600;
      await utimes(path, longAgoSeconds, longAgoSeconds);
    },
  },
];

describe('a bad entry with the name of an account’s newest record', () => {
  for (const { what, lay, skip = false } of badRecords) {
    const title = `${what} in the place of a newer record costs no account anything and stays there`;
    test(title, { skip, timeout }, async (t) => {
      const begun = await begin(t);
      await lay(begun.highest, begun);
      const before = await entryAt(begun.highest);
      const window = await begun.open();
      assert.deepEqual(window.labels, [ada, grace]);
      assert.deepEqual([...window.accounts.problems], []);
      assert.equal(stateIn(window, begun.ada), 'healthy');
      await renews(begun, window, begun.grace);
      const renewed = await renews(begun, window, begun.ada);
      await renews(begun, await begun.open(), renewed);
      assert.deepEqual(await entryAt(begun.highest), before);
    });

    test(`a sign-in to an account with ${what} in the place of a newer record keeps its id`, {
      skip,
      timeout,
    }, async (t) => {
      const begun = await begin(t);
      await lay(begun.highest, begun);
      const window = await begun.open();
      const { grant } = await window.accounts.storeSignIn(begun.machine.server.signIn('ada'));
      assert.equal(grant.id, begun.ada.id);
      const reloaded = await begun.open();
      assert.deepEqual(reloaded.labels, [ada, grace]);
      assert.ok(reloaded.accounts.find(grant.id)?.grant.tokens.accessToken.equals(grant.tokens.accessToken));
    });
  }

  test('a good record of a higher generation counts, so that the tests of bad ones use the right name', async (t) => {
    const begun = await begin(t);
    await writeFile(begun.highest, await recordAhead(begun));
    const window = await begun.open();
    assert.equal(window.accounts.find(begun.ada.id)?.grant.generation, 9);
  });

  test('a record that was written since the window was opened, with a key that it lacks, needs a reload of it', async (t) => {
    const begun = await begin(t);
    await writeFile(begun.highest, await recordAhead(begun, Promise.resolve([newKey(systemRandomness)])));
    const window = await begun.open();
    assert.equal(stateIn(window, begun.ada), 'stale');
    await assert.rejects(window.accounts.renew(begun.ada.id, { reason: 'asked' }), {
      details: { step: 'storage', code: 'read_only' },
    });
    assert.deepEqual(begun.sent, []);
    const other = await renews(begun, window, begun.grace);
    begun.machine.clock.aheadMs = 60_000;
    const reloaded = await begun.open();
    await renews(begun, reloaded, begun.ada);
    await renews(begun, reloaded, other);
  });
});

describe('a bad entry of the secret store', () => {
  test('a copy under another account’s name counts as damaged, and is set aside unchanged', async (t) => {
    const begun = await begin(t);
    const { contents } = begun.machine.secrets;
    const stray = encodeGrant(begun.grace);
    await rm(begun.machine.directory, { recursive: true });
    contents.set(`grant.${begun.ada.id}`, stray);
    const window = await begun.open();
    assert.deepEqual(window.labels, [grace]);
    assert.deepEqual([...window.accounts.problems], ['damaged']);
    assert.equal(contents.get(`damaged.${begun.ada.id}`), stray);
    assert.equal(contents.has(`grant.${begun.ada.id}`), false);
    await renews(begun, window, begun.grace);
  });

  test('a copy under another account’s name is replaced if the journal has the account’s record', async (t) => {
    const begun = await begin(t);
    const { contents } = begun.machine.secrets;
    contents.set(`grant.${begun.ada.id}`, encodeGrant({ ...begun.grace, generation: 9 }));
    const window = await begun.open();
    assert.deepEqual(window.labels, [ada, grace]);
    assert.match(contents.get(`grant.${begun.ada.id}`) ?? '', new RegExp(`"id":"${begun.ada.id}","generation":2`));
    await renews(begun, window, begun.ada);
    await renews(begun, window, begun.grace);
  });
});
