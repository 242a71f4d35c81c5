import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { describe, type TestContext, test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { Failure, type FailureKind } from '../../../src/oauth/errors.ts';
import type { Tokens } from '../../../src/oauth/model.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { files, Machine, type Window, type WindowOptions } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';

const minute = 60_000;

interface Signed {
  machine: Machine;
  window: Window;
  grant: Grant;
}

async function signedIn(t: TestContext, options: WindowOptions = {}): Promise<Signed> {
  const machine = await Machine.start(t);
  const window = await machine.open(options);
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada'));
  return { machine, window, grant };
}

function fail(kind: FailureKind, details: { code: string; status?: number; retryAfterMs?: number }) {
  return () => {
    throw new Failure(kind, { step: 'token', host: 'mcp.example', ...details });
  };
}

const invalidGrant = fail('invalidGrant', { code: 'invalid_grant', status: 400 });

describe('a renewal', () => {
  test('stores refresh and access token together, one generation on, and says so once', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(renewed.generation, grant.generation + 1);
    const reloaded = (await machine.open()).only().grant;
    assert.ok(reloaded.tokens.accessToken.equals(renewed.tokens.accessToken));
    assert.deepEqual(reloaded.tokens.refreshToken?.reveal(), renewed.tokens.refreshToken?.reveal());
    assert.deepEqual(window.events, ['added ada (wiki)', 'changed ada (wiki)']);
  });

  test('keeps the refresh token and the scopes that an answer leaves out', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(() => ({ accessToken: new Secret('new'), obtainedAtMs: machine.clock.nowMs() }));
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(renewed.tokens.refreshToken?.reveal(), grant.tokens.refreshToken?.reveal());
    assert.equal(renewed.tokens.expiresInSeconds, undefined);
  });

  test('is shared by all callers of a window', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renew = () => window.accounts.renew(grant.id, { reason: 'asked' });
    const [one, two] = await Promise.all([renew(), renew()]);
    assert.equal(one, two);
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('does not start once the window ends', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.dispose();
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('is waited for when the window ends, and its tokens are stored', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renewing = window.accounts.renew(grant.id, { reason: 'asked' });
    await window.accounts.dispose();
    const renewed = await renewing;
    assert.ok((await machine.open()).only().grant.tokens.accessToken.equals(renewed.tokens.accessToken));
  });
});

