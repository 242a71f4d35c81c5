import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { files } from '../../../src/platform/node/files.ts';
import { AnnouncedSignIns } from '../../../src/signIn/announcedSignIns.ts';
import { FakeClock } from '../fakeClock.ts';

const limitMs = 5 * 60_000;

/** Two windows that share a directory. */
function open(t: TestContext) {
  assert.ok(files);
  const root = mkdtempSync(join(tmpdir(), 'announced-'));
  t.after(() => rmSync(root, { recursive: true }));
  const parts = { files, directory: join(root, 'journal'), clock: new FakeClock() };
  const window = () => new AnnouncedSignIns(parts);
  return { ...parts, window: window(), other: window(), names: () => readdirSync(parts.directory) };
}

test('a sign-in is known in another window until it is over, and leaves nothing behind', async (t) => {
  const { window, other, names } = open(t);
  assert.equal(await other.includesAny(['state']), false);
  await window.add('state');
  assert.equal(await other.includesAny(['foreign', 'state']), true);
  assert.equal(await other.includesAny(['foreign']), false);
  assert.equal(await other.includesAny([]), false);
  await window.remove('state');
  assert.equal(await other.includesAny(['state']), false);
  assert.deepEqual(names(), []);
});

test('the announcements of two windows that begin and end sign-ins at the same moment do not replace each other', async (t) => {
  const { window, other } = open(t);
  await Promise.all([window.add('ended'), window.add('first'), other.add('second'), window.remove('ended')]);
  const known = (states: string[]) => Promise.all([window, other].map((each) => each.includesAny(states)));
  assert.deepEqual(await known(['first']), [true, true]);
  assert.deepEqual(await known(['second']), [true, true]);
  assert.deepEqual(await known(['ended']), [false, false]);
});

test('an announcement whose window died is over after the time limit of a sign-in, and is then removed', async (t) => {
  const { clock, window, other, names } = open(t);
  await window.add('state');
  clock.advance(limitMs - 1);
  assert.equal(await other.includesAny(['state']), true);
  clock.advance(1);
  assert.equal(await other.includesAny(['state']), false);
  await other.add('next');
  assert.equal(names().length, 1);
});

test('an announcement tells neither the state nor who signs in', async (t) => {
  const { window, names } = open(t);
  await window.add('state');
  assert.match(names().join(), /^[0-9a-f]{64}\.\d+\.waiting$/);
});

test('a directory that cannot be had costs an announcement, and nothing else', async (t) => {
  const { directory, window, other } = open(t);
  writeFileSync(directory, '');
  await window.add('lost');
  await window.remove('lost');
  assert.equal(await other.includesAny(['lost']), false);
  rmSync(directory);
  await window.add('state');
  assert.equal(await other.includesAny(['state']), true);
});
