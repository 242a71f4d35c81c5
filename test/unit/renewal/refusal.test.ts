import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { Grant } from '../../../src/grants/grant.ts';
import { longestBody } from '../../../src/http/client.ts';
import { Failure, type FailureCode } from '../../../src/oauth/errors.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { refusedForMs } from '../../../src/renewal/refusal.ts';
import { files } from '../accounts/machine.ts';
import { FakeClock } from '../fakeClock.ts';
import { fails } from '../oauth/failing.ts';
import { html, type Route } from '../oauth/loopbackServer.ts';
import { brokenOff, granting, oauthError, type SignedInAtServer, signedInAtServer, textOf } from './realServer.ts';
import { announcementsOf, fail, minute, signedIn, takeLock } from './renewals.ts';

const hour = 60 * minute;
const day = 24 * hour;

const refusals: Record<string, { response: Route; code: FailureCode }> = {
  invalid_request: { response: oauthError('invalid_request'), code: 'invalid_request' },
  unauthorized_client: { response: oauthError('unauthorized_client'), code: 'unauthorized_client' },
  invalid_scope: { response: oauthError('invalid_scope'), code: 'invalid_scope' },
  invalid_target: { response: oauthError('invalid_target'), code: 'invalid_target' },
  unsupported_grant_type: { response: oauthError('unsupported_grant_type'), code: 'unsupported_grant_type' },
  'access_denied and status 403': { response: oauthError('access_denied', 403), code: 'access_denied' },
  'a code that is not registered': { response: oauthError('quota_exceeded'), code: 'unregistered_error' },
  'a page with status 404': { response: { ...html, status: 404 }, code: 'http_404' },
  'a response without an access token': { response: { body: { token_type: 'bearer' } }, code: 'no_access_token' },
  'text that is not JSON': { response: { body: 'renewed' }, code: 'not_json' },
  'a response that is too large': { response: { body: 'x'.repeat(longestBody + 1) }, code: 'too_large' },
};

const transient: Record<string, Route> = {
  'status 500': { status: 500 },
  'status 503 and an OAuth error': oauthError('invalid_request', 503),
  'status 429': { status: 429, headers: { 'retry-after': '1' } },
  temporarily_unavailable: oauthError('temporarily_unavailable'),
  'a page with status 200': html,
  'a page of a firewall': { ...html, status: 403 },
  'a redirect': { status: 302, headers: { location: 'https://login.example/' } },
  'no response': brokenOff,
};

const expiry = { reason: 'expiry' } as const;
const asked = { reason: 'asked' } as const;

