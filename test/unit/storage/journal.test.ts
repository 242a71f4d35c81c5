import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemRandomness } from '../../../src/core/random.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { newKey } from '../../../src/storage/encryption.ts';
import { Journal } from '../../../src/storage/journal.ts';
import { files } from '../accounts/machine.ts';
import { TokenServer } from '../renewal/tokenServer.ts';

const fresh = new TokenServer(() => 0).signIn('ada');

function grantOf(generation: number): Grant {
  return { ...fresh, id: 'grant', generation, label: 'ada', signedInAtMs: 0 };
}

async function begin(t: TestContext, disk: Files = files) {
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const journal = new Journal(disk, directory, systemRandomness);
  journal.learnKeys([newKey(systemRandomness)]);
  await journal.write(grantOf(1), undefined);
  return { directory, journal };
}

async function generationIn(journal: Journal): Promise<number | undefined> {
  const entry = await journal.readOne('grant');
  return entry !== 'gone' && entry?.kind === 'grant' ? entry.grant.generation : undefined;
}

/** Takes the place for a new record, and then it is cleared away, as another window may do after a takeover. */
async function lostPlace(directory: string, journal: Journal) {
  const place = await journal.reserve(grantOf(1));
  for (const name of await readdir(directory)) {
    if (name.endsWith('.reserved')) {
      await rm(join(directory, name));
    }
  }
  return place;
}

test('an answer whose place was cleared away is stored all the same', async (t) => {
  const { directory, journal } = await begin(t);
  const place = await lostPlace(directory, journal);
  await place.commit(grantOf(2), grantOf(1));
  assert.equal(await generationIn(journal), 2);
  assert.equal((await readdir(directory)).length, 1);
});

test('an answer that came too late, and whose place was cleared away, is kept aside all the same', async (t) => {
  const { directory, journal } = await begin(t);
  const place = await lostPlace(directory, journal);
  await place.keepAside(grantOf(2), grantOf(1));
  assert.deepEqual(
    (await journal.keptAside('grant')).map(({ generation }) => generation),
    [2],
  );
  assert.equal(await generationIn(journal), 1);
});

test('the record of before stays where the new one cannot be read back', async (t) => {
  let lies = false;
  const { journal } = await begin(t, {
    ...files,
    // What it wrote is not what is there.
    overwrite: (path, text) => files.overwrite(path, lies ? text.slice(0, text.length / 2) : text),
  });
  lies = true;
  await journal.write(grantOf(2), grantOf(1));
  assert.equal(await generationIn(journal), 1);
});
