import assert from 'node:assert/strict';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { files, Machine, type Window } from './machine.ts';

const ada = 'ada (wiki)';

function token(window: Window): string {
  return window.only().grant.tokens.accessToken.reveal();
}

describe('an account', () => {
  test('is announced once when it signs in, and is there after a reload without a word', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.deepEqual(window.events, [`added ${ada}`]);
    const reloaded = await machine.open();
    assert.deepEqual(reloaded.labels, [ada]);
    assert.deepEqual(reloaded.events, []);
    assert.equal(token(reloaded), token(window));
  });

  test('keeps its id when the same user signs in to the same workspace again, and the older grant is revoked', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const first = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    const second = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.equal(second.reconnected, true);
    assert.equal(second.grant.id, first.grant.id);
    assert.equal(second.grant.label, ada);
    assert.ok(second.grant.generation > first.grant.generation);
    assert.deepEqual(machine.server.revoked, [first.grant.tokens.refreshToken?.reveal()]);
    assert.deepEqual(window.labels, [ada]);
  });

  test('whose identity is unknown stands alone and replaces nobody', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    await window.accounts.storeSignIn(machine.server.signIn(undefined));
    await window.accounts.storeSignIn(machine.server.signIn(undefined));
    assert.deepEqual(window.labels, ['Notion account', 'Notion account · 2']);
    assert.deepEqual(machine.server.revoked, []);
  });

  test('is forgotten here and revoked there when it signs out, and does not come back', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await window.accounts.signOut(grant.id);
    assert.deepEqual(window.events, [`added ${ada}`, `removed ${ada}`]);
    assert.deepEqual(machine.server.revoked, [grant.tokens.refreshToken?.reveal()]);
    assert.deepEqual((await machine.open()).labels, []);
    assert.ok([...machine.secrets.contents.keys()].every((name) => !name.includes(grant.id)));
  });

  test('is signed out here even when the server cannot be told', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    machine.server.cannotRevoke = true;
    await window.accounts.signOut(grant.id);
    assert.deepEqual((await machine.open()).labels, []);
  });

  test('of another server is kept but dormant, and back with the server’s URL', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    await window.accounts.storeSignIn(machine.server.signIn('ada'));
    window.accounts.setServerUrl('https://other.example/mcp');
    assert.equal(window.only().state, 'dormant');
    window.accounts.setServerUrl('https://mcp.example/mcp');
    assert.equal(window.only().state, 'healthy');
    assert.deepEqual(window.events, [`added ${ada}`, `removed ${ada}`, `added ${ada}`]);
  });

  test('gives a caller its good token at once, without a request', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.equal((await window.accounts.fresh(grant.id, 5_000)).tokens.accessToken, grant.tokens.accessToken);
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('in its last minute gives a renewed token, or the old one to a caller who cannot wait', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    machine.clock.aheadMs = (machine.server.lifeSeconds - 30) * 1_000;
    const answered = Promise.withResolvers<void>();
    machine.server.next.push(async (_, answer) => {
      await answered.promise;
      return answer();
    });
    const old = await window.accounts.fresh(grant.id, 1);
    assert.equal(old.tokens.accessToken.reveal(), grant.tokens.accessToken.reveal());
    answered.resolve();
    const renewed = await window.accounts.fresh(grant.id, 5_000);
    assert.notEqual(renewed.tokens.accessToken.reveal(), grant.tokens.accessToken.reveal());
    assert.equal(machine.server.refreshes.length, 1);
  });
});

