import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuthenticationSessionAccountInformation } from 'vscode';
import { Secret } from '../../../src/core/secret.ts';
import {
  accountId,
  announcedScopes,
  isAnnounced,
  isListed,
  isUsable,
  matchesAccount,
  matchesScopes,
  sessionOf,
} from '../../../src/editor/sessions.ts';
import type { Grant } from '../../../src/grants/grant.ts';

function grant(changes: Partial<Grant> = {}): Grant {
  return {
    id: 'grant-1',
    generation: 1,
    serverUrl: 'https://mcp.notion.com/mcp',
    resource: 'https://mcp.notion.com/mcp',
    authorizationServer: {
      issuer: 'https://mcp.notion.com',
      authorizationEndpoint: 'https://mcp.notion.com/authorize',
      tokenEndpoint: 'https://mcp.notion.com/token',
    },
    client: { clientId: 'client', authMethod: 'none' },
    tokens: { accessToken: new Secret('access'), refreshToken: new Secret('refresh'), obtainedAtMs: 0 },
    identity: { userId: 'u1', userName: 'Ada Lovelace', workspaceId: 'w1', workspaceName: 'Engineering Wiki' },
    accountId: 'key of ada',
    label: 'Ada Lovelace (Engineering Wiki)',
    askedScopes: [],
    signedInAtMs: 0,
    ...changes,
  };
}

test('a session has the id and token of its grant, and the key of its identity as account id', () => {
  assert.deepEqual(sessionOf({ grant: grant(), state: 'healthy' }, ['default']), {
    id: 'grant-1',
    accessToken: 'access',
    account: { id: 'key of ada', label: 'Ada Lovelace (Engineering Wiki)' },
    scopes: ['default'],
  });
});

test('a grant without a known identity uses its own id as the account id', () => {
  const { accountId: _, ...anonymous } = grant();
  assert.equal(accountId(anonymous), 'grant-1');
});

test('an account that needs a sign-in or a window reload is listed without a token and is not usable', () => {
  for (const state of ['needsSignIn', 'readOnly'] as const) {
    const account = { grant: grant(), state };
    assert.equal(sessionOf(account, []).accessToken, '');
    assert.equal(isListed(account), true);
    assert.equal(isUsable(account), false);
  }
});

test('an account of another server is neither listed nor usable', () => {
  const account = { grant: grant(), state: 'dormant' } as const;
  assert.equal(isListed(account), false);
  assert.equal(isUsable(account), false);
});

test('an account matches an empty scope list, `default`, granted scopes and earlier requested scopes, but no others', () => {
  const known = grant({
    tokens: { accessToken: new Secret('a'), obtainedAtMs: 0, scopes: ['read'] },
    askedScopes: ['pages'],
  });
  for (const scopes of [[], [''], ['default'], ['read'], ['pages'], ['pages', 'read', 'default']]) {
    assert.equal(matchesScopes(known, scopes), true, JSON.stringify(scopes));
  }
  for (const scopes of [['write'], ['default', 'write'], ['Default']]) {
    assert.equal(matchesScopes(known, scopes), false, JSON.stringify(scopes));
  }
});

test('a request matches an account by its id, and by its label only if it brings no id', () => {
  const id = 'key of ada';
  const label = 'Ada Lovelace (Engineering Wiki)';
  assert.equal(matchesAccount(grant(), undefined), true);
  assert.equal(matchesAccount(grant(), { id, label: 'other' }), true);
  assert.equal(matchesAccount(grant(), { id: 'other', label }), false);
  assert.equal(matchesAccount(grant(), { id: '', label }), true);
  assert.equal(matchesAccount(grant(), { label } as AuthenticationSessionAccountInformation), true);
  assert.equal(matchesAccount(grant(), { id: '', label: 'other' }), false);
});

test('a new session is announced once for each list of scopes that a request may have had', () => {
  assert.deepEqual(announcedScopes(grant()), [[''], ['default']]);
  assert.deepEqual(announcedScopes(grant({ askedScopes: ['default'] })), [[''], ['default']]);
  assert.deepEqual(announcedScopes(grant({ askedScopes: ['pages', 'read'] })), [[''], ['default'], ['pages', 'read']]);
});

test('the order of requested scopes does not matter', () => {
  const requested = grant({ askedScopes: ['pages', 'read'] });
  assert.equal(isAnnounced(requested, ['read', 'pages']), true);
  assert.equal(isAnnounced(requested, ['read']), false);
});
