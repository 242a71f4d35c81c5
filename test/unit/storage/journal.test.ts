import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { newKey } from '../../../src/storage/encryption.ts';
import { Journal } from '../../../src/storage/journal.ts';
import { files } from '../accounts/machine.ts';
import { TokenServer } from '../renewal/tokenServer.ts';

const signIn = new TokenServer(() => 0).signIn('ada');

function grantOf(generation: number): Grant {
  return { ...signIn, id: 'grant', generation, label: 'ada', signedInAtMs: 0 };
}

async function begin(t: TestContext, disk: Files = files) {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const journal = new Journal({
    files: disk,
    directory,
    clock: systemClock,
    randomness: systemRandomness,
    openedAtMs: Date.now(),
  });
  journal.addKeys([newKey(systemRandomness)]);
  await journal.write(grantOf(1));
  return { directory, journal };
}

async function generationIn(journal: Journal): Promise<number | undefined> {
  const entry = await journal.readOne('grant');
  return entry !== 'gone' && entry?.kind === 'grant' ? entry.grant.generation : undefined;
}

/** Reserves a file for a new record and removes that file, as another window may do after taking over the lock. */
async function reserveAndRemove(directory: string, journal: Journal) {
  const reservation = await journal.reserve(grantOf(1));
  for (const name of await readdir(directory)) {
    if (name.endsWith('.reserved')) {
      await rm(join(directory, name));
    }
  }
  return reservation;
}

test('a record is stored even if its reserved file was removed', async (t) => {
  const { directory, journal } = await begin(t);
  const reservation = await reserveAndRemove(directory, journal);
  await reservation.commit(grantOf(2));
  assert.equal(await generationIn(journal), 2);
  assert.equal((await readdir(directory)).length, 1);
});

test('the previous record is kept if the new one cannot be read back', async (t) => {
  let isTruncating = false;
  const { journal } = await begin(t, {
    ...files,
    // A disk that reports success but stores only a part.
    overwrite: (path, text) => files.overwrite(path, isTruncating ? text.slice(0, text.length / 2) : text),
  });
  isTruncating = true;
  await journal.write(grantOf(2));
  assert.equal(await generationIn(journal), 1);
});
