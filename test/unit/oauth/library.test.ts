import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { Http } from '../../../src/http/client.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import { refresh } from '../../../src/oauth/token.ts';
import { fails } from './failing.ts';
import { clock, granted, publicClient, refreshToken, resource, tokenServer } from './tokenServer.ts';

test('a client authenticates only with its registered method: none, client_secret_basic or client_secret_post', async (t) => {
  const server = await tokenServer(t, granted());
  const clientSecret = new Secret('s:e/c+r%t');
  const clientId = 'id-with.a_space x';
  await server.refresh({ clientId, clientSecret, authMethod: 'none' });
  await server.refresh({ clientId, clientSecret, authMethod: 'client_secret_post' });
  await server.refresh({ clientId, clientSecret, authMethod: 'client_secret_basic' });
  const [none, post, basic] = server.received;
  assert.deepEqual(
    [none?.form.client_id, none?.form.client_secret, none?.headers.authorization],
    [clientId, undefined, undefined],
  );
  assert.deepEqual(
    [post?.form.client_id, post?.form.client_secret, post?.headers.authorization],
    [clientId, 's:e/c+r%t', undefined],
  );
  assert.deepEqual([basic?.form.client_id, basic?.form.client_secret], [undefined, undefined]);
  // Characters that need no encoding stay as they are, because some servers compare without decoding.
  const credentials = atob(basic?.headers.authorization?.replace('Basic ', '') ?? '');
  assert.match(credentials, /^id-with\.a_space\+x:/);
  assert.deepEqual(
    credentials.split(':').map((part) => decodeURIComponent(part.replace(/\+/g, ' '))),
    [clientId, 's:e/c+r%t'],
  );
});

for (const status of [103, 199, 600, 999]) {
  test(`the invalid status ${status} counts as 500 (RFC 9110 section 15)`, async (t) => {
    const { as } = await tokenServer(t, {});
    const http: Http = async ({ url }) => ({ status, headers: new Headers(), body: '{"error":"invalid_grant"}', url });
    await fails(() => refresh(http, as, publicClient, { refreshToken, resource, clock }), 'transient', { status: 500 });
  });
}

test('a response whose status has no body is judged by its status', async (t) => {
  const { as, ...server } = await tokenServer(t, { status: 204 });
  await server.revoke();
  for (const [status, code] of [
    [204, 'not_json'],
    [205, 'not_json'],
    [304, 'http_304'],
  ] as const) {
    const http: Http = async ({ url }) => ({ status, headers: new Headers(), body: '', url });
    await fails(() => refresh(http, as, publicClient, { refreshToken, resource, clock }), 'invalidResponse', { code });
  }
});

test('the failure of a request without a response says whether the request may have been sent', async (t) => {
  const { as } = await tokenServer(t, {});
  for (const wasSent of [true, false]) {
    const http: Http = ({ url }) => Promise.reject(new HttpFailure('unreachable', url.host, { wasSent }));
    await fails(() => refresh(http, as, publicClient, { refreshToken, resource, clock }), 'transient', { wasSent });
  }
});

test('the failure for a response does not say whether its request was sent', async (t) => {
  const server = await tokenServer(t, { status: 503 });
  await fails(() => server.refresh(), 'transient', { wasSent: undefined });
});
