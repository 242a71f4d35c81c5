import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { newKey } from '../../../src/storage/encryption.ts';
import { ConsentUnderTest, handle, nextChange } from './consentUnderTest.ts';
import { files } from './listenerUnderTest.ts';

test('an agent may use an account only after the user allowed it, and no longer after they withdrew that', async (t) => {
  const consent = await new ConsentUnderTest(t).window();
  const permissions = [consent.permission(handle, 'codex')];
  for (const decide of [consent.allow, consent.deny, consent.allow, consent.forget]) {
    await decide.call(consent, handle, 'codex');
    permissions.push(consent.permission(handle, 'codex'));
  }
  assert.deepEqual(permissions, ['unknown', 'allowed', 'denied', 'allowed', 'unknown']);
});

test('what is allowed for one agent or account is not allowed for another', async (t) => {
  const consent = await new ConsentUnderTest(t).window();
  await consent.allow(handle, 'codex');
  assert.equal(consent.permission(handle, 'claude-code'), 'unknown');
  assert.equal(consent.permission('notion2-engineering-docs', 'codex'), 'unknown');
});

test('chat may use an account while both the setting and Offer in chat are on', async (t) => {
  const installation = new ConsentUnderTest(t);
  const consent = await installation.window();
  assert.deepEqual([consent.isOffered(handle), consent.permission(handle, 'editor')], [true, 'allowed']);
  await consent.setOffered(handle, false);
  assert.deepEqual([consent.isOffered(handle), consent.permission(handle, 'editor')], [false, 'denied']);
  assert.equal(consent.isOffered('notion2-engineering-docs'), true);
  await consent.setOffered(handle, true);
  installation.isOffered = false;
  assert.deepEqual([consent.isOffered(handle), consent.permission(handle, 'editor')], [true, 'denied']);
});

test('an agent that was allowed is so while nothing is offered in chat', async (t) => {
  const installation = new ConsentUnderTest(t);
  const consent = await installation.window();
  await consent.allow(handle, 'codex');
  installation.isOffered = false;
  await consent.setOffered(handle, false);
  assert.equal(consent.permission(handle, 'codex'), 'allowed');
});

test('other windows follow a decision, also one that opens later', async (t) => {
  const installation = new ConsentUnderTest(t);
  const [one, other] = [
    await installation.window({ clock: systemClock }),
    await installation.window({ clock: systemClock }),
  ];
  const changed = nextChange(other);
  await one.allow(handle, 'codex');
  await changed;
  assert.equal(other.permission(handle, 'codex'), 'allowed');
  assert.equal((await installation.window()).permission(handle, 'codex'), 'allowed');
});

test('a window whose watch is mute reads what others decided when it is asked to', async (t) => {
  const installation = new ConsentUnderTest(t);
  const mute = await installation.window({ files: { ...files, watch: () => ({ close: () => undefined }) } });
  await (await installation.window()).deny(handle, 'codex');
  assert.equal(mute.permission(handle, 'codex'), 'unknown');
  await mute.refresh();
  assert.equal(mute.permission(handle, 'codex'), 'denied');
});

test('windows that decide at the same moment lose nothing', async (t) => {
  const installation = new ConsentUnderTest(t);
  const windows = await Promise.all(Array.from({ length: 8 }, () => installation.window()));
  await Promise.all(
    windows.flatMap((window, index) => [
      window.allow(handle, `agent-${index}`),
      window.deny(`notion${index}-docs`, 'codex'),
      window.setOffered(`notion${index}-docs`, false),
    ]),
  );
  const later = await installation.window();
  for (let index = 0; index < windows.length; index += 1) {
    assert.equal(later.permission(handle, `agent-${index}`), 'allowed');
    assert.equal(later.permission(`notion${index}-docs`, 'codex'), 'denied');
    assert.equal(later.isOffered(`notion${index}-docs`), false);
  }
  assert.equal(readdirSync(installation.directory).filter((name) => name.endsWith('.new')).length, 0);
});

