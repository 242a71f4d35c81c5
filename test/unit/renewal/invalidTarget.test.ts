import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Http } from '../../../src/http/client.ts';
import { tokenLimitMs } from '../../../src/oauth/token.ts';
import { createGrantRequests } from '../../../src/renewal/grantRequests.ts';
import { FakeClock } from '../fakeClock.ts';
import { fails } from '../oauth/failing.ts';
import { granting, oauthError, signedInAtServer, textOf } from './realServer.ts';
import { TokenServer } from './tokenServer.ts';

describe('a renewal whose resource the server does not accept', () => {
  test('a renewal is sent once more without the resource after invalid_target, and stores the tokens', async (t) => {
    const { server, window, grant, refreshes } = await signedInAtServer(t);
    const grants = granting();
    server.routes['POST /token'] = (received, response) => {
      const route = received.form.resource === undefined ? grants : oauthError('invalid_target');
      return typeof route === 'function' ? route(received, response) : route;
    };
    await window.accounts.renew(grant.id, { reason: 'expiry' });
    const form = {
      grant_type: 'refresh_token',
      client_id: grant.client.clientId,
      refresh_token: textOf(grant.tokens.refreshToken),
    };
    assert.deepEqual(refreshes(), [{ ...form, resource: grant.resource }, form]);
    assert.equal(window.only().state, 'healthy');
    assert.equal(textOf(window.only().grant.tokens.refreshToken), 'new-refresh-1');
  });

  test('a renewal that is refused with and without the resource counts as one refusal', async (t) => {
    const { server, window, grant, refreshes } = await signedInAtServer(t);
    server.routes['POST /token'] = oauthError('invalid_target');
    await fails(() => window.accounts.renew(grant.id, { reason: 'expiry' }), 'serverRejected', {
      code: 'invalid_target',
    });
    assert.deepEqual(
      refreshes().map(({ resource }) => resource),
      [grant.resource, undefined],
    );
    assert.equal(window.only().grant.refusal?.count, 1);
  });

  test('the requests of a renewal with and without the resource together have the time limit of one', async () => {
    const clock = new FakeClock();
    const limits: (number | undefined)[] = [];
    const http: Http = async ({ deadlineMs, url }) => {
      limits.push(deadlineMs);
      clock.advance(80_000);
      const headers = new Headers({ 'content-type': 'application/json' });
      return { status: 400, headers, body: JSON.stringify({ error: 'invalid_target' }), url };
    };
    const { tokens, ...fresh } = new TokenServer(() => clock.nowMs()).signIn('ada');
    const grant: Grant = {
      ...fresh,
      tokens,
      id: 'one',
      generation: 1,
      label: 'ada',
      signedInAtMs: tokens.obtainedAtMs,
    };
    await fails(() => createGrantRequests(http, clock).refresh(grant), 'serverRejected', { code: 'invalid_target' });
    assert.deepEqual(limits, [tokenLimitMs, tokenLimitMs - 80_000]);
  });
});
