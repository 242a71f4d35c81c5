import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revoke } from '../../../src/oauth/revocation.ts';
import { fails } from './failing.ts';
import { fetchHttp } from './fetchHttp.ts';
import { html } from './loopbackServer.ts';
import { publicClient, refreshToken, tokenServer } from './tokenServer.ts';

test('a revocation request contains the token, its type hint and the client ID', async (t) => {
  const server = await tokenServer(t, { body: '' });
  await server.revoke();
  assert.deepEqual(server.received[0]?.form, {
    token: refreshToken.reveal(),
    token_type_hint: 'refresh_token',
    client_id: 'client-1',
  });
});

test('an already invalid token counts as revoked, and any other error is a failure', async (t) => {
  for (const error of ['invalid_grant', 'invalid_token']) {
    await (await tokenServer(t, { status: 400, body: { error } })).revoke();
  }
  for (const [response, kind] of [
    [{ status: 401, body: { error: 'invalid_client' } }, 'invalidClient'],
    [{ body: { error: 'unsupported_token_type' } }, 'serverRejected'],
    [{ status: 503 }, 'transient'],
    [html, 'transient'],
  ] as const) {
    const server = await tokenServer(t, response);
    await fails(() => server.revoke(), kind, { step: 'revocation' });
  }
});

test('revocation at a server without a revocation endpoint fails without sending a request', async (t) => {
  const { as, received } = await tokenServer(t, {});
  const { revocationEndpoint: _removed, ...withoutRevocation } = as;
  await fails(
    () => revoke(fetchHttp, withoutRevocation, publicClient, { token: refreshToken, hint: 'refresh_token' }),
    'invalidResponse',
    { step: 'revocation', missing: 'revocation_endpoint' },
  );
  assert.equal(received.length, 0);
});
