import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { Journal } from '../../../src/storage/journal.ts';
import { SecretStore } from '../../../src/storage/secretStore.ts';
import { files, Machine } from '../accounts/machine.ts';
import { minute, type Signed, signedIn, takeLock } from './renewals.ts';

describe('a renewal with disk or lock problems', () => {
  test('a renewal detects a full disk before it spends the refresh token', async (t) => {
    let isFull = false;
    // Simulates a full disk, which a test must not create.
    const full: Files = {
      ...files,
      create: async (path, text) => {
        if (isFull && text.length > 1_000) {
          throw Object.assign(new Error('full'), { code: 'ENOSPC' });
        }
        return files.create(path, text);
      },
    };
    const { machine, window, grant } = await signedIn(t, { files: full });
    isFull = true;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
    assert.equal(window.only().state, 'healthy');
    isFull = false;
    machine.clock.aheadMs = 10 * minute;
    await window.accounts.renew(grant.id, { reason: 'expiry' });
  });

  test('a renewal sends no request if the disk does not allow it to create the lock', async (t) => {
    let isRefused = false;
    const { machine, window, grant } = await signedIn(t, {
      files: {
        ...files,
        createOpen: (path, text) =>
          isRefused ? Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' })) : files.createOpen(path, text),
      },
    });
    isRefused = true;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
    assert.equal(window.only().state, 'healthy');
  });

  test('a renewal sends no request if its window has lost the lock', async (t) => {
    let takeOver: (() => Promise<void>) | undefined;
    const losingLock: Files = {
      ...files,
      create: async (path, text) => {
        const isCreated = await files.create(path, text);
        if (path.endsWith('.reserved')) {
          await takeOver?.();
        }
        return isCreated;
      },
    };
    const { machine, window, grant } = await signedIn(t, { files: losingLock });
    takeOver = () => takeLock(machine, grant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
  });

  /** A window whose refresh request has been responded to when another window takes its lock. */
  async function lateResponse(t: TestContext, whileLocked: (signed: Signed) => Promise<void>) {
    const signed = await signedIn(t);
    const { machine, window, grant } = signed;
    const taken = Promise.withResolvers<void>();
    machine.server.next.push(async (_, respond) => {
      const tokens = respond();
      await takeLock(machine, grant);
      taken.resolve();
      return tokens;
    });
    const renewing = window.accounts.renew(grant.id, { reason: 'asked' });
    await taken.promise;
    await whileLocked(signed);
    await rm(`${machine.directory}/${grant.id}.lock`);
    return { ...signed, renewed: await renewing };
  }

  /** Stores a record as another window of the machine does. */
  async function storeRecord({ directory, secrets }: Machine, grant: Grant): Promise<void> {
    const journal = new Journal({ files, directory, clock: systemClock, randomness: systemRandomness, openedAtMs: 0 });
    journal.addKeys(await new SecretStore(secrets.window()).readKeys());
    await journal.write(grant);
  }

  test('tokens that arrive after the lock was lost are stored if no other window has renewed', async (t) => {
    const { machine, renewed, grant } = await lateResponse(t, async () => undefined);
    assert.equal(renewed.generation, 2);
    const other = await machine.open();
    assert.ok(other.only().grant.tokens.accessToken.equals(renewed.tokens.accessToken));
    assert.equal((await other.accounts.renew(grant.id, { reason: 'asked' })).generation, 3);
    assert.equal(machine.server.refreshes.length, 2);
  });

  test('tokens that arrive after the lock was lost are dropped, not revoked, if another window has renewed', async (t) => {
    const accessToken = new Secret('newer access token');
    const { machine, window, renewed } = await lateResponse(t, async ({ machine, grant }) => {
      const tokens = { ...grant.tokens, accessToken, refreshToken: new Secret('newer refresh token') };
      await storeRecord(machine, { ...grant, generation: 2, tokens });
    });
    assert.ok(renewed.tokens.accessToken.equals(accessToken));
    assert.ok(window.only().grant.tokens.accessToken.equals(accessToken));
    assert.deepEqual(machine.server.revoked, []);
  });

  test('tokens that arrive after the lock was lost bring back an account that another window found ended', async (t) => {
    const { window, renewed } = await lateResponse(t, async ({ machine, grant }) => {
      const { refreshToken: _, ...tokens } = grant.tokens;
      await storeRecord(machine, { ...grant, generation: 2, tokens, needsSignIn: { reason: 'ended' } });
    });
    assert.equal(renewed.generation, 3);
    assert.equal(renewed.needsSignIn, undefined);
    assert.equal(window.only().state, 'healthy');
  });
});

describe('new tokens that cannot be stored completely', () => {
  test('new tokens that cannot be stored are used from memory and stored by the next synchronization', async (t) => {
    let isBroken = false;
    const machine = await Machine.start(t);
    const secrets = machine.secrets.window();
    const broken = async <T>(operation: () => Promise<T>): Promise<T> => {
      if (isBroken) {
        throw Object.assign(new Error('broken'), { code: 'EIO' });
      }
      return operation();
    };
    const window = await machine.open({
      files: { ...files, rename: (from, to) => broken(() => files.rename(from, to)) },
      secrets: { ...secrets, store: (key, value) => broken(async () => secrets.store(key, value)) },
    });
    const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    isBroken = true;
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.ok(window.only().grant.tokens.accessToken.equals(renewed.tokens.accessToken));
    assert.equal((await machine.open()).only().grant.generation, 1);
    isBroken = false;
    await window.accounts.wakeUp();
    assert.equal((await machine.open()).only().grant.generation, 2);
  });

  test('new tokens that only the secret storage holds reach other windows, and later the journal', async (t) => {
    let isBroken = false;
    const rename: Files['rename'] = async (from, to) => {
      if (isBroken) {
        throw Object.assign(new Error('broken'), { code: 'EIO' });
      }
      return files.rename(from, to);
    };
    const { machine, window, grant } = await signedIn(t, { files: { ...files, rename } });
    isBroken = true;
    await window.accounts.renew(grant.id, { reason: 'asked' });
    const other = await machine.open();
    assert.equal(other.only().grant.generation, 2);
    isBroken = false;
    await other.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal((await machine.open()).only().grant.generation, 3);
  });
});
