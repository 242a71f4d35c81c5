import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, type FileHandle, mkdir, mkdtemp, open, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, mock, type TestContext, test } from 'node:test';
import { type Files, notPrivateCode } from '../../../../src/platform/contract.ts';
import { files as platformFiles } from '../../../../src/platform/node/files.ts';
import { foreignEntries, giveAway, skipUnlessRoot } from '../../storage/foreignEntries.ts';

const files = platformFiles as Files;
/** Windows has no permission bits, and reserves links for administrators. */
const skipOnWindows = process.platform === 'win32' && 'Windows has no permission bits';
/** A read that waits for another process would wait for ever. */
const timeout = 10_000;

async function setUp(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'files-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const one = join(directory, 'one');
  /** Collects what `look` returns each time something is flushed to disk. */
  const watchSyncs = async (look: () => unknown): Promise<unknown[]> => {
    const handle = await open(directory, 'r');
    const prototype = Object.getPrototypeOf(handle) as FileHandle;
    await handle.close();
    const seen: unknown[] = [];
    const { sync } = prototype;
    const spy = mock.method(prototype, 'sync', function (this: FileHandle) {
      seen.push(look());
      return sync.call(this);
    });
    t.after(() => spy.mock.restore());
    return seen;
  };
  return { directory, one, watchSyncs };
}

test('a file is created only once, for its user only, and is on the disk when create resolves', async (t) => {
  const { one, watchSyncs } = await setUp(t);
  const seen = await watchSyncs(() => readFileSync(one, 'utf8'));
  assert.equal(await files.create(one, 'first'), true);
  assert.deepEqual(seen, ['first']);
  assert.equal(await files.create(one, 'second'), false);
  assert.equal(await files.read(one), 'first');
  assert.equal((await stat(one)).mode & 0o777, 0o600);
});

test('overwritten content is flushed to disk before the file is renamed, and so is its new name', async (t) => {
  const { one, watchSyncs } = await setUp(t);
  await files.create(one, 'reserved    ');
  const seen = await watchSyncs(() => [existsSync(`${one}.named`), existsSync(one) && readFileSync(one, 'utf8')]);
  await files.overwrite(one, 'record');
  await files.rename(one, `${one}.named`);
  assert.deepEqual(seen, [
    [false, 'recorded    '],
    [true, false],
  ]);
});

test('a file that cannot be written completely is removed', async (t) => {
  const { one, directory } = await setUp(t);
  const handle = await open(directory, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  // Stands in for a disk that becomes full while the file is being written.
  const spy = mock.method(prototype, 'sync', async () => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  });
  t.after(() => spy.mock.restore());
  await assert.rejects(files.create(one, 'text'), { code: 'ENOSPC' });
  assert.equal(existsSync(one), false);
});

test('writes to an open file reach that file even if another file has its name by then', async (t) => {
  const { one } = await setUp(t);
  const file = await files.createOpen(one, 'first 1');
  await files.rename(one, `${one}.aside`);
  await writeFile(one, 'other');
  await file?.overwrite('first 2');
  await file?.close();
  assert.equal(await readFile(one, 'utf8'), 'other');
  assert.equal(await readFile(`${one}.aside`, 'utf8'), 'first 2');
  assert.equal(await files.createOpen(one, 'again'), undefined);
});

test('a missing file reads as undefined and can be removed, and a missing directory is listed as empty', async (t) => {
  const { one, directory } = await setUp(t);
  assert.equal(await files.read(one), undefined);
  assert.deepEqual(await files.list(`${directory}/nowhere`), []);
  await files.remove(one);
});

