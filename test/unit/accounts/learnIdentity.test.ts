import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { displayText } from '../../../src/core/displayText.ts';
import type { Identity } from '../../../src/notion/identity.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Files } from '../../../src/platform/contract.ts';
import type { Secrets } from '../../../src/storage/secretStore.ts';
import { files, Machine, type Window, type WindowOptions } from './machine.ts';

const minute = 60_000;
const fallback = 'Notion account';
const ada = 'ada (wiki)';
const identity: Identity = { userId: 'ada', userName: 'ada', workspaceId: 'wiki', workspaceName: 'wiki' };

/** A window with an account whose identity Notion could not tell at its sign-in, and cannot yet. */
async function signedInUnknown(t: TestContext, options: WindowOptions = {}) {
  const machine = await Machine.start(t);
  const window = await machine.open(options);
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn(undefined));
  return { machine, window, grant };
}

function tellIdentity(machine: Machine): void {
  machine.server.identity = async () => identity;
}

/** Waits until all that the window's identity requests caused has happened. */
async function learn(window: Window, grantId: string): Promise<void> {
  await window.accounts.applyIdentity(grantId, identity);
}

describe('an account whose identity was unknown at its sign-in', () => {
  test('an account with an unknown identity works under a fallback label', async (t) => {
    const { window, grant } = await signedInUnknown(t);
    assert.deepEqual(window.labels, [fallback]);
    assert.ok((await window.accounts.fresh(grant.id, 1_000)).tokens.accessToken.equals(grant.tokens.accessToken));
  });

  for (const [occasion, act] of [
    ['the next renewal', ({ accounts }: Window, id: string) => accounts.renew(id, { reason: 'asked' })],
    ['the next call', ({ accounts }: Window, id: string) => accounts.fresh(id, 1_000)],
  ] as const) {
    test(`an unknown identity is learned at ${occasion}, and the account gets its true label once`, async (t) => {
      const { machine, window, grant } = await signedInUnknown(t);
      tellIdentity(machine);
      await act(window, grant.id);
      await window.waitForEvent(`added ${ada}`);
      assert.deepEqual(window.labels, [ada]);
      assert.equal(window.only().grant.id, grant.id);
      const events = window.events.filter((event) => !event.startsWith('changed'));
      assert.deepEqual(events, [`added ${fallback}`, `removed ${fallback}`, `added ${ada}`]);
      assert.deepEqual((await machine.open()).labels, [ada]);
    });
  }

  test('an unknown identity is learned by the next window, and other windows follow', async (t) => {
    const { machine, window } = await signedInUnknown(t);
    tellIdentity(machine);
    const next = await machine.open();
    await next.waitForEvent(`added ${ada}`);
    await window.waitForEvent(`added ${ada}`);
    assert.deepEqual(window.labels, [ada]);
  });

  test('an identity that Notion still cannot tell is requested at most once a minute, and costs nothing', async (t) => {
    const { machine, window, grant } = await signedInUnknown(t);
    for (let call = 0; call < 5; call += 1) {
      await window.accounts.fresh(grant.id, 1_000);
    }
    assert.equal(machine.server.identifications.length, 1);
    machine.clock.aheadMs += minute;
    await window.accounts.fresh(grant.id, 1_000);
    await learn(window, grant.id);
    assert.equal(machine.server.identifications.length, 2);
    assert.equal(window.only().state, 'healthy');
  });

  test('two windows that learn an identity at the same time rename the account once', async (t) => {
    const { machine, window, grant } = await signedInUnknown(t);
    const other = await machine.open();
    await Promise.all([learn(window, grant.id), learn(other, grant.id)]);
    for (const each of [window, other]) {
      await each.waitForEvent(`added ${ada}`);
      assert.deepEqual(each.labels, [ada]);
    }
    assert.equal((await machine.open()).only().grant.generation, 2);
  });

  test('an account that was signed out while its identity was requested stays signed out', async (t) => {
    const { machine, window, grant } = await signedInUnknown(t);
    await window.accounts.signOut(grant.id);
    await learn(window, grant.id);
    assert.deepEqual(window.labels, []);
    assert.deepEqual((await machine.open()).labels, []);
  });
});

