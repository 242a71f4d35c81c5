import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenge } from '../../../src/oauth/challenge.ts';

const metadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp';

const cases: [title: string, header: string, expected: ReturnType<typeof parseChallenge>][] = [
  [
    'is parsed as Notion sends it',
    `Bearer realm="OAuth", resource_metadata="${metadata}", error="invalid_token"`,
    { resourceMetadata: [metadata], error: 'invalid_token' },
  ],
  ['may consist of the scheme alone', 'Bearer', { resourceMetadata: [] }],
  [
    'may list scopes separated by any number of spaces',
    'bearer scope="  read   write "',
    { resourceMetadata: [], scopes: ['read', 'write'] },
  ],
  ['with an empty scope parameter has no scopes', 'Bearer scope=""', { resourceMetadata: [] }],
  ['may have spaces around =', `Bearer resource_metadata = "${metadata}"`, { resourceMetadata: [metadata] }],
  [
    'may lack commas between parameters',
    `Bearer realm="x" resource_metadata="${metadata}"`,
    { resourceMetadata: [metadata] },
  ],
  [
    'may have unquoted values',
    `Bearer resource_metadata=${metadata}, error=x`,
    { resourceMetadata: [metadata], error: 'x' },
  ],
  ['may have values in single quotes', `Bearer resource_metadata='${metadata}'`, { resourceMetadata: [metadata] }],
  [
    'keeps both URLs of a duplicate resource_metadata, in order (getsentry/sentry-mcp#939)',
    `Bearer resource_metadata="https://mcp.example.com/a", error="e", resource_metadata="${metadata}"`,
    { resourceMetadata: ['https://mcp.example.com/a', metadata], error: 'e' },
  ],
  [
    'uses the first of two scope parameters',
    'Bearer scope="read", scope="write"',
    { resourceMetadata: [], scopes: ['read'] },
  ],
  [
    'may follow a challenge of another scheme',
    `Basic realm="simple, with \\"Bearer scope=x\\"", Bearer resource_metadata="${metadata}"`,
    { resourceMetadata: [metadata] },
  ],
  [
    'may follow a challenge with a token68',
    `Negotiate YIIabc==, Bearer resource_metadata="${metadata}"`,
    { resourceMetadata: [metadata] },
  ],
  [
    'may precede a challenge of another scheme, whose parameters it ignores',
    `Bearer realm="x", Digest scope="admin", resource_metadata="https://evil.example/"`,
    { resourceMetadata: [] },
  ],
  [
    'ignores parameters whose names only contain a known name (modelcontextprotocol/python-sdk#3009)',
    'Bearer error_scope="decoy", x_resource_metadata="https://evil.example/", scope="read"',
    { resourceMetadata: [], scopes: ['read'] },
  ],
  ['ignores parameter names inside quotes', 'Bearer realm="api, scope=decoy"', { resourceMetadata: [] }],
  ['may contain escapes in quoted values', 'Bearer error="a\\"b\\\\c"', { resourceMetadata: [], error: 'a"b\\c' }],
  ['may end inside a quoted value', 'Bearer error="abc', { resourceMetadata: [], error: 'abc' }],
];

for (const [title, header, expected] of cases) {
  test(`A2: a challenge ${title}`, () => {
    assert.deepEqual(parseChallenge(header), expected);
  });
}

test('A2: a WWW-Authenticate header without a Bearer challenge yields no challenge', () => {
  for (const header of [
    null,
    undefined,
    '',
    ',,,',
    'Basic realm="x"',
    'Negotiate',
    'Bearerish scope="x"',
    '="',
    'Basic Bearer=1',
  ]) {
    assert.equal(parseChallenge(header), undefined, String(header));
  }
});

test('A2: two WWW-Authenticate headers are parsed as one list of challenges', () => {
  const headers = new Headers();
  headers.append('www-authenticate', 'Basic realm="a"');
  headers.append('www-authenticate', 'Bearer scope="read"');
  assert.deepEqual(parseChallenge(headers.get('www-authenticate')), { resourceMetadata: [], scopes: ['read'] });
});
