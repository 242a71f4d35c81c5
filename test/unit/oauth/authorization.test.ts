import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Randomness } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { buildAuthorization, type PendingAuthorization, validateCallback } from '../../../src/oauth/authorization.ts';
import type { AuthorizationServer, Client } from '../../../src/oauth/model.ts';
import { fails } from './failing.ts';

const redirectUri = 'vscode://seedling.notion-mcp-auth/callback?windowId=1&x=%2F';
const client: Client = { clientId: 'client-1', authMethod: 'none' };
const server: AuthorizationServer = {
  issuer: 'https://as.example',
  authorizationEndpoint: 'https://as.example/authorize?tenant=1',
  tokenEndpoint: 'https://as.example/token',
};
const randomness: Randomness = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fraction: () => 0.5,
};

const build = (more: Partial<AuthorizationServer> = {}, scopes?: string[]): Promise<PendingAuthorization> =>
  buildAuthorization({ resource: 'https://mcp.example/mcp', authorizationServer: { ...server, ...more } }, client, {
    redirectUri,
    ...(scopes && { scopes }),
    randomness,
    prompt: 'consent',
  });

test('A13, A20: the authorization URL contains the S256 challenge, state, resource and the exact redirect URI', async () => {
  const pending = await build();
  const url = new URL(pending.url);
  assert.equal(url.origin + url.pathname, 'https://as.example/authorize');
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    tenant: '1',
    response_type: 'code',
    client_id: 'client-1',
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(pending.verifier.reveal()).digest('base64url'),
    code_challenge_method: 'S256',
    state: pending.state.reveal(),
    resource: 'https://mcp.example/mcp',
    prompt: 'consent',
  });
});

test('A21: the state and the PKCE verifier are 256 bits and new for each request, and the state ends with =', async () => {
  const [one, two] = [await build(), await build()];
  assert.match(one.state.reveal(), /^[A-Za-z0-9+/]{43}=$/);
  assert.match(one.verifier.reveal(), /^[A-Za-z0-9_-]{43}$/);
  assert.ok(!one.state.equals(two.state) && !one.verifier.equals(two.verifier));
  assert.ok(!JSON.stringify({ state: one.state, verifier: one.verifier }).includes(one.verifier.reveal()));
});

test('A16: an authorization request includes offline_access only if the server lists it', async () => {
  const scopeOf = ({ url }: PendingAuthorization) => new URL(url).searchParams.get('scope');
  assert.equal(scopeOf(await build({ scopesSupported: ['read', 'offline_access'] }, ['read'])), 'read offline_access');
  assert.equal(scopeOf(await build({ scopesSupported: ['read'] }, ['read'])), 'read');
  assert.equal(scopeOf(await build({}, ['read'])), 'read');
});

test('A11: an authorization request without scopes omits the scope parameter, even if the server lists offline_access', async () => {
  const { url } = await build({ scopesSupported: ['offline_access'] });
  assert.equal(new URL(url).searchParams.has('scope'), false);
});

const pending: PendingAuthorization = {
  url: 'https://as.example/authorize',
  state: new Secret('c3RhdGU='),
  verifier: new Secret('verifier'),
  clientId: client.clientId,
  authorizationServer: server,
};

const validate = (query: string, more: Partial<AuthorizationServer> = {}) =>
  validateCallback({ ...pending, authorizationServer: { ...server, ...more } }, new URLSearchParams(query));

const state = 'state=c3RhdGU%3D';

test('A21: an authorization response with the expected state yields its code, byte for byte', () => {
  assert.equal(validate(`code=a%3Ab%2Bc%2Fd%25e&${state}`).reveal(), 'a:b+c/d%e');
});

const advertised = { issParameterSupported: true };
for (const [title, query, more, expected] of [
  ['is accepted if iss is advertised and correct', 'iss=https://as.example', advertised, undefined],
  ['is rejected if iss is advertised and wrong', 'iss=https://evil.example', advertised, 'issuer_mismatch'],
  ['is rejected if iss is advertised and absent', '', advertised, 'issuer_missing'],
  ['is rejected if iss is advertised and empty', 'iss=', advertised, 'issuer_mismatch'],
  ['is accepted if iss is unadvertised and correct', 'iss=https://as.example', {}, undefined],
  ['is rejected if iss is unadvertised and wrong', 'iss=https://evil.example', {}, 'issuer_mismatch'],
  ['is rejected if iss is unadvertised and empty', 'iss=', {}, 'issuer_mismatch'],
  ['is accepted if iss is unadvertised and absent', '', {}, undefined],
  ['is rejected if iss has an extra trailing slash', 'iss=https://as.example/', advertised, 'issuer_mismatch'],
  ['is rejected if iss is in capitals', 'iss=HTTPS://AS.EXAMPLE', advertised, 'issuer_mismatch'],
  ['is rejected if iss names the default port', 'iss=https://as.example:443', advertised, 'issuer_mismatch'],
] as const) {
  test(`A12: an authorization response ${title}`, async () => {
    const response = `code=c&${state}&${query}`;
    if (expected === undefined) {
      assert.equal(validate(response, more).reveal(), 'c');
    } else {
      await fails(() => validate(response, more), 'unsafe', { step: 'authorization', code: expected });
    }
  });
}

