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
  test('a sign-in fires one event, and after a reload the account is listed without an event', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.deepEqual(window.events, [`added ${ada}`]);
    const reloaded = await machine.open();
    assert.deepEqual(reloaded.labels, [ada]);
    assert.deepEqual(reloaded.events, []);
    assert.equal(token(reloaded), token(window));
  });

  test('a repeated sign-in of a user to a workspace keeps the account’s id and revokes the older grant', async (t) => {
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

  test('an account of unknown identity replaces no other account', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    await window.accounts.storeSignIn(machine.server.signIn(undefined));
    await window.accounts.storeSignIn(machine.server.signIn(undefined));
    assert.deepEqual(window.labels, ['Notion account', 'Notion account']);
    assert.equal(new Set(window.accounts.list().map(({ grant }) => grant.label)).size, 2);
    assert.deepEqual(machine.server.revoked, []);
  });

  test('a sign-out removes the account for good and revokes its grant at the authorization server', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await window.accounts.signOut(grant.id);
    assert.deepEqual(window.events, [`added ${ada}`, `removed ${ada}`]);
    assert.deepEqual(machine.server.revoked, [grant.tokens.refreshToken?.reveal()]);
    assert.deepEqual((await machine.open()).labels, []);
    assert.ok([...machine.secrets.contents.keys()].every((name) => !name.includes(grant.id)));
  });

  test('a sign-out removes the account even if its grant cannot be revoked', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    machine.server.cannotRevoke = true;
    await window.accounts.signOut(grant.id);
    assert.deepEqual((await machine.open()).labels, []);
  });

  test('an account of another MCP server is dormant until that server is configured again', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    await window.accounts.storeSignIn(machine.server.signIn('ada'));
    window.accounts.setServerUrl('https://other.example/mcp');
    assert.equal(window.only().state, 'dormant');
    window.accounts.setServerUrl('https://mcp.example/mcp');
    assert.equal(window.only().state, 'healthy');
    assert.deepEqual(window.events, [`added ${ada}`, `removed ${ada}`, `added ${ada}`]);
  });

  test('a caller gets a valid access token at once, without a request', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.equal((await window.accounts.fresh(grant.id, 5_000)).tokens.accessToken, grant.tokens.accessToken);
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('a token in its last minute is renewed, but a caller that cannot wait gets the old one', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    machine.clock.aheadMs = (machine.server.lifeSeconds - 30) * 1_000;
    const response = Promise.withResolvers<void>();
    machine.server.next.push(async (_, respond) => {
      await response.promise;
      return respond();
    });
    const old = await window.accounts.fresh(grant.id, 1);
    assert.equal(old.tokens.accessToken.reveal(), grant.tokens.accessToken.reveal());
    response.resolve();
    const renewed = await window.accounts.fresh(grant.id, 5_000);
    assert.notEqual(renewed.tokens.accessToken.reveal(), grant.tokens.accessToken.reveal());
    assert.equal(machine.server.refreshes.length, 1);
  });
});

describe('the storage of accounts', () => {
  /** Windows has no permission bits: there a folder inherits the access control list of the user's folder. */
  const otherUsersBits = process.platform === 'win32' ? 0 : 0o077;

  test('the journal holds no token or name in clear text, and only its user can read it', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    const journal = await machine.journal();
    assert.ok([...journal.keys()].some((name) => name.startsWith(`${grant.id}.2.`)));
    for (const [name, text] of journal) {
      assert.doesNotMatch(text, /access-|refresh-|"ada"|"wiki"/, name);
      assert.equal((await stat(join(machine.directory, name))).mode & otherUsersBits, 0, name);
    }
    assert.equal((await stat(machine.directory)).mode & otherUsersBits, 0);
    assert.ok(renewed.generation === 2);
  });

  test('an account that vanished from the secret storage is restored from the journal', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    machine.secrets.contents.delete(`grant.${grant.id}`);
    assert.deepEqual((await machine.open()).labels, [ada]);
    assert.ok(machine.secrets.contents.has(`grant.${grant.id}`));
  });

  for (const hasDisk of [true, false]) {
    const disk = hasDisk ? 'with a disk' : 'without a disk';
    test(`${disk}, a damaged record is set aside and reported once, and other accounts are unharmed`, async (t) => {
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

  test('a record that a newer version wrote is shown and never overwritten', async (t) => {
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

  test('a renewal keeps the fields of a record that this version does not know', async (t) => {
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

  test('a disk that cannot be written leaves accounts in the secret storage alone and is logged once', async (t) => {
    const machine = await Machine.start(t);
    // A file takes the place of the directory, so that not even root can create it.
    await mkdir(join(machine.directory, '..'), { recursive: true });
    await writeFile(machine.directory, '');
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await window.accounts.renew(grant.id, { reason: 'asked' });
    const reloaded = await machine.open();
    assert.equal(token(reloaded), token(window));
    assert.equal(machine.logLines.filter((line) => line.includes('The journal cannot be prepared')).length, 2);
    await window.accounts.signOut(grant.id);
    assert.deepEqual((await machine.open()).labels, []);
  });

  test('sign-in and sign-out work on a full disk and persist after a reload', async (t) => {
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

  test('foreign, truncated and altered files in the journal are ignored and left in place', async (t) => {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    const unreadable = {
      [`${grant.id}.7.00`]: '{"version":1,"keyId":"unknown"',
      [`${grant.id}.8.00`]: '',
      [`${grant.id}.9.00`]:
        [...(await machine.journal()).values()]
          .find((text) => text.includes(grant.id))
          ?.replace(/.{9}\n$/, 'AAAAAAAA=\n') ?? '',
      'readme.txt': 'hello',
    };
    for (const [name, text] of Object.entries(unreadable)) {
      await writeFile(join(machine.directory, name), text);
    }
    const reloaded = await machine.open();
    assert.equal(token(reloaded), token(window));
    const journal = await machine.journal();
    for (const [name, text] of Object.entries(unreadable)) {
      assert.equal(journal.get(name), text);
    }
  });

  test('an account with a newer record whose key is missing is shown and never renewed', async (t) => {
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

/** A missing disk, as in a web worker. */
const noDisk = {
  makePrivateDirectory: async () => {
    throw Object.assign(new Error('no disk'), { code: 'EROFS' });
  },
  writtenAtMs: async () => undefined,
  list: async () => [],
  read: async () => undefined,
  create: async () => false,
  createOpen: async () => undefined,
  overwrite: async () => undefined,
  rename: async () => undefined,
  remove: async () => undefined,
  watch: () => ({ close: () => undefined }),
};
