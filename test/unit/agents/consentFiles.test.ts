import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConsentUnderTest, handle } from './consentUnderTest.ts';
import { files, temporaryFolder } from './listenerUnderTest.ts';

test('the files of consent are for their user alone and do not tell the name of the workspace', async (t) => {
  const installation = new ConsentUnderTest(t);
  rmSync(installation.directory, { recursive: true });
  const consent = await installation.window();
  await consent.allow(handle, 'codex');
  consent.recordUse(handle, 'codex');
  await consent.setOffered(handle, false);
  assert.deepEqual(installation.fileNames(), ['.codex.consent', '.codex.used', '.editor.consent']);
  assert.equal(statSync(installation.directory).mode & 0o777, 0o700);
  for (const name of readdirSync(installation.directory)) {
    const path = join(installation.directory, name);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.doesNotMatch(name + readFileSync(path, 'utf8'), /wiki|notion/);
  }
  // Without the key the hash cannot be guessed.
  const other = new ConsentUnderTest(t);
  await (await other.window()).allow(handle, 'codex');
  assert.notEqual(readdirSync(other.directory)[0]?.slice(0, 32), readdirSync(installation.directory)[0]?.slice(0, 32));
});

for (const [name, spoil] of Object.entries<(path: string) => void>({
  'holds junk': (path) => writeFileSync(path, 'allowed\0junk'),
  'is empty': (path) => writeFileSync(path, ''),
  'is larger than any of ours': (path) => writeFileSync(path, 'allowed'.padEnd(2_000_000)),
})) {
  test(`a decision whose file ${name} is not known, and not offered in chat`, async (t) => {
    const installation = new ConsentUnderTest(t);
    const consent = await installation.window();
    await consent.allow(handle, 'codex');
    await consent.setOffered(handle, true);
    spoil(installation.path('.codex.consent'));
    spoil(installation.path('.editor.consent'));
    await consent.refresh();
    assert.equal(consent.permission(handle, 'codex'), 'unknown');
    assert.equal(consent.permission(handle, 'editor'), 'denied');
    await consent.allow(handle, 'codex');
    assert.equal(consent.permission(handle, 'codex'), 'allowed');
  });
}

test('a link or a folder in the place of a decision allows nothing', async (t) => {
  const installation = new ConsentUnderTest(t);
  const consent = await installation.window();
  await consent.allow(handle, 'codex');
  await consent.allow(handle, 'gemini');
  const elsewhere = join(temporaryFolder(t), 'file');
  writeFileSync(elsewhere, 'allowed');
  const [link, folder] = [installation.path('.codex.consent'), installation.path('.gemini.consent')];
  rmSync(link);
  symlinkSync(elsewhere, link);
  rmSync(folder);
  mkdirSync(folder);
  await consent.refresh();
  assert.equal(consent.permission(handle, 'codex'), 'unknown');
  assert.equal(consent.permission(handle, 'gemini'), 'unknown');
});

test('a directory that cannot be read for a moment changes nothing, and the log says so once', async (t) => {
  const installation = new ConsentUnderTest(t);
  let fails = false;
  const list = async (path: string) => {
    if (fails) {
      throw Object.assign(new Error('list'), { code: 'EIO' });
    }
    return files.list(path);
  };
  const consent = await installation.window({ files: { ...files, list } });
  await consent.allow(handle, 'codex');
  fails = true;
  await consent.refresh();
  await consent.refresh();
  assert.equal(consent.permission(handle, 'codex'), 'allowed');
  assert.deepEqual(installation.logged, ['What agents may do cannot be read now. code=EIO']);
});

test('a decision that cannot be stored is reported to its caller and leaves no file behind', async (t) => {
  const installation = new ConsentUnderTest(t);
  const rename = async (): Promise<void> => {
    throw Object.assign(new Error('rename'), { code: 'ENOSPC' });
  };
  const consent = await installation.window({ files: { ...files, rename } });
  await assert.rejects(consent.allow(handle, 'codex'), { code: 'ENOSPC' });
  assert.equal(consent.permission(handle, 'codex'), 'unknown');
  assert.deepEqual(installation.fileNames(), []);
});

test('the id of an agent cannot lead out of the directory', async (t) => {
  const consent = await new ConsentUnderTest(t).window();
  for (const agent of ['', '../codex', 'Codex', 'a'.repeat(33), 'a.b', 'codex\n']) {
    await assert.rejects(consent.allow(handle, agent), /not the id of an agent/);
  }
});

test('a directory that other users can change stores no decision', {
  skip: process.getuid?.() !== 0 && 'needs root',
}, async (t) => {
  const installation = new ConsentUnderTest(t);
  const consent = await installation.window();
  const { chown } = await import('node:fs/promises');
  await chown(installation.directory, 12345, 12345);
  chmodSync(installation.directory, 0o777);
  await assert.rejects(consent.allow(handle, 'codex'), { code: 'not_private' });
  assert.equal(consent.permission(handle, 'codex'), 'unknown');
});
