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
  test('a renewal stores both new tokens as the next generation and fires one event', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(renewed.generation, grant.generation + 1);
    const reloaded = (await machine.open()).only().grant;
    assert.ok(reloaded.tokens.accessToken.equals(renewed.tokens.accessToken));
    assert.deepEqual(reloaded.tokens.refreshToken?.reveal(), renewed.tokens.refreshToken?.reveal());
    assert.deepEqual(window.events, ['added ada (wiki)', 'changed ada (wiki)']);
  });

  test('a renewal keeps a refresh token that the token response omits', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(() => ({ accessToken: new Secret('new'), obtainedAtMs: machine.clock.nowMs() }));
    const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
    assert.equal(renewed.tokens.refreshToken?.reveal(), grant.tokens.refreshToken?.reveal());
    assert.equal(renewed.tokens.expiresInSeconds, undefined);
  });

  test('all callers in a window share one renewal', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renew = () => window.accounts.renew(grant.id, { reason: 'asked' });
    const [one, two] = await Promise.all([renew(), renew()]);
    assert.equal(one, two);
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('no renewal starts after the window has closed', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.dispose();
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('a closing window waits for a renewal in progress and stores its tokens', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const renewing = window.accounts.renew(grant.id, { reason: 'asked' });
    await window.accounts.dispose();
    const renewed = await renewing;
    assert.ok((await machine.open()).only().grant.tokens.accessToken.equals(renewed.tokens.accessToken));
  });
});