describe('an access token that the server rejected', () => {
  test('is renewed, once in a minute', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.clock.aheadMs = 10 * minute;
    const first = await window.accounts.renew(grant.id, { reason: 'rejected', accessToken: grant.tokens.accessToken });
    assert.equal(first.generation, 2);
    machine.clock.aheadMs += minute / 2;
    for (const _ of [1, 2]) {
      const same = await window.accounts.renew(grant.id, { reason: 'rejected', accessToken: first.tokens.accessToken });
      assert.equal(same.generation, 2);
    }
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('and is fresh is first tried again: the server’s stores may lag behind', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const rejected = { reason: 'rejected', accessToken: grant.tokens.accessToken } as const;
    assert.equal((await window.accounts.renew(grant.id, rejected)).generation, 1);
    assert.equal((await window.accounts.renew(grant.id, rejected)).generation, 2);
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('and is not ours changes nothing', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.clock.aheadMs = 10 * minute;
    await window.accounts.renew(grant.id, { reason: 'rejected', accessToken: new Secret('stranger') });
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('and was renewed by another window meanwhile is adopted without a request', async (t) => {
    const deaf = { files: { ...files, watch: () => ({ close: () => undefined }) } };
    const { machine, window, grant } = await signedIn(t, deaf);
    machine.secrets.announces = false;
    const other = await machine.open(deaf);
    machine.clock.aheadMs = 10 * minute;
    await other.accounts.renew(grant.id, { reason: 'asked' });
    const adopted = await window.accounts.renew(grant.id, {
      reason: 'rejected',
      accessToken: grant.tokens.accessToken,
    });
    assert.equal(adopted.generation, 2);
    assert.equal(machine.server.refreshes.length, 1);
  });
});

describe('trouble that passes keeps the sign-in', () => {
  const troubles = {
    'no network': fail('transient', { code: 'network' }),
    'a time-out': fail('transient', { code: 'timeout' }),
    'status 503': fail('transient', { code: 'status', status: 503 }),
    'status 429': fail('transient', { code: 'status', status: 429, retryAfterMs: 120_000 }),
    'HTML of a captive portal': fail('invalidResponse', { code: 'not_json', status: 200 }),
    'a refusal of this request': fail('serverRejected', { code: 'invalid_request', status: 400 }),
  };
  for (const [name, trouble] of Object.entries(troubles)) {
    test(name, async (t) => {
      const { machine, window, grant } = await signedIn(t);
      machine.server.next.push(trouble);
      await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
      assert.equal(window.only().state, 'healthy');
      assert.equal(
        (await machine.open()).only().grant.tokens.refreshToken?.reveal(),
        grant.tokens.refreshToken?.reveal(),
      );
      machine.clock.aheadMs += 10 * minute;
      await window.accounts.renew(grant.id, { reason: 'expiry' });
      assert.equal(machine.server.probes, 1, 'the network is tried before the refresh token is');
    });
  }

  test('and Retry-After is honoured', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(troubles['status 429']);
    const expiry = () => window.accounts.renew(grant.id, { reason: 'expiry' });
    await assert.rejects(expiry(), { kind: 'transient' });
    machine.clock.aheadMs += 119_000;
    await assert.rejects(expiry(), { kind: 'transient' });
    assert.equal(machine.server.refreshes.length, 1);
    machine.clock.aheadMs += 2_000;
    await expiry();
    assert.equal(machine.server.refreshes.length, 2);
  });
});

describe('a server that says the grant is over', () => {
  test('is believed at once after a sign-in; the refresh token is never presented again', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.end(grant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    assert.equal(window.only().state, 'needsSignIn');
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    assert.equal(machine.server.refreshes.length, 1);
    const reloaded = await machine.open();
    assert.equal(reloaded.only().state, 'needsSignIn');
    assert.equal(reloaded.only().grant.tokens.refreshToken, undefined);
  });

  test('soon after a renewal is asked once more, 90 seconds later, before it is believed', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    machine.server.next.push(invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.equal(window.only().state, 'healthy');
    machine.clock.aheadMs += 80_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.equal(machine.server.refreshes.length, 2);
    machine.clock.aheadMs += 11_000;
    assert.equal((await window.accounts.renew(grant.id, { reason: 'asked' })).generation, 3);
  });

  test('is said to refuse until it is asked once more, also to whom it rejects the access token', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(window.accounts.trouble(grant.id), undefined);
    machine.server.next.push(invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.equal(window.accounts.trouble(grant.id), 'beingConfirmed');
    const { accessToken } = renewed.tokens;
    const rejected = window.accounts.renew(grant.id, { reason: 'rejected', accessToken });
    await assert.rejects(rejected, { kind: 'transient', message: /unconfirmed/ });
    assert.equal(machine.server.refreshes.length, 2);
  });

  test('is asked once more by the window itself, while the token is still good, and then the person hears of it', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    machine.server.next.push(invalidGrant, invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await window.accounts.wakeUp();
    assert.equal(window.only().state, 'needsSignIn');
    assert.equal(machine.server.refreshes.length, 3);
  });

  test('or fails in whatever way: of tokens that a sign-in has replaced that is forgotten, in every window', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const other = await machine.open();
    machine.server.next.push(fail('transient', { code: 'unreachable' }), fail('transient', { code: 'unreachable' }));
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
    await assert.rejects(other.accounts.renew(grant.id, { reason: 'asked' }));
    assert.deepEqual([window.accounts.trouble(grant.id), other.accounts.trouble(grant.id)], ['offline', 'offline']);
    await window.accounts.storeSignIn(machine.server.signIn('ada'));
    await other.accounts.wakeUp();
    assert.deepEqual([window.accounts.trouble(grant.id), other.accounts.trouble(grant.id)], [undefined, undefined]);
  });

  test('twice is believed', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    machine.server.next.push(invalidGrant, invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    assert.equal(window.only().state, 'needsSignIn');
  });

  test('about the client is asked once more, whenever it comes', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.clock.aheadMs = 30 * minute;
    const invalidClient = fail('invalidClient', { code: 'invalid_client', status: 401 });
    machine.server.next.push(invalidClient, invalidClient);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidClient' });
    assert.equal(window.only().grant.needsSignIn?.reason, 'invalidClient');
  });

  test('leads back by a sign-in to the same account', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.end(grant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
    const again = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.equal(again.grant.id, grant.id);
    assert.equal(window.only().state, 'healthy');
    assert.deepEqual(window.events, ['added ada (wiki)', 'changed ada (wiki)', 'added ada (wiki)']);
  });

  test('after 30 idle days is said to be for idleness, after 180 days for age', async (t) => {
    for (const [days, reason] of [
      [31, 'idle'],
      [181, 'tooOld'],
    ] as const) {
      const { machine, window, grant } = await signedIn(t);
      machine.clock.aheadMs = days * 24 * 60 * minute;
      machine.server.end(grant);
      await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
      assert.equal(window.only().grant.needsSignIn?.reason, reason);
    }
  });
});