test('a decision made under a key counts after another window brought a second key', async (t) => {
  const installation = new ConsentUnderTest(t);
  const keys = [newKey(systemRandomness), newKey(systemRandomness)].sort((a, b) => (a.id < b.id ? -1 : 1));
  const [, last = installation.key] = keys;
  const early = await installation.window({ keys: () => [last] });
  await early.allow(handle, 'codex');
  const later = await installation.window({ keys: () => keys });
  assert.equal(later.permission(handle, 'codex'), 'allowed');
  await later.deny(handle, 'codex');
  await early.refresh();
  assert.notEqual(early.permission(handle, 'codex'), 'allowed');
  assert.deepEqual(later.uses(handle), [{ agent: 'codex', permission: 'denied' }]);
});

test('the uses of an account tell which agent used it when, and windows share them', async (t) => {
  const installation = new ConsentUnderTest(t);
  const consent = await installation.window();
  await consent.deny(handle, 'gemini');
  consent.recordUse(handle, 'codex');
  installation.clock.advance(5_000);
  consent.recordUse(handle, 'editor');
  const usedAtMs = installation.clock.nowMs();
  const uses = [
    { agent: 'editor', permission: 'allowed', usedAtMs },
    { agent: 'codex', permission: 'unknown', usedAtMs: usedAtMs - 5_000 },
    { agent: 'gemini', permission: 'denied' },
  ];
  assert.deepEqual(consent.uses(handle), uses);
  await consent.refresh();
  assert.deepEqual((await installation.window()).uses(handle), uses);
});

test('a use is written at most once a minute', async (t) => {
  const installation = new ConsentUnderTest(t);
  const written: string[] = [];
  const create = async (path: string, text: string) => {
    written.push(text);
    return files.create(path, text);
  };
  const consent = await installation.window({ files: { ...files, create } });
  const startMs = installation.clock.nowMs();
  for (let seconds = 0; seconds <= 120; seconds += 10) {
    consent.recordUse(handle, 'codex');
    installation.clock.advance(10_000);
  }
  await consent.refresh();
  assert.deepEqual(
    written,
    [0, 60_000, 120_000].map((afterMs) => String(startMs + afterMs)),
  );
});

test('a use fires no event, and a decision one', async (t) => {
  const consent = await new ConsentUnderTest(t).window();
  let events = 0;
  consent.onDidChange(() => {
    events += 1;
  });
  consent.recordUse(handle, 'codex');
  await consent.refresh();
  assert.equal(events, 0);
  await consent.allow(handle, 'codex');
  await consent.allow(handle, 'codex');
  assert.equal(events, 1);
});

test('of several windows that see a question one takes it, and a decision ends it', async (t) => {
  const installation = new ConsentUnderTest(t);
  const windows = await Promise.all([installation.window(), installation.window()]);
  const [one] = windows;
  one.ask(handle, 'codex');
  one.ask(handle, 'codex');
  await Promise.all(windows.map((window) => window.refresh()));
  await Promise.all(windows.map((window) => window.refresh()));
  assert.deepEqual(
    windows.map((window) => window.questions(handle)),
    [['codex'], ['codex']],
  );
  const taken = await Promise.all(windows.map((window) => window.takeQuestion(handle, 'codex')));
  assert.equal(taken.filter(Boolean).length, 1);
  one.ask(handle, 'codex');
  await one.deny(handle, 'codex');
  assert.deepEqual(one.questions(handle), []);
  assert.deepEqual(installation.fileNames(), ['.codex.consent']);
  one.ask(handle, 'codex');
  await one.refresh();
  assert.deepEqual(one.questions(handle), []);
});

test('what was decided for an account counts for the one that it was merged with, unless that has its own', async (t) => {
  const installation = new ConsentUnderTest(t);
  const consent = await installation.window();
  const [younger, older] = ['notion2-docs', 'notion-docs'];
  await consent.allow(younger, 'codex');
  await consent.allow(younger, 'gemini');
  await consent.deny(older, 'gemini');
  await consent.setOffered(younger, false);
  consent.recordUse(younger, 'codex');
  await consent.refresh();
  await consent.carryOver(younger, older);
  assert.equal(consent.permission(older, 'codex'), 'allowed');
  assert.equal(consent.permission(older, 'gemini'), 'denied');
  assert.equal(consent.isOffered(older), false);
  assert.equal(consent.uses(older).find(({ agent }) => agent === 'codex')?.usedAtMs, installation.clock.nowMs());
  assert.equal(consent.permission(younger, 'codex'), 'unknown');
});