describe('an access token that the MCP server rejected', () => {
  test('a rejected access token is renewed at most once a minute', async (t) => {
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

  test('a fresh access token is renewed only at its second rejection, as Notion’s stores may lag', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const rejected = { reason: 'rejected', accessToken: grant.tokens.accessToken } as const;
    assert.equal((await window.accounts.renew(grant.id, rejected)).generation, 1);
    assert.equal((await window.accounts.renew(grant.id, rejected)).generation, 2);
    assert.equal(machine.server.refreshes.length, 1);
  });

  test('the rejection of an unknown access token causes no renewal', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.clock.aheadMs = 10 * minute;
    await window.accounts.renew(grant.id, { reason: 'rejected', accessToken: new Secret('unknown') });
    assert.deepEqual(machine.server.refreshes, []);
  });

  test('a window with a rejected access token adopts another window’s renewal without a request', async (t) => {
    const withoutWatch = { files: { ...files, watch: () => ({ close: () => undefined }) } };
    const { machine, window, grant } = await signedIn(t, withoutWatch);
    machine.secrets.announces = false;
    const other = await machine.open(withoutWatch);
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

describe('a temporary failure of a renewal keeps the account signed in', () => {
  const failures = {
    'a network error': fail('transient', { code: 'network' }),
    'a time-out': fail('transient', { code: 'timeout' }),
    'status 503': fail('transient', { code: 'status', status: 503 }),
    'status 429': fail('transient', { code: 'status', status: 429, retryAfterMs: 120_000 }),
    'HTML from a captive portal': fail('invalidResponse', { code: 'not_json', status: 200 }),
    'an invalid_request error': fail('serverRejected', { code: 'invalid_request', status: 400 }),
  };
  for (const [name, failure] of Object.entries(failures)) {
    test(`a renewal that fails with ${name} keeps the account signed in`, async (t) => {
      const { machine, window, grant } = await signedIn(t);
      machine.server.next.push(failure);
      await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
      assert.equal(window.only().state, 'healthy');
      assert.equal(
        (await machine.open()).only().grant.tokens.refreshToken?.reveal(),
        grant.tokens.refreshToken?.reveal(),
      );
      machine.clock.aheadMs += 10 * minute;
      await window.accounts.renew(grant.id, { reason: 'expiry' });
      assert.equal(machine.server.probes, 1, 'the network is probed before the refresh token is sent');
    });
  }

  test('a failed renewal is not retried before Retry-After', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(failures['status 429']);
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

describe('a rejection that says the grant has ended', () => {
  test('an invalid_grant after a sign-in ends the grant, and its refresh token is never sent again', async (t) => {
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

  test('an invalid_grant soon after a renewal ends no grant before a second attempt 90 seconds later', async (t) => {
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

  test('renewals fail as unconfirmed while a rejection awaits confirmation, whatever their reason', async (t) => {
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

  test('a window confirms a rejection while the token is still valid, then the account needs sign-in', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    machine.server.next.push(invalidGrant, invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await window.accounts.wakeUp();
    assert.equal(window.only().state, 'needsSignIn');
    assert.equal(machine.server.refreshes.length, 3);
  });

  test('a renewal failure is forgotten in every window once a sign-in has replaced the tokens', async (t) => {
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

  test('a second invalid_grant after 90 seconds ends the grant', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    await window.accounts.renew(grant.id, { reason: 'asked' });
    machine.server.next.push(invalidGrant, invalidGrant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidGrant' });
    assert.equal(window.only().state, 'needsSignIn');
  });

  test('an invalid_client is confirmed by a second attempt even long after the sign-in', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.clock.aheadMs = 30 * minute;
    const invalidClient = fail('invalidClient', { code: 'invalid_client', status: 401 });
    machine.server.next.push(invalidClient, invalidClient);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'transient' });
    machine.clock.aheadMs += 91_000;
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }), { kind: 'invalidClient' });
    assert.equal(window.only().grant.needsSignIn?.reason, 'invalidClient');
  });

  test('a sign-in after the end of a grant restores the same account', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.end(grant);
    await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
    const again = await window.accounts.storeSignIn(machine.server.signIn('ada'));
    assert.equal(again.grant.id, grant.id);
    assert.equal(window.only().state, 'healthy');
    assert.deepEqual(window.events, ['added ada (wiki)', 'changed ada (wiki)', 'added ada (wiki)']);
  });

  test('a grant that ends is reported as idle after 30 idle days, and as too old after 180 days', async (t) => {
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

  test('a token response received after the lock was lost is set aside and tried before the grant ends', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(async (_, respond) => {
      const tokens = respond();
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

describe('a window that was suspended for hours after sending a refresh request', () => {
  /** The window is suspended after its request; another window takes over and renews; then the response is read. */
  async function suspended(t: TestContext, respond: (signed: Signed) => Tokens): Promise<Signed> {
    const signed = await signedIn(t);
    const { machine, window, grant } = signed;
    machine.server.next.push(async () => {
      await files.remove(`${machine.directory}/${grant.id}.lock`);
      machine.clock.aheadMs += 5 * 60 * minute;
      const other = await machine.open();
      await other.accounts.renew(grant.id, { reason: 'expiry' });
      return respond(signed);
    });
    await window.accounts.renew(grant.id, { reason: 'asked' }).catch((error: unknown) => {
      assert.ok(error instanceof Failure && error.kind === 'transient', String(error));
    });
    return signed;
  }

  for (const [response, respond] of [
    ['a rejection', invalidGrant],
    ['tokens', ({ machine, grant }: Signed) => ({ ...grant.tokens, obtainedAtMs: machine.clock.nowMs() })],
  ] as const) {
    test(`a window that receives ${response} after suspension keeps another window’s renewal`, async (t) => {
      const { machine, window, grant } = await suspended(t, respond);
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

describe('a renewal by a wrong clock', () => {
  test('a token renewed while the clock was a day ahead is renewed again once the clock is right', async (t) => {
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

test('a renewal fails after five minutes if its refresh request never returns', async (t) => {
  const clock = new FakeClock();
  const { window, grant, machine } = await signedIn(t, { clock });
  const sent = Promise.withResolvers<void>();
  machine.server.next.push(() => {
    sent.resolve();
    return new Promise(() => undefined);
  });
  const renewing = window.accounts.renew(grant.id, { reason: 'asked' });
  await sent.promise;
  clock.advance(5 * minute);
  await assert.rejects(renewing, { kind: 'transient', message: /timeout/ });
});

/** Takes the lock as another window would after this one slept. */
async function takeLock(machine: Machine, grant: Grant): Promise<void> {
  const path = `${machine.directory}/${grant.id}.lock`;
  await files.remove(path);
  await files.create(path, 'another0 000000000000\n');
}
