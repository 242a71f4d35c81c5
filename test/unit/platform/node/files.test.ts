import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, type TestContext, test } from 'node:test';
import type { Files } from '../../../../src/platform/contract.ts';
import { files as platformFiles } from '../../../../src/platform/node/files.ts';

const files = platformFiles as Files;

async function begin(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'files-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const one = join(directory, 'one');
  /** What is seen at each moment at which something is brought to the disk. */
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

test('a file is made for its user only, once, and is on the disk when that is said', async (t) => {
  const { one, watchSyncs } = await begin(t);
  const seen = await watchSyncs(() => readFileSync(one, 'utf8'));
  assert.equal(await files.create(one, 'first'), true);
  assert.deepEqual(seen, ['first']);
  assert.equal(await files.create(one, 'second'), false);
  assert.equal(await files.read(one), 'first');
  assert.equal((await stat(one)).mode & 0o777, 0o600);
});

test('what is written over a file is on the disk before the file gets its name, and so is the name', async (t) => {
  const { one, watchSyncs } = await begin(t);
  await files.create(one, 'reserved    ');
  const seen = await watchSyncs(() => [existsSync(`${one}.named`), existsSync(one) && readFileSync(one, 'utf8')]);
  await files.overwrite(one, 'record');
  await files.rename(one, `${one}.named`);
  assert.deepEqual(seen, [
    [false, 'recorded    '],
    [true, false],
  ]);
});

test('a file that cannot be written whole does not stay', async (t) => {
  const { one, directory } = await begin(t);
  const handle = await open(directory, 'r');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  // Stands in for a disk that takes a part and refuses the rest.
  const spy = mock.method(prototype, 'sync', async () => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  });
  t.after(() => spy.mock.restore());
  await assert.rejects(files.create(one, 'text'), { code: 'ENOSPC' });
  assert.equal(existsSync(one), false);
});

test('an open file is written into although another has its name by now', async (t) => {
  const { one } = await begin(t);
  const file = await files.createOpen(one, 'first 1');
  await files.rename(one, `${one}.aside`);
  await writeFile(one, 'other');
  await file?.overwrite('first 2');
  await file?.close();
  assert.equal(await readFile(one, 'utf8'), 'other');
  assert.equal(await readFile(`${one}.aside`, 'utf8'), 'first 2');
  assert.equal(await files.createOpen(one, 'again'), undefined);
});

test('what is missing reads as missing', async (t) => {
  const { one, directory } = await begin(t);
  assert.equal(await files.read(one), undefined);
  assert.deepEqual(await files.list(`${directory}/nowhere`), []);
  await files.remove(one);
});
