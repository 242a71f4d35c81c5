import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Secret } from '../../../src/core/secret.ts';
import { decodeGrant, encodeGrant, formatVersion } from '../../../src/grants/codec.ts';
import type { Grant } from '../../../src/grants/grant.ts';

const minimal: Grant = {
  id: 'grant',
  generation: 1,
  serverUrl: 'https://mcp.example/mcp',
  resource: 'https://mcp.example/mcp',
  authorizationServer: {
    issuer: 'https://mcp.example',
    authorizationEndpoint: 'https://mcp.example/authorize',
    tokenEndpoint: 'https://mcp.example/token',
  },
  client: { clientId: 'client', authMethod: 'none' },
  tokens: { accessToken: new Secret('access'), obtainedAtMs: 1_000 },
  label: 'Notion account',
  askedScopes: [],
  signedInAtMs: 1_000,
};

const full: Grant = {
  ...minimal,
  authorizationServer: {
    ...minimal.authorizationServer,
    registrationEndpoint: 'https://mcp.example/register',
    revocationEndpoint: 'https://mcp.example/revoke',
    issParameterSupported: true,
    scopesSupported: ['read'],
    tokenEndpointAuthMethodsSupported: ['none'],
  },
  client: {
    clientId: 'client',
    authMethod: 'client_secret_post',
    clientSecret: new Secret('client-secret'),
    clientIdIssuedAtSeconds: 1,
    clientSecretExpiresAtSeconds: 0,
  },
  tokens: {
    accessToken: new Secret('access'),
    refreshToken: new Secret('refresh'),
    obtainedAtMs: 1_000,
    expiresInSeconds: 3_600,
    scopes: ['read'],
  },
  identity: {
    userId: 'u1',
    userName: 'Ada',
    userEmail: 'ada@example.com',
    workspaceId: 'w1',
    workspaceName: 'Wiki',
  },
  accountId: 'key of ada',
  label: 'Ada (Wiki)',
  serverNames: { handle: 'notion-wiki', title: 'Notion – Wiki' },
  askedScopes: ['default', 'pages'],
  machineId: '0123456789abcdef',
  needsSignIn: { reason: 'ended', serverCode: 'invalid_grant' },
  refusal: { code: 'invalid_request', count: 3, retryAtMs: 2_000 },
  mergedFrom: 'another grant',
};

type Fields = Record<string, unknown>;

/** The fields of a grant's stored record. */
function fieldsOf(grant: Grant): Fields {
  return JSON.parse(encodeGrant(grant));
}

/** The full record with some of its fields replaced; `undefined` removes a field. */
function changed(changes: Fields): string {
  return JSON.stringify({ ...fieldsOf(full), ...changes });
}

/** The full record with one part of one of its fields replaced; `undefined` removes the part. */
function changedPart(name: string, part: string, value: unknown): string {
  return changed({ [name]: { ...(fieldsOf(full)[name] as Fields), [part]: value } });
}

for (const [name, grant] of Object.entries({
  'with every field': full,
  'with the required fields only': minimal,
  'that ended and has no refresh token': { ...minimal, needsSignIn: { reason: 'idle' as const } },
})) {
  test(`a grant ${name} is the same after it was stored and read`, () => {
    const decoded = decodeGrant(encodeGrant(grant));
    assert.ok(decoded.kind === 'grant');
    assert.deepEqual(decoded.grant, grant);
    // Secrets look alike to `deepEqual`; only their encoding shows their values.
    assert.deepEqual(fieldsOf(decoded.grant), fieldsOf(grant));
  });
}

test('a stored record has its tokens and its client secret in clear, beside the fields of the grant', () => {
  assert.deepEqual(fieldsOf(full), {
    ...full,
    version: 1,
    client: { ...full.client, clientSecret: 'client-secret' },
    tokens: { ...full.tokens, accessToken: 'access', refreshToken: 'refresh' },
  });
});

test('schema.md describes exactly the fields of a stored record', () => {
  const schema = readFileSync(new URL('../../../src/storage/schema.md', import.meta.url), 'utf8');
  const [, section = ''] = schema.split('## Grant record: JSON');
  const [table = ''] = section.split('\n## ');
  const rows = [...table.matchAll(/^\| `(\w+)` \| (.*) \|$/gm)].map(([, name = '', meaning = '']) => ({
    name,
    meaning,
  }));
  const fields = fieldsOf(full);
  assert.deepEqual(rows.map(({ name }) => name).sort(), Object.keys(fields).sort());
  for (const name of ['client', 'tokens', 'identity', 'needsSignIn', 'refusal']) {
    const meaning = rows.find((row) => row.name === name)?.meaning ?? '';
    for (const part of Object.keys(fields[name] as Fields)) {
      assert.ok(meaning.includes(`\`${part}\``), `${name}.${part}`);
    }
  }
});

test('fields that a newer version stored are kept and written back, but replace no known field', () => {
  const text = changed({ colour: 'blue', authorizationServer: { ...full.authorizationServer, dpop: true } });
  const decoded = decodeGrant(text);
  assert.ok(decoded.kind === 'grant');
  assert.deepEqual(decoded.grant.unknown, { colour: 'blue' });
  assert.deepEqual(fieldsOf({ ...decoded.grant, generation: 2 }), { ...JSON.parse(text), generation: 2 });
  const disguised = fieldsOf({ ...minimal, unknown: { id: 'other', version: 9 } });
  assert.deepEqual([disguised.id, disguised.version], ['grant', 1]);
});

test('a record of a higher version is read as one that a newer version wrote', () => {
  const decoded = decodeGrant(changed({ version: formatVersion + 1 }));
  assert.ok(decoded.kind === 'newer');
  assert.deepEqual(decoded.grant, full);
});

test('a record without a required field, or with one of another type, is damaged', () => {
  for (const name of ['version', ...Object.keys(minimal)]) {
    for (const value of [undefined, null, true, [7]]) {
      assert.deepEqual(decodeGrant(changed({ [name]: value })), { kind: 'damaged' }, `${name}: ${value}`);
    }
  }
});

test('a record without a required part of its server, client, tokens, identity or state is damaged', () => {
  const parts = {
    authorizationServer: ['issuer', 'authorizationEndpoint', 'tokenEndpoint'],
    client: ['clientId', 'authMethod'],
    tokens: ['accessToken', 'obtainedAtMs'],
    identity: ['userId', 'userName', 'workspaceId', 'workspaceName'],
    needsSignIn: ['reason'],
    refusal: ['code', 'count', 'retryAtMs'],
  };
  for (const [name, required] of Object.entries(parts)) {
    for (const part of required) {
      assert.deepEqual(decodeGrant(changedPart(name, part, undefined)), { kind: 'damaged' }, `${name}.${part}`);
    }
  }
});

test('an optional field of another type makes a record damaged instead of being dropped', () => {
  for (const [name, part] of [
    ['client', 'clientSecret'],
    ['tokens', 'refreshToken'],
    ['tokens', 'expiresInSeconds'],
    ['tokens', 'scopes'],
    ['identity', 'userEmail'],
    ['needsSignIn', 'serverCode'],
    ['refusal', 'retryAtMs'],
  ] as const) {
    assert.deepEqual(decodeGrant(changedPart(name, part, { a: 1 })), { kind: 'damaged' }, `${name}.${part}`);
  }
});

test('text that is not a JSON object is damaged', () => {
  for (const text of ['', 'null', '[]', '"grant"', '7', encodeGrant(full).slice(0, -1)]) {
    assert.deepEqual(decodeGrant(text), { kind: 'damaged' }, text);
  }
});