describe('the disk and the lock', () => {
  test('a full disk is found before the refresh token is spent', async (t) => {
    let isFull = false;
    // Stands in for a full disk, which a test must not make.
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

  test('a window that cannot have the lock, because the disk refuses it, sends nothing', async (t) => {
    let refuses = false;
    const { machine, window, grant } = await signedIn(t, {
      files: {
        ...files,
        createOpen: (path, text) =>
          refuses ? Promise.reject(Object.assign(new Error('no'), { code: 'EACCES' })) : files.createOpen(path, text),
      },
    });
    refuses = true;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
    assert.equal(window.only().state, 'healthy');
  });

  test('a window that lost the lock before it sends, sends nothing', async (t) => {
    let steal: (() => Promise<void>) | undefined;
    const stolen: Files = {
      ...files,
      create: async (path, text) => {
        const made = await files.create(path, text);
        if (path.endsWith('.reserved')) {
          await steal?.();
        }
        return made;
      },
    };
    const { machine, window, grant } = await signedIn(t, { files: stolen });
    steal = () => takeLock(machine, grant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('a window that lost the lock before it stores keeps the answer aside, and it is tried before the account is given up', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(async (_, answer) => {
      const tokens = answer();
      await takeLock(machine, grant);
      return tokens;
    });
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.equal((await machine.open()).only().grant.generation, 1);
    await rm(`${machine.directory}/${grant.id}.lock`);
    machine.server.next.push(invalidGrant);
    machine.clock.aheadMs = 10 * minute;
    const renewed = await window.accounts.renew(grant.id, { reason: 'expiry' });
    assert.equal(renewed.generation, 2);
    assert.equal(window.only().state, 'healthy');
  });
});

describe('a holder that was suspended for hours after it sent', () => {
  /** The lid closes after the request; another window takes over, renews and lets go; then the answer is read. */
  async function suspended(t: TestContext, answer: (signed: Signed) => Tokens): Promise<Signed> {
    const signed = await signedIn(t);
    const { machine, window, grant } = signed;
    machine.server.next.push(async () => {
      await files.remove(`${machine.directory}/${grant.id}.lock`);
      machine.clock.aheadMs += 5 * 60 * minute;
      const other = await machine.open();
      await other.accounts.renew(grant.id, { reason: 'expiry' });
      return answer(signed);
    });
    await window.accounts.renew(grant.id, { reason: 'asked' }).catch((error: unknown) => {
      assert.ok(error instanceof Failure && error.kind === 'transient', String(error));
    });
    return signed;
  }

  for (const [what, answer] of [
    ['that it was refused', invalidGrant],
    [
      'with tokens of its own',
      ({ machine, grant }: Signed) => ({ ...grant.tokens, obtainedAtMs: machine.clock.nowMs() }),
    ],
  ] as const) {
    test(`and hears ${what} changes nothing of what the other stored`, async (t) => {
      const { machine, window, grant } = await suspended(t, answer);
      await window.accounts.wakeUp();
      for (const each of [window, await machine.open()]) {
        assert.equal(each.only().state, 'healthy');
        assert.equal(each.only().grant.generation, 2);
      }
      await window.accounts.renew(grant.id, { reason: 'asked' });
      assert.equal(window.only().grant.generation, 3);
    });
  }
});

describe('a clock that is wrong', () => {
  test('by a day at a renewal: once it is right, the token is renewed and not trusted for a day', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const day = 24 * 60 * minute;
    machine.clock.aheadMs = day;
    await window.accounts.renew(grant.id, { reason: 'expiry' });
    machine.clock.aheadMs = 0;
    assert.equal(window.only().state, 'expired');
    await window.accounts.wakeUp();
    assert.equal(window.only().state, 'healthy');
    assert.equal(window.only().grant.generation, 3);
  });
});

describe('an answer that can be stored', () => {
  test('nowhere is kept in memory, used, and stored by the next look', async (t) => {
    let isBroken = false;
    const machine = await Machine.start(t);
    const secrets = machine.secrets.window();
    const broken = async <T>(act: () => Promise<T>): Promise<T> => {
      if (isBroken) {
        throw Object.assign(new Error('broken'), { code: 'EIO' });
      }
      return act();
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

  test('in the secret storage alone is there for other windows, and the journal goes on from it', async (t) => {
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

test('something that never answers under the lock is waited for no longer than five minutes', async (t) => {
  const clock = new FakeClock();
  const { window, grant, machine } = await signedIn(t, { clock });
  const asked = Promise.withResolvers<void>();
  machine.server.next.push(() => {
    asked.resolve();
    return new Promise(() => undefined);
  });
  const renewing = window.accounts.renew(grant.id, { reason: 'asked' });
  await asked.promise;
  clock.advance(5 * minute);
  await assert.rejects(renewing, { kind: 'transient', message: /timeout/ });
});

/** Another window took over, as after a sleep of ours. */
async function takeLock(machine: Machine, grant: Grant): Promise<void> {
  const path = `${machine.directory}/${grant.id}.lock`;
  await files.remove(path);
  await files.create(path, 'another0 000000000000\n');
}