describe('an account that turns out to be signed in already', () => {
  /** An account of Ada, and another one that was signed in while Notion could not tell that it is hers. */
  async function signedInTwice(t: TestContext, optionsFor: (machine: Machine) => WindowOptions = () => ({})) {
    const machine = await Machine.start(t);
    const first = await machine.open();
    const { grant: account } = await first.accounts.storeSignIn(machine.server.signIn('ada'));
    await first.accounts.dispose();
    const window = await machine.open(optionsFor(machine));
    const { grant: duplicate } = await window.accounts.storeSignIn(machine.server.signIn(undefined));
    return { machine, window, account, duplicate };
  }

  test('merged accounts keep the older id and label and the newer tokens; the older grant is revoked', async (t) => {
    const { machine, window, account, duplicate } = await signedInTwice(t);
    await learn(window, duplicate.id);
    const { grant } = window.only();
    assert.deepEqual([grant.id, grant.label], [account.id, ada]);
    assert.ok(grant.tokens.accessToken.equals(duplicate.tokens.accessToken));
    assert.deepEqual(machine.server.revoked, [account.tokens.refreshToken?.reveal()]);
    assert.equal((await window.accounts.renew(grant.id, { reason: 'asked' })).generation, grant.generation + 1);
    assert.deepEqual((await machine.open()).labels, [ada]);
  });

  test('a broken account is reconnected by a sign-in whose identity is learned later', async (t) => {
    const { machine, window, account, duplicate } = await signedInTwice(t);
    machine.server.end(account);
    machine.clock.aheadMs = 10 * minute;
    await assert.rejects(window.accounts.renew(account.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    window.events.length = 0;
    await learn(window, duplicate.id);
    assert.deepEqual(window.events.sort(), [`added ${ada}`, `removed ${fallback}`]);
    assert.equal(window.only().state, 'healthy');
    assert.deepEqual(machine.server.revoked, []);
  });

  test('a sign-in that has ended before it was known leaves the account that can be used', async (t) => {
    const { machine, window, account, duplicate } = await signedInTwice(t);
    machine.server.end(duplicate);
    machine.clock.aheadMs = 10 * minute;
    await assert.rejects(window.accounts.renew(duplicate.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    const other = await machine.open();
    assert.equal(other.accounts.find(account.id)?.state, 'healthy');
    assert.ok(other.accounts.find(account.id)?.grant.tokens.accessToken.equals(account.tokens.accessToken));
  });

  test('a sign-in whose renewal the server refuses does not replace one that renews', async (t) => {
    const { machine, window, account, duplicate } = await signedInTwice(t);
    machine.server.next.push(() => {
      throw new Failure('serverRejected', { step: 'token', code: 'invalid_scope', status: 400 });
    });
    await assert.rejects(window.accounts.renew(duplicate.id, { reason: 'asked' }), { kind: 'serverRejected' });
    await learn(window, duplicate.id);
    assert.equal(window.only().state, 'healthy');
    assert.ok(window.only().grant.tokens.accessToken.equals(account.tokens.accessToken));
  });

  test('accounts of another workspace or server are never merged', async (t) => {
    const { window, machine, duplicate } = await signedInTwice(t);
    await window.accounts.applyIdentity(duplicate.id, { ...identity, workspaceId: 'notes', workspaceName: 'notes' });
    assert.deepEqual(window.labels, ['ada (notes)', ada]);
    assert.deepEqual(machine.server.revoked, []);
  });

  test('other windows see a merge as one account removed and one changed', async (t) => {
    const { machine, window, duplicate } = await signedInTwice(t);
    const other = await machine.open();
    await learn(window, duplicate.id);
    await other.waitForEvent(`removed ${fallback}`);
    await other.waitForEvent(`changed ${ada}`);
    assert.deepEqual(other.labels, [ada]);
  });

  test('a crash at any step of a merge leaves both accounts or the merged one, and no token is lost', async (t) => {
    for (let step = 1; ; step += 1) {
      const crash = new Crash();
      const { machine, window, account, duplicate } = await signedInTwice(t, ({ secrets }) => ({
        files: crash.files,
        secrets: crash.secrets(secrets.window()),
      }));
      crash.comesAtWrite(step);
      await learn(window, duplicate.id);
      const next = await machine.open();
      const tokens = next.accounts.list().map(({ grant }) => grant.tokens.accessToken.reveal());
      assert.ok(tokens.includes(duplicate.tokens.accessToken.reveal()), `step ${step}: the newer tokens are kept`);
      assert.ok(next.accounts.find(account.id), `step ${step}: the older account is kept`);
      assert.equal(new Set(tokens).size, tokens.length, `step ${step}: no two accounts share tokens`);
      assert.ok(next.accounts.list().every(({ state }) => state === 'healthy'));
      if (!crash.hasCome) {
        assert.ok(step > 8, 'there were steps to crash at');
        return;
      }
    }
  });
});

/** A window whose storage does nothing any more from a certain write on, as after a crash. */
class Crash {
  hasCome = false;
  #writesLeft = Number.POSITIVE_INFINITY;

  comesAtWrite(count: number): void {
    this.#writesLeft = count - 1;
  }

  readonly files: Files = {
    ...files,
    create: (path, text) => this.#write(() => files.create(path, text)),
    overwrite: (path, text) => this.#write(() => files.overwrite(path, text)),
    rename: (from, to) => this.#write(() => files.rename(from, to)),
    remove: (path) => this.#write(() => files.remove(path)),
  };

  secrets(secrets: Secrets): Secrets {
    return {
      keys: () => secrets.keys(),
      get: (key) => secrets.get(key),
      store: (key, value) => this.#write(async () => secrets.store(key, value)),
      delete: (key) => this.#write(async () => secrets.delete(key)),
      onDidChange: (listener) => secrets.onDidChange(listener),
    };
  }

  #write<T>(write: () => Promise<T>): Promise<T> {
    if (this.#writesLeft === 0) {
      this.hasCome = true;
      return Promise.reject(Object.assign(new Error('crashed'), { code: 'EIO' }));
    }
    this.#writesLeft -= 1;
    return write();
  }
}

test('a failure to learn an identity is logged without its text', async (t) => {
  const { machine, window, grant } = await signedInUnknown(t);
  const serverReason = displayText('secret words', 60);
  machine.server.identity = async () => {
    throw new Failure('transient', { step: 'identity', code: 'http_503', status: 503, serverReason });
  };
  await window.accounts.fresh(grant.id, 1_000);
  await learn(window, grant.id);
  const lines = machine.logLines.filter((line) => line.includes('still unknown'));
  assert.match(lines[0] ?? '', /kind=transient code=http_503/);
  assert.doesNotMatch(machine.logLines.join('\n'), /secret words/);
});
