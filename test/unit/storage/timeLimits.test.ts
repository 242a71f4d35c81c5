import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Files, OpenFile } from '../../../src/platform/contract.ts';
import type { Secrets } from '../../../src/storage/secretStore.ts';
import { fileLimitMs, limitFiles, limitSecrets, secretLimitMs } from '../../../src/storage/timeLimits.ts';
import { files, Machine } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';
import { HangingClock } from './hangingClock.ts';
import { MemorySecretStorage } from './memorySecrets.ts';

const never = new Promise<never>(() => undefined);

/** The same port, but each of its asynchronous methods for which `hangs` is true never returns. */
function hanging<Port extends object>(port: Port, hangs: (method: string) => boolean = () => true): Port {
  return new Proxy(port, {
    get: (target, property) => {
      const method: unknown = Reflect.get(target, property);
      const isAsynchronous = typeof method === 'function' && property !== 'watch' && property !== 'onDidChange';
      return isAsynchronous
        ? (...values: unknown[]) => (hangs(String(property)) ? never : method.apply(target, values))
        : method;
    },
  });
}

/** Runs an operation of an unresponsive storage and states when it is given up. */
async function assertLimit(
  begin: (clock: FakeClock) => Promise<unknown>,
  limitMs: number,
  clock = new FakeClock(),
): Promise<void> {
  let isSettled = false;
  const operation = begin(clock).finally(() => {
    isSettled = true;
  });
  const rejects = assert.rejects(operation, { code: 'ETIMEDOUT' });
  clock.advance(limitMs - 1);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSettled, false, 'not before the limit');
  clock.advance(1);
  await rejects;
}

const openFile: OpenFile = { overwrite: async () => undefined, close: async () => undefined };

const fileOperations: { [Name in keyof Omit<Files, 'watch'>]: (disk: Files) => Promise<unknown> } = {
  makePrivateDirectory: (disk) => disk.makePrivateDirectory('path'),
  list: (disk) => disk.list('path'),
  read: (disk) => disk.read('path'),
  writtenAtMs: (disk) => disk.writtenAtMs('path'),
  create: (disk) => disk.create('path', 'text'),
  createOpen: (disk) => disk.createOpen('path', 'text'),
  overwrite: (disk) => disk.overwrite('path', 'text'),
  rename: (disk) => disk.rename('from', 'to'),
  remove: (disk) => disk.remove('path'),
};

const openFileOperations: { [Name in keyof OpenFile]: (file: OpenFile) => Promise<unknown> } = {
  overwrite: (file) => file.overwrite('text'),
  close: (file) => file.close(),
};

const secretOperations: { [Name in keyof Omit<Secrets, 'onDidChange'>]: (secrets: Secrets) => PromiseLike<unknown> } = {
  get: (secrets) => secrets.get('key'),
  store: (secrets) => secrets.store('key', 'value'),
  delete: (secrets) => secrets.delete('key'),
  keys: (secrets) => secrets.keys(),
};

describe('an operation of the storage that never returns', () => {
  for (const [name, run] of Object.entries(fileOperations)) {
    test(`the file operation ${name} that never returns is given up after its time limit`, () =>
      assertLimit((clock) => run(limitFiles(hanging(files), clock)), fileLimitMs));
  }

  for (const [name, run] of Object.entries(openFileOperations)) {
    test(`the operation ${name} of an open file that never returns is given up after its time limit`, async () => {
      const clock = new FakeClock();
      const disk = limitFiles({ ...files, createOpen: async () => hanging(openFile) }, clock);
      const file = (await disk.createOpen('path', '')) as OpenFile;
      await assertLimit(() => run(file), fileLimitMs, clock);
    });
  }

  for (const [name, run] of Object.entries(secretOperations)) {
    test(`the secret store’s operation ${name} that never returns is given up after its time limit`, () =>
      assertLimit(
        async (clock) => run(limitSecrets(hanging(new MemorySecretStorage().window()), clock)),
        secretLimitMs,
      ));
  }

  test('an operation that returns in time has its own result, and leaves no timer behind', async () => {
    const clock = new FakeClock();
    const failure = Object.assign(new Error('no'), { code: 'EACCES' });
    const disk = limitFiles({ ...files, list: async () => ['one'], remove: () => Promise.reject(failure) }, clock);
    assert.deepEqual(await disk.list('path'), ['one']);
    await assert.rejects(disk.remove('path'), failure);
    assert.equal(clock.pendingTimers, 0);
  });

  test('a file that is created after its time limit is closed', async () => {
    const clock = new FakeClock();
    const created = Promise.withResolvers<OpenFile>();
    const closed = Promise.withResolvers<void>();
    const disk = limitFiles({ ...files, createOpen: () => created.promise }, clock);
    const rejects = assert.rejects(disk.createOpen('path', ''), { code: 'ETIMEDOUT' });
    clock.advance(fileLimitMs);
    await rejects;
    created.resolve({ ...openFile, close: async () => closed.resolve() });
    await closed.promise;
  });
});

describe('loading from a storage that does not respond', () => {
  /** More than this many operations one after the other must not be waited for. */
  const mostLimits = 10;

  async function begin(t: TestContext) {
    const machine = await Machine.start(t);
    const window = await machine.open();
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await window.accounts.renew(grant.id, { reason: 'asked' });
    await window.accounts.dispose();
    machine.server.refreshes.length = 0;
    return { machine, grant, clock: new HangingClock() };
  }

  for (const method of Object.keys(fileOperations)) {
    test(`loading ends although the file operation ${method} never returns`, { timeout: 10_000 }, async (t) => {
      const { machine, grant, clock } = await begin(t);
      const disk = hanging(files, (each) => each === method && clock.hang());
      const window = await machine.open({ files: disk, clock });
      assert.deepEqual(window.labels, ['ada (wiki)']);
      assert.ok(clock.limits <= mostLimits, `${clock.limits} limits`);
      if (['list', 'read', 'create', 'createOpen'].includes(method)) {
        await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
        assert.deepEqual(machine.server.refreshes, []);
      }
    });
  }

  test('loading ends although no file operation ever returns', { timeout: 10_000 }, async (t) => {
    const { machine, clock } = await begin(t);
    const window = await machine.open({ files: hanging(files, () => clock.hang()), clock });
    assert.deepEqual(window.labels, ['ada (wiki)']);
    assert.ok(clock.limits <= mostLimits, `${clock.limits} limits`);
  });

  test('loading ends whichever single file operation never returns', { timeout: 60_000 }, async (t) => {
    for (let at = 1, count = at; at <= count; at += 1) {
      const { machine, clock } = await begin(t);
      count = 0;
      const disk = hanging(files, () => ++count === at && clock.hang());
      const window = await machine.open({ files: disk, clock });
      assert.deepEqual(window.labels, ['ada (wiki)'], `operation ${at}`);
      await window.accounts.wakeUp();
      assert.equal(window.only().state, 'healthy', `operation ${at}`);
    }
  });

  for (const method of Object.keys(secretOperations)) {
    test(`loading ends although the secret store’s operation ${method} never returns`, {
      timeout: 10_000,
    }, async (t) => {
      const { machine, clock } = await begin(t);
      const secrets = hanging(machine.secrets.window(), (each) => each === method && clock.hang());
      const window = machine.openUnloaded({ secrets, clock });
      const isReading = method === 'get' || method === 'keys';
      const loading = window.accounts.load();
      await (isReading ? assert.rejects(loading, { code: 'ETIMEDOUT' }) : loading);
      await window.accounts.dispose();
      assert.ok(clock.limits <= mostLimits, `${clock.limits} limits`);
    });
  }
});
