import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Secret } from '../../src/core/secret.ts';
import { accountLabel } from '../../src/grants/names.ts';
import type { Http, HttpResponse } from '../../src/http/client.ts';
import { HttpFailure, type HttpFailureKind } from '../../src/http/errors.ts';
import { isSecure } from '../../src/http/url.ts';
import { displayName } from '../../src/notion/identity.ts';
import { callTool } from '../../src/notion/mcpClient.ts';
import { type PendingAuthorization, validateCallback } from '../../src/oauth/authorization.ts';
import { parseChallenge } from '../../src/oauth/challenge.ts';
import { discover } from '../../src/oauth/discovery.ts';
import { Failure } from '../../src/oauth/errors.ts';
import type { AuthorizationServer, Client } from '../../src/oauth/model.ts';
import { register } from '../../src/oauth/registration.ts';
import { revoke } from '../../src/oauth/revocation.ts';
import { parseServerUrl } from '../../src/oauth/serverUrl.ts';
import { exchange, refresh } from '../../src/oauth/token.ts';
import { callbackParameters } from '../../src/signIn/callbackQuery.ts';
import { FakeClock } from '../unit/fakeClock.ts';
import {
  anyText,
  document,
  errorResponse,
  origin,
  redirectUri,
  registrationResponse,
  response,
  secrets,
  shortSecret,
  tokenResponse,
} from './inputs.ts';

/** A property that must hold for every input. */
export interface Property {
  name: string;
  /** @throws Error with the seed and the smallest input that violates the property */
  check(inputs: number, seed: number): Promise<void>;
}

/** The time limit for one input. */
const longestMs = 2000;

const serverUrl = new URL(`${origin}/mcp`);
const clock = new FakeClock();
const server: AuthorizationServer = {
  issuer: origin,
  authorizationEndpoint: `${origin}/authorize`,
  tokenEndpoint: `${origin}/token`,
  registrationEndpoint: `${origin}/register`,
  revocationEndpoint: `${origin}/token`,
};
const client: Client = {
  clientId: 'client',
  clientSecret: new Secret(shortSecret),
  authMethod: 'client_secret_post',
};

/**
 * An `Http` that repeats `responses`: real sockets are too slow for a million responses. Records URLs in `requested`.
 */
function scripted(responses: readonly (HttpResponse | HttpFailureKind)[], requested: URL[] = []): Http {
  let next = 0;
  return async ({ url }) => {
    requested.push(url);
    const result = responses[next % responses.length];
    next += 1;
    if (result === undefined || typeof result === 'string') {
      throw new HttpFailure(result ?? 'unreachable', url.host);
    }
    return result;
  };
}

/** Returns the result, or undefined after a `Failure`, which must not contain a secret. Rethrows any other error. */
async function attempt<T>(action: () => T | Promise<T>, ...alsoSent: string[]): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Failure)) {
      throw error;
    }
    const { cause: _cause, ...details } = error.details;
    const text = `${error.message} ${error.stack} ${JSON.stringify(details)}`;
    for (const secret of [...Object.values(secrets), ...alsoSent]) {
      assert.ok(!text.includes(secret), `the failure contains ${secret}`);
    }
    assert.ok((details.serverReason ?? '').length <= 400);
    return undefined;
  }
}

function property<T extends unknown[]>(
  name: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  predicate: (...input: T) => void | Promise<void>,
): Property {
  const timed = async (...input: T) => {
    const startMs = performance.now();
    await predicate(...input);
    assert.ok(performance.now() - startMs < longestMs, 'took too long');
  };
  return {
    name,
    check: (inputs, seed) =>
      fc.assert(
        fc.asyncProperty(fc.tuple<T>(...arbitraries), (input) => timed(...input)),
        { numRuns: inputs, seed, timeout: 10_000 },
      ),
  };
}

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

const pending: PendingAuthorization = {
  url: `${origin}/authorize`,
  state: new Secret(secrets.state),
  verifier: new Secret(secrets.verifier),
  issuer: origin,
  clientId: 'client',
  redirectUri,
  resource: serverUrl.href,
};

