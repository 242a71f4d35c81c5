import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenge } from '../../../src/oauth/challenge.ts';

const metadata = 'https://mcp.example.com/.well-known/oauth-protected-resource/mcp';

const cases: [title: string, header: string, expected: ReturnType<typeof parseChallenge>][] = [
  [
    'is read as Notion sends it',
    `Bearer realm="OAuth", resource_metadata="${metadata}", error="invalid_token"`,
    { resourceMetadata: [metadata], error: 'invalid_token' },
  ],
  ['may be a bare scheme', 'Bearer', { resourceMetadata: [] }],
  [
    'may name scopes, separated by any spaces',
    'bearer scope="  read   write "',
    { resourceMetadata: [], scopes: ['read', 'write'] },
  ],
  ['with an empty scope names none', 'Bearer scope=""', { resourceMetadata: [] }],
  ['may have spaces around =', `Bearer resource_metadata = "${metadata}"`, { resourceMetadata: [metadata] }],
  [
    'may have no commas between parameters',
    `Bearer realm="x" resource_metadata="${metadata}"`,
    { resourceMetadata: [metadata] },
  ],
  [
    'may have unquoted values',
    `Bearer resource_metadata=${metadata}, error=x`,
    { resourceMetadata: [metadata], error: 'x' },
  ],
  ['may have single quotes', `Bearer resource_metadata='${metadata}'`, { resourceMetadata: [metadata] }],
  [
    'keeps both of duplicate metadata addresses, in order (getsentry/sentry-mcp#939)',
    `Bearer resource_metadata="https://mcp.example.com/a", error="e", resource_metadata="${metadata}"`,
    { resourceMetadata: ['https://mcp.example.com/a', metadata], error: 'e' },
  ],
  ['takes the first of two scopes', 'Bearer scope="read", scope="write"', { resourceMetadata: [], scopes: ['read'] }],
  [
    'may come after another scheme',
    `Basic realm="simple, with \\"Bearer scope=x\\"", Bearer resource_metadata="${metadata}"`,
    { resourceMetadata: [metadata] },
  ],
  [
    'may come after a scheme with a token68',
    `Negotiate YIIabc==, Bearer resource_metadata="${metadata}"`,
    { resourceMetadata: [metadata] },
  ],
  [
    'may come before another scheme, whose parameters are not its own',
    `Bearer realm="x", Digest scope="admin", resource_metadata="https://evil.example/"`,
    { resourceMetadata: [] },
  ],
  [
    'is not misled by names that contain a name (modelcontextprotocol/python-sdk#3009)',
    'Bearer error_scope="decoy", x_resource_metadata="https://evil.example/", scope="read"',
    { resourceMetadata: [], scopes: ['read'] },
  ],
  ['is not misled by names inside quotes', 'Bearer realm="api, scope=decoy"', { resourceMetadata: [] }],
  ['understands escapes in quotes', 'Bearer error="a\\"b\\\\c"', { resourceMetadata: [], error: 'a"b\\c' }],
  ['may end in the middle of a quote', 'Bearer error="abc', { resourceMetadata: [], error: 'abc' }],
];

for (const [title, header, expected] of cases) {
  test(`A2: a challenge ${title}`, () => {
    assert.deepEqual(parseChallenge(header), expected);
  });
}

test('A2: without a Bearer challenge there is none', () => {
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

test('A2: two WWW-Authenticate headers are read as one list', () => {
  const headers = new Headers();
  headers.append('www-authenticate', 'Basic realm="a"');
  headers.append('www-authenticate', 'Bearer scope="read"');
  assert.deepEqual(parseChallenge(headers.get('www-authenticate')), { resourceMetadata: [], scopes: ['read'] });
});
