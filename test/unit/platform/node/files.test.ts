import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, type TestContext, test } from 'node:test';
import type { Files } from '../../../../src/platform/contract.ts';
import { files as platformFiles } from '../../../../src/platform/node/files.ts';

const files = platformFiles as Files;

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
