import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import type { Secrets } from '../../../src/storage/secretStore.ts';
import { MemorySecretStorage } from '../storage/memorySecrets.ts';
import { files, Machine, type WindowOptions } from './machine.ts';

const ada = 'ada (wiki)';

/** A window’s SecretStorage that records which calls were made, such as `store journalKey`. */
function recording(secrets: Secrets): { calls: string[]; secrets: Secrets } {
  const calls: string[] = [];
  const record = (call: string, key = ''): void => void calls.push(`${call} ${key.split('.')[0]}`.trim());
  return {
    calls,
    secrets: {
      ...secrets,
      get: (key) => {
        record('get', key);
        return secrets.get(key);
      },
      keys: () => {
        record('keys');
        return secrets.keys();
      },
      store: (key, value) => {
        record('store', key);
        return secrets.store(key, value);
      },
      delete: (key) => {
        record('delete', key);
        return secrets.delete(key);
      },
    },
  };
}

/** Opens windows whose calls of SecretStorage are recorded. */
async function begin(t: TestContext) {
  const machine = await Machine.start(t);
  const open = async (options: WindowOptions = {}) => {
    const { calls, secrets } = recording(machine.secrets.window());
    return { calls, window: await machine.open({ secrets, ...options }) };
  };
  return { machine, open };
}

/** A watch on the journal that a test triggers; `read` resolves when the directory was listed after that. */
function scriptedWatch() {
  let changed = (): void => undefined;
  let listed = Promise.withResolvers<void>();
  const disk = {
    ...files,
    list: async (path: string) => {
      const names = await files.list(path);
      listed.resolve();
      return names;
    },
    watch: (_: string, listener: () => void) => {
      changed = listener;
      return { close: () => undefined };
    },
  };
  const trigger = async (): Promise<void> => {
    listed = Promise.withResolvers();
    changed();
    await listed.promise;
  };
  return { disk, trigger };
}

describe('a machine on which no user has signed in', () => {
  test('a window without accounts makes no call of the secret storage, whatever it does', async (t) => {
    const { open } = await begin(t);
    const { disk, trigger } = scriptedWatch();
    const { calls, window } = await open({ files: disk });
    assert.deepEqual(window.labels, []);
    assert.equal(window.accounts.find('unknown'), undefined);
    await assert.rejects(window.accounts.fresh('unknown', 1_000), { kind: 'invalidGrant' });
    await window.accounts.wakeUp();
    await trigger();
    await window.accounts.wakeUp();
    await window.accounts.diagnostics();
    window.accounts.setServerUrl('https://other.example/mcp');
    assert.deepEqual([...window.accounts.problems], []);
    await window.accounts.dispose();
    assert.deepEqual(calls, []);
  });

  test('a window without accounts and without a disk makes no call of the secret storage', async (t) => {
    const { open } = await begin(t);
    const unusable = { ...files, makePrivateDirectory: () => Promise.reject(new Error('no disk')) };
    const { calls, window } = await open({ files: unusable });
    await window.accounts.wakeUp();
    await window.accounts.diagnostics();
    assert.deepEqual(calls, []);
  });

  test('signing in uses the secret storage', async (t) => {
    const { machine, open } = await begin(t);
    const { calls, window } = await open();
    await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.ok(calls.includes('store grant'));
    assert.equal(machine.hasAccounts, true);
    const reloaded = await open();
    assert.deepEqual(reloaded.window.labels, [ada]);
  });

  test('once a window has found that the last account was signed out, later windows make no call', async (t) => {
    const { machine, open } = await begin(t);
    const { window: first } = await open();
    const { grant } = await first.accounts.storeSignIn(machine.server.signIn('ada'));
    await first.accounts.signOut(grant.id);
    await first.accounts.dispose();
    const { window: second } = await open();
    await second.accounts.dispose();
    assert.equal(machine.hasAccounts, false);
    const { calls, window: third } = await open();
    await third.accounts.wakeUp();
    assert.deepEqual(calls, []);
  });
});

