import fc from 'fast-check';
import type { HttpResponse } from '../../src/http/client.ts';
import type { HttpFailureKind } from '../../src/http/errors.ts';

export const origin = 'https://mcp.example';
export const redirectUri = 'vscode://seedling.notion-mcp-auth/callback';

/**
 * As long as real secrets. Redaction recognizes a short secret only if it was sent; others look like ordinary words.
 */
export const secrets = {
  code: 'user:grant:code0123456789abcdefghijkl',
  verifier: 'verifier-0123456789abcdefghijklmnopqrstuvw',
  refreshToken: 'user:grant:refresh0123456789abcdefghij',
  accessToken: 'user:grant:access0123456789abcdefghij',
  state: 'c3RhdGUtMDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ubz0=',
};
export const shortSecret = 'hunter2';
export const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom(
    '',
    ' ',
    '"',
    '\\',
    '=',
    ',',
    "'",
    '\u202e',
    '$(bug)',
    '[x](command:y)',
    '<html>',
    ...Object.values(secrets),
  ),
);

/** Values of the right type, of a wrong type, and hostile ones. */
export const anyValue = fc.oneof(
  { weight: 3, arbitrary: anyText },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, 1e308, 3600, '3600', null, true, [], {}, [''], 'Bearer', 'none') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...[
        origin,
        `${origin}/`,
        `${origin}/mcp`,
        `${origin}/mcp/`,
        `${origin}/x`,
        'https://evil.example',
        'http://evil.example',
      ],
      ...[
        'http://127.0.0.1:1/x',
        'javascript:alert(1)',
        'https://a:b@evil.example/',
        'file:///etc/passwd',
        `${origin}#x`,
      ],
    ),
  },
);

/** A JSON object in which each field of `names` may be present, with a plausible value or an arbitrary one. */
export function document(names: Record<string, unknown[]>): fc.Arbitrary<Record<string, unknown>> {
  const fields = Object.entries(names).map(([name, plausible]) => [
    name,
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...plausible) }, { weight: 1, arbitrary: anyValue }),
  ]);
  return fc.record(Object.fromEntries(fields), { requiredKeys: [] });
}

/** An HTTP response, usually with one of `documents` as its body, or an HTTP failure. */
export function response(
  ...documents: fc.Arbitrary<Record<string, unknown>>[]
): fc.Arbitrary<HttpResponse | HttpFailureKind> {
  const body = fc.oneof(
    ...documents.map((each) => ({ weight: 6, arbitrary: each.map((value) => JSON.stringify(value)) })),
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: anyText },
    {
      weight: 1,
      arbitrary: fc
        .tuple(anyText, anyText)
        .map(([a, b]) => `error=${encodeURIComponent(a)}&error_description=${encodeURIComponent(b)}`),
    },
    { weight: 1, arbitrary: fc.constantFrom('<!doctype html>', 'null', '[]', '{"a"', '\uFEFF{}', 'data: {}\n\n') },
  );
  const httpResponse = fc.record({
    status: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(200, 201, 400, 401) },
      { weight: 1, arbitrary: fc.integer({ min: 100, max: 999 }) },
    ),
    headers: fc
      .record(
        {
          'content-type': fc.constantFrom('application/json', 'text/html', 'text/plain', 'text/event-stream', 'x'),
          'retry-after': fc.constantFrom('1', '-1', 'soon', '99999999999999999999', 'Wed, 21 Oct 2026 07:28:00 GMT'),
          'www-authenticate': fc.constantFrom(
            'Bearer',
            `Bearer resource_metadata="${origin}/m", scope="a"`,
            'Basic x=',
            'Bearer resource_metadata="http://evil.example/"',
          ),
        },
        { requiredKeys: [] },
      )
      .map((headers) => new Headers(headers as Record<string, string>)),
    body,
    url: fc.constant(new URL(`${origin}/x`)),
  });
  const kinds = [
    'unreachable',
    'timeout',
    'tooLarge',
    'redirected',
    'insecure',
    'privateAddress',
    'certificate',
    'unverified',
    'proxy',
    'cancelled',
  ] as const;
  return fc.oneof({ weight: 12, arbitrary: httpResponse }, { weight: 1, arbitrary: fc.constantFrom(...kinds) });
}

export const registrationResponse = document({
  client_id: ['c-1'],
  client_secret: ['s'],
  client_secret_expires_at: [0, 1_900_000_000],
  client_id_issued_at: [1_700_000_000],
  token_endpoint_auth_method: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  redirect_uris: [[redirectUri], []],
  error: ['invalid_redirect_uri', 'invalid_client_metadata'],
});
export const tokenResponse = document({
  access_token: ['access'],
  token_type: ['bearer', 'Bearer', 'DPoP'],
  expires_in: [3600],
  refresh_token: ['r-2'],
  scope: ['a b'],
  id_token: ['x.y.z'],
});
export const errorResponse = document({
  error: ['invalid_grant', 'invalid_client', 'invalid_request', 'server_error', ...Object.values(secrets)],
  error_description: [...Object.values(secrets), shortSecret].map(
    (secret) => `It was ${secret}${secret}, ${[...secret].join('\u200b')}.`,
  ),
  message: ['Unrecognized client_id'],
});