test('A12: if iss is wrong, the error and its description are neither acted on nor shown', async () => {
  const failure = await fails(
    () => validate(`error=access_denied&error_description=Bad+words&iss=https://evil.example&${state}`),
    'unsafe',
    { code: 'issuer_mismatch' },
  );
  assert.equal(failure.details.serverReason, undefined);
});

test('A12: an authorization response is checked against the authorization server that the request was built for', async () => {
  const request = await build({ issuer: 'https://other.example', issParameterSupported: true });
  const response = (iss: string) => new URLSearchParams({ code: 'c', state: request.state.reveal(), iss });
  assert.equal(validateCallback(request, response('https://other.example')).reveal(), 'c');
  await fails(() => validateCallback(request, response(server.issuer)), 'unsafe', { code: 'issuer_mismatch' });
});

test('A21: an authorization response with a missing or foreign state is unsafe, whatever else it contains', async () => {
  for (const query of ['code=c', 'code=c&state=', 'code=c&state=other', 'error=access_denied&state=other', '']) {
    await fails(() => validate(query), 'unsafe', { code: 'state_mismatch' });
  }
});

test('A21: an authorization response with a duplicate parameter is unsafe, even if both values are equal', async () => {
  for (const name of ['code', 'state', 'iss', 'error']) {
    const values = { code: 'c', state: 'c3RhdGU%3D', iss: 'https://as.example', error: 'access_denied' };
    const value = values[name as keyof typeof values];
    await fails(() => validate(`code=c&${state}&${name}=${value}&${name}=${value}`), 'unsafe', {
      code: 'duplicate_parameter',
    });
  }
});

test('an authorization response of another response type is unsafe, and one with neither code nor error is invalid', async () => {
  for (const query of ['response=eyJ', 'id_token=x', 'token=x']) {
    await fails(() => validate(`code=c&${state}&${query}`), 'unsafe', { code: 'not_a_code_response' });
  }
  for (const query of [state, `code=&${state}`, `error=&${state}`]) {
    await fails(() => validate(query), 'invalidResponse', { code: 'no_code', missing: 'code' });
  }
});

test('access_denied means that the user denied access; any other error is serverRejected with a cleaned description', async () => {
  await fails(() => validate(`error=access_denied&${state}`), 'accessDenied', { code: 'access_denied' });
  await fails(
    () => validate(`error=invalid_scope&error_description=No%20%5Bsuch%5D(command:x)%20%24(trash)%0Ascope&${state}`),
    'serverRejected',
    {
      step: 'authorization',
      code: 'invalid_scope',
      host: 'as.example',
      serverReason: 'No [such] (command:x) (trash) scope',
    },
  );
  await fails(() => validate(`error=<b>made+up</b>&${state}`), 'serverRejected', { code: 'unregistered_error' });
});

test('a guest, or a client that an admin has not allowed, is told apart from a user who denied access', async () => {
  for (const [error, description, code] of [
    ['access_denied', 'You are a guest, so you cannot connect to Notion MCP', 'guest_not_allowed'],
    ['access_denied', 'Not allowed by the workspace’s admins', 'client_not_allowed'],
    ['unauthorized_client', 'An administrator must approve this app', 'client_not_allowed'],
  ] as const) {
    const query = new URLSearchParams({ error, error_description: description });
    await fails(() => validate(`${query}&${state}`), 'serverRejected', { code, host: 'as.example' });
  }
  await fails(
    () => validate(`error=access_denied&error_description=The+user+denied+the+request&${state}`),
    'accessDenied',
  );
});

test('an authorization error that quotes the state or the PKCE verifier is shown without them', async () => {
  const failure = await fails(
    () => validate(`error=invalid_request&error_description=bad+c3RhdGU%3D+and+verifier&${state}`),
    'serverRejected',
  );
  assert.equal(failure.details.serverReason, 'bad [secret] and [secret]');
});