describe('what is stored', () => {
  /** Windows knows no such bits: there a folder's own list says who may read, and it is inherited from the user's. */
  const others = process.platform === 'win32' ? 0 : 0o077;

  test('stands nowhere on the disk in clear, for nobody but its user', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    const journal = await machine.journal();
    assert.ok([...journal.keys()].some((name) => name.startsWith(`${grant.id}.2.`)));
    for (const [name, text] of journal) {
      assert.doesNotMatch(text, /access-|refresh-|ada|wiki/, name);
      assert.equal((await stat(join(machine.directory, name))).mode & others, 0, name);
    }
    assert.equal((await stat(machine.directory)).mode & others, 0);
    assert.ok(renewed.generation === 2);
  });

  test('and vanished from the secret storage is put back from the journal', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    machine.secrets.contents.delete(`grant.${grant.id}`);
    assert.deepEqual((await machine.open()).labels, [ada]);
    assert.ok(machine.secrets.contents.has(`grant.${grant.id}`));
  });

  for (const hasDisk of [true, false]) {
    test(`and cannot be read is kept aside and reported once, others are unharmed, ${hasDisk ? 'with' : 'without'} a disk`, async (t) => {
      const machine = await Machine.start(t);
      const options = hasDisk ? {} : { files: { ...noDisk } };
      const window = await machine.open(options);
      await window.accounts.storeSignIn(machine.server.signIn('ada'));
      machine.secrets.contents.set('grant.lost', '{"version":1,"id":"lost","tok');
      const reloaded = await machine.open(options);
      assert.deepEqual(reloaded.labels, [ada]);
      assert.ok(reloaded.accounts.problems.has('damaged'));
      assert.equal(machine.secrets.contents.get('damaged.lost'), '{"version":1,"id":"lost","tok');
      assert.ok(!(await machine.open(options)).accounts.problems.has('damaged'));
    });
  }

  test('by a newer version is shown and never written', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open({ files: { ...noDisk } });
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    const name = `grant.${grant.id}`;
    const record = JSON.parse(machine.secrets.contents.get(name) ?? '');
    const newer = JSON.stringify({ ...record, version: 2, invented: 'later' });
    machine.secrets.contents.set(name, newer);
    const reloaded = await machine.open({ files: { ...noDisk } });
    assert.equal(reloaded.only().state, 'readOnly');
    await assert.rejects(reloaded.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.equal(machine.secrets.contents.get(name), newer);
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('carries what it does not know through a renewal', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open({ files: { ...noDisk } });
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    const name = `grant.${grant.id}`;
    const record = JSON.parse(machine.secrets.contents.get(name) ?? '');
    machine.secrets.contents.set(name, JSON.stringify({ ...record, invented: { later: true } }));
    const reloaded = await machine.open({ files: { ...noDisk } });
    await reloaded.accounts.renew(grant.id, { reason: 'asked' });
    assert.deepEqual(JSON.parse(machine.secrets.contents.get(name) ?? '').invented, { later: true });
  });

  test('where a disk cannot be written goes to the secret storage alone, and one line says so', async (t) => {
    const machine = await Machine.start(t);
    // A file stands where the directory should be: also root cannot make it.
    await mkdir(join(machine.directory, '..'), { recursive: true });
    await writeFile(machine.directory, '');
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await window.accounts.renew(grant.id, { reason: 'asked' });
    const reloaded = await machine.open();
    assert.equal(token(reloaded), token(window));
    assert.equal(machine.logLines.filter((line) => line.includes('The journal cannot be written')).length, 2);
    await window.accounts.signOut(grant.id);
    assert.deepEqual((await machine.open()).labels, []);
  });

  test('on a disk that became full: signing in and signing out work, and hold after a reload', async (t) => {
    const machine = await Machine.start(t);
    const before = await machine.open();
    const { grant } = await before.accounts.storeSignIn(machine.server.signIn('ada'));
    const refuse = async (): Promise<never> => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    const full = await machine.open({ files: { ...files, create: refuse, createOpen: refuse, overwrite: refuse } });
    await full.accounts.storeSignIn(machine.server.signIn('grace'));
    await full.accounts.signOut(grant.id);
    const after = await machine.open();
    assert.deepEqual(after.labels, ['grace (wiki)']);
    await after.accounts.renew(after.only().grant.id, { reason: 'asked' });
  });

  test('is not touched where a journal file is foreign, truncated or altered', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    const strange = {
      [`${grant.id}.7.00`]: '{"version":1,"keyId":"unknown"',
      [`${grant.id}.8.00`]: '',
      [`${grant.id}.9.00`]:
        [...(await machine.journal()).values()]
          .find((text) => text.includes(grant.id))
          ?.replace(/.{9}\n$/, 'AAAAAAAA=\n') ?? '',
      'readme.txt': 'hello',
    };
    for (const [name, text] of Object.entries(strange)) {
      await writeFile(join(machine.directory, name), text);
    }
    const reloaded = await machine.open();
    assert.equal(token(reloaded), token(window));
    const journal = await machine.journal();
    for (const [name, text] of Object.entries(strange)) {
      assert.equal(journal.get(name), text);
    }
  });

  test('by somebody who knows more, with a key that is not here, is shown and never renewed', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    const [name = '', text = ''] =
      [...(await machine.journal())].find(([each]) => each.startsWith(`${grant.id}.1.`)) ?? [];
    const [clear = '', encrypted = ''] = text.split('\n');
    const header = JSON.stringify({ ...JSON.parse(clear), keyId: 'unknown', generation: 5 });
    await writeFile(join(machine.directory, name.replace('.1.', '.5.')), `${header}\n${encrypted}\n`);
    const stale = await machine.open();
    assert.equal(stale.only().state, 'readOnly');
    await assert.rejects(stale.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
  });
});

/** A disk that is not there, as in a web worker. */
const noDisk = {
  makeDirectory: async () => {
    throw Object.assign(new Error('no disk'), { code: 'EROFS' });
  },
  list: async () => [],
  read: async () => undefined,
  create: async () => false,
  createOpen: async () => undefined,
  overwrite: async () => undefined,
  rename: async () => undefined,
  remove: async () => undefined,
  watch: () => ({ close: () => undefined }),
};
