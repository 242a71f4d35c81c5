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

test('A13, A20: the authorization URL holds code, S256, state, resource and exactly our redirect URI', async () => {
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

test('A21: state and verifier are 256 bits, new each time, and the state tells encoded from plain by its =', async () => {
  const [one, two] = [await build(), await build()];
  assert.match(one.state.reveal(), /^[A-Za-z0-9+/]{43}=$/);
  assert.match(one.verifier.reveal(), /^[A-Za-z0-9_-]{43}$/);
  assert.ok(!one.state.equals(two.state) && !one.verifier.equals(two.verifier));
  assert.ok(!JSON.stringify({ state: one.state, verifier: one.verifier }).includes(one.verifier.reveal()));
});

test('A16: offline_access is asked for only where the server lists it', async () => {
  const scopeOf = ({ url }: PendingAuthorization) => new URL(url).searchParams.get('scope');
  assert.equal(scopeOf(await build({ scopesSupported: ['read', 'offline_access'] }, ['read'])), 'read offline_access');
  assert.equal(scopeOf(await build({ scopesSupported: ['read'] }, ['read'])), 'read');
  assert.equal(scopeOf(await build({}, ['read'])), 'read');
});

test('A11: without scopes the parameter is left out, offline_access or not', async () => {
  const { url, scopes } = await build({ scopesSupported: ['offline_access'] });
  assert.equal(new URL(url).searchParams.has('scope'), false);
  assert.equal(scopes, undefined);
});

const pending: PendingAuthorization = {
  url: 'https://as.example/authorize',
  state: new Secret('c3RhdGU='),
  verifier: new Secret('verifier'),
  issuer: server.issuer,
  clientId: client.clientId,
  redirectUri,
  resource: 'https://mcp.example/mcp',
};

const judge = (query: string, more: Partial<AuthorizationServer> = {}) =>
  validateCallback(pending, { ...server, ...more }, new URLSearchParams(query));

const state = 'state=c3RhdGU%3D';

test('A21: an answer with our state gives its code, byte for byte', () => {
  assert.equal(judge(`code=a%3Ab%2Bc%2Fd%25e&${state}`).reveal(), 'a:b+c/d%e');
});

const advertised = { issParameterSupported: true };
for (const [title, query, more, expected] of [
  ['advertised and present: compared', 'iss=https://as.example', advertised, undefined],
  ['advertised and wrong: rejected', 'iss=https://evil.example', advertised, 'issuer_mismatch'],
  ['advertised and absent: rejected', '', advertised, 'issuer_missing'],
  ['advertised and empty: rejected', 'iss=', advertised, 'issuer_mismatch'],
  ['unadvertised and present: compared', 'iss=https://as.example', {}, undefined],
  ['unadvertised and wrong: rejected', 'iss=https://evil.example', {}, 'issuer_mismatch'],
  ['unadvertised and empty: rejected', 'iss=', {}, 'issuer_mismatch'],
  ['neither: taken', '', {}, undefined],
  ['with a slash more: rejected', 'iss=https://as.example/', advertised, 'issuer_mismatch'],
  ['in capitals: rejected', 'iss=HTTPS://AS.EXAMPLE', advertised, 'issuer_mismatch'],
  ['with its port: rejected', 'iss=https://as.example:443', advertised, 'issuer_mismatch'],
] as const) {
  test(`A12: iss ${title}`, async () => {
    const answer = `code=c&${state}&${query}`;
    if (expected === undefined) {
      assert.equal(judge(answer, more).reveal(), 'c');
    } else {
      await fails(() => judge(answer, more), 'unsafe', { step: 'authorization', code: expected });
    }
  });
}

test('A12: on a wrong iss neither error nor its words are acted on or shown', async () => {
  const failure = await fails(
    () => judge(`error=access_denied&error_description=Bad+words&iss=https://evil.example&${state}`),
    'unsafe',
    { code: 'issuer_mismatch' },
  );
  assert.equal(failure.details.serverReason, undefined);
});

test('A12: the issuer recorded at the start counts, not one of a later discovery', async () => {
  await fails(() => judge(`code=c&${state}`, { issuer: 'https://other.example' }), 'unsafe', {
    code: 'issuer_mismatch',
  });
});

test('A21: a missing or foreign state is unsafe, before anything else is looked at', async () => {
  for (const query of ['code=c', 'code=c&state=', 'code=c&state=other', 'error=access_denied&state=other', '']) {
    await fails(() => judge(query), 'unsafe', { code: 'state_mismatch' });
  }
});

test('A21: a parameter given twice is unsafe, even with the same value', async () => {
  for (const name of ['code', 'state', 'iss', 'error']) {
    const values = { code: 'c', state: 'c3RhdGU%3D', iss: 'https://as.example', error: 'access_denied' };
    const value = values[name as keyof typeof values];
    await fails(() => judge(`code=c&${state}&${name}=${value}&${name}=${value}`), 'unsafe', {
      code: 'duplicate_parameter',
    });
  }
});

test('an answer that is no code response is unsafe, one with nothing in it is nonsense: both may still be followed by the right one', async () => {
  for (const query of ['response=eyJ', 'id_token=x', 'token=x']) {
    await fails(() => judge(`code=c&${state}&${query}`), 'unsafe', { code: 'not_a_code_response' });
  }
  for (const query of [state, `code=&${state}`, `error=&${state}`]) {
    await fails(() => judge(query), 'invalidResponse', { code: 'no_code', missing: 'code' });
  }
});

test('access_denied is the person’s no; any other error is the server’s, with its cleaned words', async () => {
  await fails(() => judge(`error=access_denied&${state}`), 'accessDenied', { code: 'access_denied' });
  await fails(
    () => judge(`error=invalid_scope&error_description=No%20%5Bsuch%5D(command:x)%20%24(trash)%0Ascope&${state}`),
    'serverRejected',
    {
      step: 'authorization',
      code: 'invalid_scope',
      host: 'as.example',
      serverReason: 'No [such] (command:x) (trash) scope',
    },
  );
  await fails(() => judge(`error=<b>made+up</b>&${state}`), 'serverRejected', { code: 'unregistered_error' });
});

test('an error that quotes our state or verifier does not get them shown', async () => {
  const failure = await fails(
    () => judge(`error=invalid_request&error_description=bad+c3RhdGU%3D+and+verifier&${state}`),
    'serverRejected',
  );
  assert.equal(failure.details.serverReason, 'bad [secret] and [secret]');
});
