import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import type { FailureKind } from '../../../src/oauth/errors.ts';
import type { Client } from '../../../src/oauth/model.ts';
import { type ExpectedDetails, fails } from './failing.ts';
import { html, type RouteResponse } from './loopbackServer.ts';
import { tokenServer } from './tokenServer.ts';

const text = (body: string, status: number, type = 'text/plain'): RouteResponse => ({
  status,
  headers: { 'content-type': type },
  body,
});

const classified: [title: string, response: RouteResponse, kind: FailureKind, details?: ExpectedDetails][] = [
  [
    'invalid_grant with 400',
    { status: 400, body: { error: 'invalid_grant' } },
    'invalidGrant',
    { code: 'invalid_grant' },
  ],
  ['invalid_grant with 200', { body: { error: 'invalid_grant' } }, 'invalidGrant', { status: 200 }],
  ['invalid_grant with 401', { status: 401, body: { error: 'invalid_grant' } }, 'invalidGrant'],
  ['invalid_grant as text/plain', text('{"error":"invalid_grant"}', 400), 'invalidGrant'],
  ['invalid_grant as text/html', text('{"error":"invalid_grant"}', 400, 'text/html'), 'invalidGrant'],
  [
    'invalid_grant as a form',
    text('error=invalid_grant&error_description=gone', 200),
    'invalidGrant',
    { serverReason: 'gone' },
  ],
  ['invalid_client with 401', { status: 401, body: { error: 'invalid_client' } }, 'invalidClient'],
  ['invalid_client with 400', { status: 400, body: { error: 'invalid_client' } }, 'invalidClient'],
  ['invalid_client with 422', { status: 422, body: { error: 'invalid_client' } }, 'invalidClient'],
  ['invalid_client with 200', { body: { error: 'invalid_client' } }, 'invalidClient'],
  [
    'Supabase’s 422',
    { status: 422, body: { message: 'Unrecognized client_id' } },
    'invalidClient',
    { code: 'invalid_client' },
  ],
  [
    'another 422 with a message',
    { status: 422, body: { message: 'Required parameter: client_secret' } },
    'invalidResponse',
  ],
  [
    'unauthorized_client',
    { status: 400, body: { error: 'unauthorized_client' } },
    'serverRejected',
    { code: 'unauthorized_client' },
  ],
  ['invalid_target', { status: 400, body: { error: 'invalid_target' } }, 'serverRejected', { code: 'invalid_target' }],
  [
    'an unregistered error',
    { status: 400, body: { error: 'E_42 <x>' } },
    'serverRejected',
    { code: 'unregistered_error', serverReason: "E_42 'x'" },
  ],
  ['temporarily_unavailable', { status: 400, body: { error: 'temporarily_unavailable' } }, 'transient'],
  ['server_error with 200', { body: { error: 'server_error' } }, 'transient'],
  ['500', { status: 500 }, 'transient', { code: 'http_500', status: 500 }],
  ['502 with HTML', { ...html, status: 502 }, 'transient'],
  ['503 with Retry-After', { status: 503, headers: { 'retry-after': '120' } }, 'transient', { retryAfterMs: 120_000 }],
  ['500 with invalid_grant', { status: 500, body: { error: 'invalid_grant' } }, 'transient'],
  ['429 with invalid_client', { status: 429, body: { error: 'invalid_client' } }, 'transient'],
  [
    '429 with Retry-After',
    { status: 429, headers: { 'retry-after': '3600' } },
    'transient',
    { retryAfterMs: 3_600_000 },
  ],
  ['408', { status: 408 }, 'transient'],
  ['a firewall’s 403 page', { ...html, status: 403 }, 'transient', { code: 'http_403' }],
  ['a 401 without a body', { status: 401 }, 'transient'],
  ['a proxy’s 407', { status: 407 }, 'transient'],
  ['a captive portal’s 511', { ...html, status: 511 }, 'transient'],
  ['a captive portal’s 200 page', html, 'transient', { code: 'html' }],
  ['a 200 page with the content type of JSON', text('<html>', 200, 'application/json'), 'transient', { code: 'html' }],
  ['a 404 page', { ...html, status: 404 }, 'invalidResponse', { code: 'http_404' }],
  ['a 400 page', { ...html, status: 400 }, 'invalidResponse'],
];

for (const [title, response, kind, details] of classified) {
  test(`${title} at the token endpoint is ${kind}`, async (t) => {
    const server = await tokenServer(t, response);
    await fails(() => server.refresh(), kind, { step: 'token', host: new URL(server.origin).host, ...details });
    await fails(() => server.exchange(), kind, details);
  });
}

/** The first text is reported (makenotion/notion-mcp-server#227); how Notion refuses a client is not documented. */
const refusals: [status: number, error: string, description: string, code: ExpectedDetails['code']][] = [
  [403, 'forbidden', 'You are a guest, so you cannot connect to Notion MCP. Ask the owner.', 'guest_not_allowed'],
  [400, 'access_denied', 'The user is not a member of this workspace', 'guest_not_allowed'],
  [400, 'unauthorized_client', 'This app was not allowed by your workspace admin', 'client_not_allowed'],
  [403, 'access_denied', 'Contact your administrator to approve this client', 'client_not_allowed'],
  [400, 'unauthorized_client', 'This grant type is not allowed', 'unauthorized_client'],
  [403, 'access_denied', 'The resource owner denied the request', 'access_denied'],
  [400, 'invalid_target', 'Ask your administrator', 'invalid_target'],
];

for (const [status, error, description, code] of refusals) {
  test(`${error} (${status}) with “${description}” has the code ${code}`, async (t) => {
    const server = await tokenServer(t, { status, body: { error, error_description: description } });
    await fails(() => server.exchange(), 'serverRejected', { code, serverReason: description });
  });
}

test('a revoked grant counts as revoked, also if the server says that an admin did it', async (t) => {
  const body = { error: 'invalid_grant', error_description: 'Revoked by an admin' };
  const server = await tokenServer(t, { status: 403, body });
  await fails(() => server.refresh(), 'invalidGrant', { code: 'invalid_grant' });
});

test('a firewall’s 403 page that names an administrator is not taken for a refusal of the server', async (t) => {
  const server = await tokenServer(t, { ...html, status: 403, body: '<p>Blocked. Ask your administrator.</p>' });
  await fails(() => server.exchange(), 'transient', { code: 'http_403' });
});

test('a server’s error description is cleaned, shortened and stripped of secrets that were sent and of anything that looks like one', async (t) => {
  const server = await tokenServer(t, ({ form }) => ({
    status: 400,
    body: {
      error: 'invalid_grant',
      error_description: `Token ${form.refresh_token}${form.code ?? ''} by ${form.client_secret} [click](command:evil) \u202e$(bug)\n${'AbCdEf0123456789:'.repeat(9)} ${'x '.repeat(500)}`,
    },
  }));
  const client: Client = { clientId: 'c', clientSecret: new Secret('hunter2'), authMethod: 'client_secret_post' };
  const { message, details } = await fails(() => server.refresh(client), 'invalidGrant');
  const reason = details.serverReason ?? '';
  assert.match(reason, /^Token \[secret\] ?by \[secret\] \[click\] \(command:evil\) \(bug\) \[redacted\] x x/);
  assert.ok(reason.length <= 200, String(reason.length));
  assert.equal(message, 'invalidGrant at token: invalid_grant (400)');
});