describe('a sign that there are accounts', () => {
  async function beginSignedIn(t: TestContext) {
    const begun = await begin(t);
    const { window } = await begun.open();
    const { grant } = await window.accounts.storeSignIn(begun.machine.server.signIn('ada'));
    await window.accounts.dispose();
    return { ...begun, grant };
  }

  test('a record in the journal lets a window read the secrets, although it is not remembered', async (t) => {
    const { machine, open } = await beginSignedIn(t);
    machine.hasAccounts = false;
    const { window } = await open();
    assert.deepEqual(window.labels, [ada]);
  });

  test('the memory that there are accounts restores them although the journal was deleted', async (t) => {
    const { machine, open, grant } = await beginSignedIn(t);
    await rm(machine.directory, { recursive: true });
    const { window } = await open();
    assert.deepEqual(window.labels, [ada]);
    assert.deepEqual([...window.accounts.problems], []);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    const reloaded = await open();
    assert.equal(reloaded.window.only().grant.generation, 2);
  });

  test('a journal that cannot be listed may hold records, so the secrets are read', async (t) => {
    const { machine, open } = await beginSignedIn(t);
    machine.hasAccounts = false;
    const { window } = await open({ files: { ...files, list: () => Promise.reject(new Error('no')) } });
    assert.deepEqual(window.labels, [ada]);
  });

  test('a window that cannot read the journal does not forget that there are accounts', async (t) => {
    const { machine, open } = await beginSignedIn(t);
    machine.secrets.contents.clear();
    await open({ files: { ...files, list: () => Promise.reject(new Error('no')) } });
    assert.equal(machine.hasAccounts, true);
  });

  for (const kind of ['file watch', 'secret storage’s event'] as const) {
    test(`another window’s first sign-in is noticed by the ${kind} in a window that made no call`, async (t) => {
      const { machine, open } = await begin(t);
      machine.secrets.announces = kind !== 'file watch';
      const { calls, window } = await open({
        files: kind === 'file watch' ? files : { ...files, watch: () => ({ close: () => undefined }) },
      });
      assert.equal(calls.length, 0);
      const { window: other } = await open();
      await other.accounts.storeSignIn(machine.server.signIn('ada'));
      await window.waitForEvent(`added ${ada}`);
      assert.ok(calls.includes('keys'));
    });
  }

  test('another window’s first sign-in is noticed even if only the secret storage has it', async (t) => {
    const { machine, open } = await begin(t);
    // What another window remembers does not reach a window that is open.
    Object.defineProperty(machine, 'hasAccounts', { get: () => false, set: () => undefined });
    const { window } = await open();
    const unusable = { ...files, makePrivateDirectory: () => Promise.reject(new Error('no disk')) };
    const { window: other } = await open({ files: unusable });
    await other.accounts.storeSignIn(machine.server.signIn('ada'));
    await window.waitForEvent(`added ${ada}`);
  });

  test('another window’s first sign-in is noticed at the next look by a window without events', async (t) => {
    const { machine, open } = await begin(t);
    machine.secrets.announces = false;
    const { window } = await open({ files: { ...files, watch: () => ({ close: () => undefined }) } });
    const { window: other } = await open();
    await other.accounts.storeSignIn(machine.server.signIn('ada'));
    await window.accounts.wakeUp();
    assert.deepEqual(window.labels, [ada]);
  });
});

describe('the first sign-in', () => {
  for (const kind of ['shared', 'rewriting'] as const) {
    test(`with ${kind} secrets, the key is stored before the first record, which a restart can read`, async (t) => {
      const machine = await Machine.start(t, new MemorySecretStorage(kind));
      const order: string[] = [];
      const secrets = machine.secrets.window();
      const window = await machine.open({
        secrets: {
          ...secrets,
          store: async (key, value) => {
            await secrets.store(key, value);
            order.push(key.split('.')[0] ?? '');
          },
        },
        files: {
          ...files,
          rename: (from, to) => {
            order.push('record');
            return files.rename(from, to);
          },
        },
      });
      await window.accounts.storeSignIn(machine.server.signIn('ada'));
      await window.accounts.dispose();
      assert.ok(
        order.indexOf('journalKey') >= 0 && order.indexOf('journalKey') < order.indexOf('record'),
        order.join(),
      );
      // Only the journal’s record is left, so that the restarted window has to decrypt it.
      machine.secrets.contents.delete(
        [...machine.secrets.contents.keys()].find((key) => key.startsWith('grant.')) ?? '',
      );
      const restarted = await machine.open();
      assert.deepEqual(restarted.labels, [ada]);
      assert.deepEqual([...restarted.accounts.problems], []);
    });

    for (const prefix of ['journalKey.', 'grant.', '']) {
      for (const times of [1, 2, Number.POSITIVE_INFINITY]) {
        const what = { 'journalKey.': 'the key', 'grant.': 'the sign-in', '': 'everything' }[prefix];
        const often = times === 1 ? 'once' : times === 2 ? 'twice' : 'until the restart';
        const title = `with ${kind} secrets, a storage that refuses ${what} ${often} leaves a working state`;
        test(title, async (t) => {
          const machine = await Machine.start(t, new MemorySecretStorage(kind));
          const secrets = machine.secrets.window();
          let refusals = 0;
          const window = await machine.open({
            secrets: {
              ...secrets,
              store: async (key, value) => {
                if (key.startsWith(prefix) && refusals < times) {
                  refusals += 1;
                  throw Object.assign(new Error('the keyring is locked'), { code: 'LOCKED' });
                }
                await secrets.store(key, value);
              },
            },
          });
          const stored = await window.accounts
            .storeSignIn(machine.server.signIn('ada'))
            .catch((error: unknown) => error);
          const isStored = !(stored instanceof Error);
          assert.equal(isStored, prefix !== '' || times !== Number.POSITIVE_INFINITY);
          assert.ok(refusals > 0);
          await window.accounts.dispose();
          const restarted = await machine.open();
          assert.deepEqual([...restarted.accounts.problems], []);
          assert.deepEqual(restarted.labels, isStored ? [ada] : []);
          // Whether or not the first sign-in was stored, the next one works.
          const { grant } = await restarted.accounts.storeSignIn(machine.server.signIn('ada'));
          await restarted.accounts.renew(grant.id, { reason: 'asked' });
          assert.deepEqual((await machine.open()).labels, [ada]);
        });
      }
    }
  }
});