describe('a name that is not a regular file of this user', () => {
  for (const { what, lay, skip = false } of foreignEntries) {
    test(`${what} reads as undefined at once, and can neither be created nor be opened`, {
      skip,
      timeout,
    }, async (t) => {
      const { one } = await setUp(t);
      await lay(one);
      assert.equal(await files.read(one), undefined);
      assert.equal(await files.create(one, 'text'), false);
      assert.equal(await files.createOpen(one, 'text'), undefined);
    });
  }

  test('a list has the names of the regular files alone', async (t) => {
    const { directory, one } = await setUp(t);
    await files.create(one, 'text');
    for (const [index, { lay, skip = false, what }] of foreignEntries.entries()) {
      if (skip === false && what !== 'a file of another user') {
        await lay(join(directory, `foreign${index}`));
      }
    }
    assert.deepEqual(await files.list(directory), ['one']);
  });

  test('a link to a file reads as undefined', { skip: skipOnWindows }, async (t) => {
    const { one } = await setUp(t);
    await files.create(one, 'text');
    await symlink(one, `${one}.link`);
    assert.equal(await files.read(`${one}.link`), undefined);
    assert.equal(await files.read(one), 'text');
  });

  test('a file of up to 1 MiB is read, and a larger one reads as undefined', async (t) => {
    const { one } = await setUp(t);
    await writeFile(one, ' '.repeat(1_048_576));
    assert.equal((await files.read(one))?.length, 1_048_576);
    await writeFile(one, ' '.repeat(1_048_577));
    assert.equal(await files.read(one), undefined);
  });
});

describe('a file or directory that other users can access', () => {
  for (const mode of [0o644, 0o666, 0o640]) {
    const title = `a file of this user with mode ${mode.toString(8)} is read and made private`;
    test(title, { skip: skipOnWindows }, async (t) => {
      const { one } = await setUp(t);
      await writeFile(one, 'text');
      await chmod(one, mode);
      assert.equal(await files.read(one), 'text');
      assert.equal((await stat(one)).mode & 0o777, 0o600);
    });
  }

  test('a file of this user that its user may not read is read and made private', {
    skip: skipOnWindows,
  }, async (t) => {
    const { one } = await setUp(t);
    await writeFile(one, 'text');
    await chmod(one, 0o044);
    assert.equal(await files.read(one), 'text');
    assert.equal((await stat(one)).mode & 0o777, 0o600);
  });

  test('a private directory is created with its parents, for its user only', { skip: skipOnWindows }, async (t) => {
    const { directory } = await setUp(t);
    await files.makePrivateDirectory(`${directory}/parent/journal`);
    assert.equal((await stat(`${directory}/parent`)).mode & 0o777, 0o700);
    assert.equal((await stat(`${directory}/parent/journal`)).mode & 0o777, 0o700);
  });

  for (const mode of [0o777, 0o755, 0o750, 0o701]) {
    const title = `an existing directory with mode ${mode.toString(8)} is made private, and its files stay`;
    test(title, { skip: skipOnWindows }, async (t) => {
      const { directory } = await setUp(t);
      const journal = `${directory}/journal`;
      await mkdir(journal);
      await files.create(`${journal}/one`, 'text');
      await chmod(journal, mode);
      await files.makePrivateDirectory(journal);
      assert.equal((await stat(journal)).mode & 0o777, 0o700);
      assert.deepEqual(await files.list(journal), ['one']);
    });
  }

  for (const mode of [0o700, 0o777]) {
    const title = `another user’s directory with mode ${mode.toString(8)} counts as not private and keeps its mode`;
    test(title, { skip: skipUnlessRoot }, async (t) => {
      const { directory } = await setUp(t);
      const journal = `${directory}/journal`;
      await mkdir(journal);
      await chmod(journal, mode);
      await giveAway(journal);
      await assert.rejects(files.makePrivateDirectory(journal), { code: notPrivateCode });
      assert.equal((await stat(journal)).mode & 0o777, mode);
    });
  }

  test('a file in the place of the directory is an error, but not one of privacy', async (t) => {
    const { one } = await setUp(t);
    await writeFile(one, 'text');
    await assert.rejects(files.makePrivateDirectory(one), { code: 'EEXIST' });
  });
});
