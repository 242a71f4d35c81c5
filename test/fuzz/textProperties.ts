import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Secret } from '../../src/core/secret.ts';
import { labelCandidates, serverNames } from '../../src/grants/names.ts';
import { isSecure } from '../../src/http/url.ts';
import { displayName } from '../../src/notion/identity.ts';
import { type PendingAuthorization, validateCallback } from '../../src/oauth/authorization.ts';
import { parseChallenge } from '../../src/oauth/challenge.ts';
import { parseServerUrl } from '../../src/oauth/serverUrl.ts';
import { callbackParameters } from '../../src/signIn/callbackQuery.ts';
import { anyText, origin, secrets } from './inputs.ts';
import { attempt, type Property, property, server } from './property.ts';

const token = fc.stringMatching(/^[a-z_]{1,12}$/);
const challengePiece = fc.oneof(
  anyText,
  fc.constantFrom(
    'Bearer ',
    'bearer',
    'Basic ',
    'Negotiate abc==',
    ', ',
    ' = ',
    '="',
    '"',
    '\\"',
    'scope=',
    'resource_metadata="',
    '='.repeat(40),
  ),
);

/** A `WWW-Authenticate` header: well-formed with hostile values, or a heap of pieces. */
export const challengeHeader = fc.oneof(
  fc.array(challengePiece, { maxLength: 30 }).map((pieces) => pieces.join('')),
  fc
    .tuple(
      fc.constantFrom(
        ...[`${origin}/custom`, `${origin}/.well-known/oauth-protected-resource/mcp`, 'https://evil.example/x'],
        ...['http://evil.example/x', 'http://127.0.0.1:1/x', 'javascript:alert(1)', 'file:///etc/passwd', '', 'x'],
      ),
      fc.oneof(anyText, fc.constantFrom('read write', 'a '.repeat(200), 'b'.repeat(5_000), '[x](command:y)')),
    )
    .map(([url, scope]) => `Bearer resource_metadata="${url}", scope="${scope.replace(/["\\]/g, '\\$&')}", error="x"`),
);

const pending: PendingAuthorization = {
  url: `${origin}/authorize`,
  state: new Secret(secrets.state),
  verifier: new Secret(secrets.verifier),
  clientId: 'client',
  authorizationServer: server,
};

/** The properties of what reads a single text: a header, a query, a setting or a name. */
export const textProperties: Property[] = [
  property(
    'a challenge of any form yields at most 64 scopes, each as RFC 6749 defines one',
    [challengeHeader],
    (text) => {
      const { resourceMetadata = [], scopes = ['x'] } = parseChallenge(text) ?? {};
      assert.ok(Array.isArray(resourceMetadata));
      assert.ok(scopes.length >= 1 && scopes.length <= 64);
      assert.ok(
        scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/.test(scope)),
        scopes.join(),
      );
    },
  ),
  property(
    'a well-formed challenge is parsed to the parameters that it was built from',
    [
      fc.dictionary(token, fc.string({ unit: 'grapheme-ascii', maxLength: 20 }), { maxKeys: 5 }),
      fc.webUrl(),
      fc.boolean(),
    ],
    (others, url, first) => {
      const { scope: _s, error: _e, resource_metadata: _r, ...rest } = others;
      const quoted = Object.entries({ ...rest, resource_metadata: url, error: 'invalid_token' }).map(
        ([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&')}"`,
      );
      const bearer = `Bearer ${quoted.join(', ')}`;
      const header = first ? `${bearer}, Basic realm="x"` : `Basic realm="x", ${bearer}`;
      assert.deepEqual(parseChallenge(header), { resourceMetadata: [url], error: 'invalid_token' });
    },
  ),
  property(
    'a callback is accepted only with our state, the expected issuer and no duplicate parameters',
    [
      fc.array(
        fc.tuple(
          fc.constantFrom('code', 'state', 'iss', 'error', 'error_description', 'response', 'id_token', 'token', 'x'),
          fc.oneof(
            anyText,
            fc.constantFrom(secrets.state, secrets.state, origin, origin, `${origin}/`, 'access_denied'),
          ),
        ),
        { maxLength: 6 },
      ),
      fc.boolean(),
    ],
    async (pairs, issParameterSupported) => {
      const parameters = new URLSearchParams(pairs);
      const code = await attempt(() =>
        validateCallback({ ...pending, authorizationServer: { ...server, issParameterSupported } }, parameters),
      );
      if (code !== undefined) {
        assert.deepEqual(parameters.getAll('state'), [secrets.state]);
        assert.deepEqual(parameters.getAll('code'), [code.reveal()]);
        const issuers = parameters.getAll('iss');
        assert.deepEqual(issuers, issuers.length === 0 && !issParameterSupported ? [] : [origin]);
        assert.ok(!parameters.get('error'));
      }
    },
  ),
  property(
    'a callback’s code is read exactly, however often the query was percent-encoded',
    [fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }), fc.integer({ min: 0, max: 2 })],
    (code, encodings) => {
      // A value in an unencoded query cannot contain `&` or `#`; servers encode them.
      const plain = encodings === 0 ? code.replace(/[&#]/g, '') : code;
      let values = [plain, secrets.state];
      for (let i = 0; i < encodings; i++) {
        values = values.map(encodeURIComponent);
      }
      const read = callbackParameters(`code=${values[0]}&state=${values[1]}`, (state) => state === secrets.state);
      assert.equal(read?.get('code'), plain);
    },
  ),
  property(
    'a server URL is either safe to send requests to or rejected as misconfigured',
    [
      fc.oneof(
        anyText,
        fc.webUrl(),
        fc.tuple(fc.constantFrom('https://', 'http://', '//', ''), anyText).map((parts) => parts.join('')),
      ),
    ],
    async (text) => {
      const url = await attempt(() => parseServerUrl(text));
      if (url !== undefined) {
        assert.ok(isSecure(url) && url.search === '' && url.hash === '' && url.username === '' && url.password === '');
      }
    },
  ),
  property(
    'names and labels are one short line without markup, labels are unique, and handles have their form',
    [fc.array(anyText, { maxLength: 60 }), anyText],
    (pieces, email) => {
      const raw = pieces.join('');
      const name = displayName(raw);
      assert.ok(Array.from(name).length <= 60);
      assert.doesNotMatch(name, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\$\(|\]\(|[<>`]/u);
      const identity = { userId: 'u', userName: raw, userEmail: email, workspaceId: 'w', workspaceName: raw };
      const labels = labelCandidates(identity, 'K3Q7X');
      assert.equal(new Set([...labels, '']).size, labels.length + 1);
      assert.ok(labels.every((label) => !/[[\]]/.test(label)));
      const { handle } = serverNames(identity, 12, 'K3Q7X');
      assert.match(handle, /^notion12-[a-z0-9]+(-[a-z0-9]+)*$/);
      assert.ok(handle.length <= 24);
    },
  ),
];