export const properties: Property[] = [
  property('parsing a challenge never throws', [fc.array(challengePiece, { maxLength: 30 })], (pieces) => {
    const challenge = parseChallenge(pieces.join(''));
    assert.ok(challenge === undefined || Array.isArray(challenge.resourceMetadata));
  }),
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
    'discovery returns only secure endpoints, from the metadata of their issuer, and only our resource',
    [
      fc.array(
        response(
          document({
            resource: [serverUrl.href, origin, `${origin}/mcp/`],
            authorization_servers: [[origin], [`${origin}/tenant`]],
            scopes_supported: [['a'], []],
          }),
          document({
            issuer: [origin, `${origin}/`, `${origin}/tenant`],
            authorization_endpoint: [`${origin}/authorize`],
            token_endpoint: [`${origin}/token`],
            registration_endpoint: [`${origin}/register`],
            revocation_endpoint: [`${origin}/revoke`],
            code_challenge_methods_supported: [['S256'], ['plain', 'S256']],
            authorization_response_iss_parameter_supported: [true, false],
            token_endpoint_auth_methods_supported: [['none']],
          }),
        ),
        { minLength: 1, maxLength: 8 },
      ),
    ],
    async (responses) => {
      const requested: URL[] = [];
      const found = await attempt(() => discover(scripted(responses, requested), serverUrl));
      assert.ok(requested.every(isSecure) && requested.length < 20);
      if (found === undefined) {
        return;
      }
      const { authorizationServer: as, resource } = found;
      for (const endpoint of [
        as.authorizationEndpoint,
        as.tokenEndpoint,
        as.registrationEndpoint,
        as.revocationEndpoint,
      ]) {
        assert.ok(endpoint === undefined || isSecure(new URL(endpoint)), endpoint);
      }
      assert.equal(new URL(resource).origin, origin);
      assert.ok(serverUrl.href.startsWith(resource));
      // The metadata came from a well-known URL on the issuer's own origin.
      const issuer = new URL(as.issuer);
      const wellKnown = (url: URL) => url.origin === issuer.origin && url.pathname.includes('.well-known/');
      assert.ok(requested.some(wellKnown), as.issuer);
    },
  ),
  property(
    'a registration returns a client that can authenticate',
    [response(registrationResponse, errorResponse)],
    async (input) => {
      const registered = await attempt(() => register(scripted([input]), server, { redirectUri, clientName: 'x' }));
      if (registered !== undefined) {
        assert.notEqual(registered.clientId, '');
        assert.ok(registered.authMethod === 'none' || registered.clientSecret !== undefined);
      }
    },
  ),
  property(
    'a token response yields tokens that can be sent, or a failure without secrets',
    [response(tokenResponse, errorResponse), fc.boolean()],
    async (input, isExchange) => {
      const http = scripted([input]);
      const resource = serverUrl.href;
      const send = () =>
        isExchange
          ? exchange(http, server, client, {
              code: new Secret(secrets.code),
              verifier: new Secret(secrets.verifier),
              redirectUri,
              resource,
              clock,
            })
          : refresh(http, server, client, { refreshToken: new Secret(secrets.refreshToken), resource, clock });
      const tokens = await attempt(send, shortSecret);
      if (tokens !== undefined) {
        new Headers({ authorization: `Bearer ${tokens.accessToken.reveal()}` });
        assert.notEqual(tokens.accessToken.reveal(), '');
        assert.notEqual(tokens.refreshToken?.reveal(), '');
        const lifetime = tokens.expiresInSeconds;
        assert.ok(lifetime === undefined || (Number.isSafeInteger(lifetime) && lifetime > 0));
        assert.ok(tokens.scopes === undefined || tokens.scopes.length > 0);
      }
    },
  ),
  property(
    'a revocation succeeds or fails without secrets in the failure',
    [response(errorResponse)],
    async (input) => {
      const revocation = { token: new Secret(secrets.refreshToken), hint: 'refresh_token' } as const;
      await attempt(() => revoke(scripted([input]), server, client, revocation), shortSecret);
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
      const code = await attempt(() => validateCallback(pending, { ...server, issParameterSupported }, parameters));
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
    'names and labels are one short line without markup, and labels are unique',
    [fc.array(anyText, { maxLength: 60 }), anyText],
    (pieces, email) => {
      const raw = pieces.join('');
      const name = displayName(raw);
      assert.ok(Array.from(name).length <= 60);
      assert.doesNotMatch(name, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\$\(|\]\(|[<>`]/u);
      const identity = { userId: 'u', userName: raw, userEmail: email, workspaceId: 'w', workspaceName: raw };
      const first = accountLabel(identity, new Set());
      const second = accountLabel(identity, new Set([first]));
      const third = accountLabel(identity, new Set([first, second]));
      assert.equal(new Set([first, second, third, '']).size, 4);
    },
  ),
  property(
    'a tool call returns a result or a failure without secrets',
    [
      fc.array(
        response(
          document({
            jsonrpc: ['2.0'],
            id: [0, 1],
            result: [{ content: [{ type: 'text', text: 'x' }] }, { content: 7 }],
            error: [{ code: 1, message: `no ${secrets.accessToken}` }],
          }),
          errorResponse,
        ),
        { minLength: 1, maxLength: 4 },
      ),
    ],
    async (responses) => {
      const accessToken = new Secret(secrets.accessToken);
      const result = await attempt(() => callTool(scripted(responses), serverUrl, accessToken, 'x', {}));
      assert.ok(result === undefined || typeof result.text === 'string');
    },
  ),
];