describe('a renewal that is refused', () => {
  for (const [name, { response, code }] of Object.entries(refusals)) {
    test(`an account that is refused with ${name} is kept, and each window knows of it without a request`, async (t) => {
      const { server, window, grant, open, refreshes } = await signedInAtServer(t);
      const other = await open();
      server.routes['POST /token'] = response;
      await fails(() => window.accounts.renew(grant.id, expiry), 'serverRejected', { step: 'token', code });
      const sent = server.received.length;
      await other.accounts.wakeUp();
      for (const each of [window, other, await open()]) {
        const account = each.only();
        assert.equal(account.state, 'serverRejected');
        assert.equal(account.grant.refusal?.code, code);
        assert.equal(textOf(account.grant.tokens.refreshToken), textOf(grant.tokens.refreshToken));
        const fresh = await each.accounts.fresh(grant.id, 1_000);
        assert.equal(textOf(fresh.tokens.accessToken), textOf(grant.tokens.accessToken));
        await fails(() => each.accounts.renew(grant.id, expiry), 'serverRejected', { step: 'token', code });
      }
      assert.equal(server.received.length, sent);
      assert.ok(refreshes().every((form) => form.refresh_token === textOf(grant.tokens.refreshToken)));
    });
  }

  for (const [name, response] of Object.entries(transient)) {
    test(`a renewal that fails with ${name} is not taken for a refusal`, async (t) => {
      const { server, window, grant, open } = await signedInAtServer(t);
      server.routes['POST /token'] = response;
      await assert.rejects(
        window.accounts.renew(grant.id, asked),
        (error) => error instanceof Failure && error.kind !== 'serverRejected',
      );
      for (const each of [window, await open()]) {
        assert.equal(each.only().state, 'healthy');
        assert.equal(each.only().grant.refusal, undefined);
      }
    });
  }

  test('a refused account is renewed by itself ever more seldom, at last once a day, in all windows together', async (t) => {
    const { machine, window, grant, open, refreshes } = await refused(t);
    const windows = [window, await open(), await open()];
    const tried = async (): Promise<number> => {
      await Promise.all(windows.map(({ accounts }) => accounts.wakeUp()));
      await Promise.all(windows.map(({ accounts }) => assert.rejects(accounts.fresh(grant.id, 1_000))));
      return refreshes().length;
    };
    const pauses = [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440].map((minutes) => minutes * minute);
    let count = 1;
    for (const pauseMs of pauses) {
      machine.clock.aheadMs += pauseMs - minute;
      assert.equal(await tried(), count, `before ${pauseMs / minute} minutes`);
      machine.clock.aheadMs += minute;
      count += 1;
      assert.equal(await tried(), count, `after ${pauseMs / minute} minutes`);
    }
    assert.equal(window.only().state, 'serverRejected');
  });

  for (const [name, why] of Object.entries({
    'its token has expired': () => expiry,
    'its token was rejected': ({ tokens }: Grant) => ({ reason: 'rejected' as const, accessToken: tokens.accessToken }),
  })) {
    test(`a refused account is not renewed during the pause because ${name}, but it is afterwards`, async (t) => {
      const { machine, window, server, grant, open, refreshes } = await refused(t);
      server.routes['POST /token'] = granting();
      const other = await open();
      for (const { accounts } of [window, other]) {
        await fails(() => accounts.renew(grant.id, why(grant)), 'serverRejected', { code: 'invalid_request' });
      }
      assert.equal(refreshes().length, 1);
      machine.clock.aheadMs += 5 * minute;
      await other.accounts.renew(grant.id, why(grant));
      assert.equal(refreshes().length, 2);
      assert.equal(other.only().state, 'healthy');
    });
  }

  test('a refusal that another window was given while this one waited for the lock counts for this one too', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const other = await machine.open();
    const announced = [window, other].map(announcementsOf);
    machine.server.next.push(fail('serverRejected', { code: 'invalid_request', status: 400 }));
    const renewals = [window, other].map(({ accounts }) => accounts.renew(grant.id, expiry));
    for (const renewal of renewals) {
      await fails(() => renewal, 'serverRejected', { code: 'invalid_request' });
    }
    assert.equal(machine.server.refreshes.length, 1);
    assert.deepEqual(announced.flat(), [grant.id]);
  });

  test('a refused account costs neither a lock for each call nor a look into the storage each second', async (t) => {
    const clock = new FakeClock();
    const counts = { locks: 0, looks: 0 };
    const counting: Files = {
      ...files,
      createOpen: (path, text) => {
        counts.locks += 1;
        return files.createOpen(path, text);
      },
      list: (path) => {
        counts.looks += 1;
        return files.list(path);
      },
    };
    const { machine, window, grant } = await signedIn(t, { clock, files: counting });
    // The machine's own clock is another one.
    clock.jump(machine.clock.nowMs() - clock.nowMs() + 2 * hour);
    machine.server.next.push(fail('serverRejected', { code: 'invalid_request', status: 400 }));
    await fails(() => window.accounts.renew(grant.id, expiry), 'serverRejected');
    Object.assign(counts, { locks: 0, looks: 0 });
    for (let seconds = 0; seconds < 120; seconds += 1) {
      clock.advance(1_000);
      // Takes as long as what the scheduler may have begun.
      await machine.journal();
    }
    assert.ok(counts.looks < 20, `${counts.looks} looks`);
    const rejected = { reason: 'rejected', accessToken: grant.tokens.accessToken } as const;
    const { locks } = counts;
    await fails(() => window.accounts.renew(grant.id, rejected), 'serverRejected');
    assert.equal(counts.locks, locks);
  });

  test('a renewal that the user requests is sent at once, and if it succeeds, the refusal is forgotten', async (t) => {
    const { window, server, grant, open, refreshes, machine } = await refused(t);
    await fails(() => window.accounts.renew(grant.id, asked), 'serverRejected', { code: 'invalid_request' });
    assert.equal(refreshes().length, 2);
    server.routes['POST /token'] = granting();
    const renewed = await window.accounts.renew(grant.id, asked);
    assert.equal(textOf(renewed.tokens.accessToken), 'new-access-1');
    const other = await open();
    for (const each of [window, other]) {
      assert.equal(each.only().state, 'healthy');
      assert.equal(each.only().grant.refusal, undefined);
      assert.equal(each.accounts.trouble(grant.id), undefined);
    }
    server.routes['POST /token'] = oauthError('invalid_scope');
    await fails(() => window.accounts.renew(grant.id, asked), 'serverRejected', { code: 'invalid_scope' });
    assert.equal(window.only().grant.refusal?.count, 1);
    server.routes['POST /token'] = granting();
    machine.clock.aheadMs += 5 * minute;
    await window.accounts.renew(grant.id, expiry);
    assert.equal(window.only().state, 'healthy');
  });

  test('renewals that the user requests do not lengthen the pause', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    const refusal = fail('serverRejected', { code: 'invalid_scope', status: 400 });
    machine.server.next.push(...Array<typeof refusal>(5).fill(refusal));
    for (let count = 0; count < 5; count += 1) {
      await assert.rejects(window.accounts.renew(grant.id, { reason: 'asked' }));
    }
    assert.equal(window.only().grant.refusal?.count, 1);
    assert.equal(window.accounts.trouble(grant.id), undefined, 'it is a state, not a problem of the network');
    machine.clock.aheadMs += 6 * minute;
    await window.accounts.renew(grant.id, { reason: 'expiry' });
    assert.equal(window.only().state, 'healthy');
  });

  test('a refused account is not renewed by itself before Retry-After', async (t) => {
    const { machine, window, refreshes } = await refused(t, {
      status: 400,
      headers: { 'retry-after': '3600' },
      body: { error: 'invalid_request' },
    });
    machine.clock.aheadMs += 59 * minute;
    await window.accounts.wakeUp();
    assert.equal(refreshes().length, 1);
    machine.clock.aheadMs += minute;
    await window.accounts.wakeUp();
    assert.equal(refreshes().length, 2);
  });

  test('a clock that is set back far does not keep a refused account from being renewed', async (t) => {
    const { machine, window, server, grant, refreshes } = await refused(t);
    server.routes['POST /token'] = granting();
    machine.clock.aheadMs -= 30 * day;
    await window.accounts.renew(grant.id, expiry);
    assert.equal(refreshes().length, 2);
    assert.equal(window.only().state, 'healthy');
  });

  test('a refused account waits at most a day, whatever the clock says', () => {
    const forMs = (retryAtMs: number) =>
      refusedForMs({ refusal: { code: 'invalid_request', count: 1, retryAtMs } } as Grant, 0);
    assert.equal(forMs(day), day);
    assert.equal(forMs(1), 1);
    assert.equal(forMs(0), 0);
    assert.equal(forMs(-day), 0);
    assert.equal(forMs(day + 1), 0);
    assert.equal(refusedForMs({} as Grant, 0), 0);
  });

  test('a new sign-in to a refused account makes it healthy in every window', async (t) => {
    const { window, server, open, signInAgain } = await refused(t);
    const other = await open();
    server.routes['POST /token'] = granting();
    await signInAgain();
    await other.accounts.wakeUp();
    for (const each of [window, other, await open()]) {
      assert.equal(each.only().state, 'healthy');
      assert.equal(each.only().grant.refusal, undefined);
    }
  });

  test('a refusal that arrives after another window took over the lock changes nothing', async (t) => {
    const { machine, window, grant } = await signedIn(t);
    machine.server.next.push(async () => {
      await takeLock(machine, grant);
      return fail('serverRejected', { code: 'invalid_request', status: 400 })();
    });
    await fails(() => window.accounts.renew(grant.id, asked), 'transient', { code: 'lock_lost' });
    assert.equal(window.only().grant.refusal, undefined);
    assert.equal((await machine.open()).only().grant.refusal, undefined);
  });
});

/** An account whose access token has expired and whose renewal has just been refused for the first time. */
async function refused(t: TestContext, response = oauthError('invalid_request')): Promise<SignedInAtServer> {
  const signed = await signedInAtServer(t);
  signed.machine.clock.aheadMs += 2 * hour;
  signed.server.routes['POST /token'] = response;
  await fails(() => signed.window.accounts.renew(signed.grant.id, expiry), 'serverRejected');
  return signed;
}
