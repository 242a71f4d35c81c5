import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import { systemClock as clock } from '../../src/core/clock.ts';
import { withBearer } from '../../src/http/bearer.ts';
import { readIdentity } from '../../src/notion/identity.ts';
import { Failure } from '../../src/oauth/errors.ts';
import type { Tokens } from '../../src/oauth/model.ts';
import { refresh } from '../../src/oauth/token.ts';
import { FakeClock } from '../unit/fakeClock.ts';
import { defaultProfile } from './profile.ts';
import { type NotionServer, startNotionServer } from './server.ts';
import { type SignedIn, signIn } from './signIn.ts';

const http = createPlatformHttp({ userAgent: 'test' });
const time = new FakeClock(Date.now());

/** Refreshes with the tokens of `signedIn`. */
async function renew(signedIn: SignedIn): Promise<SignedIn> {
  const { authorizationServer, client, resource, tokens } = signedIn;
  assert.ok(tokens.refreshToken);
  const { refreshToken } = tokens;
  return { ...signedIn, tokens: await refresh(http, authorizationServer, client, { refreshToken, resource, clock }) };
}

const isFailure = (kind: Failure['kind'], reason: string) => (error: unknown) =>
  error instanceof Failure && error.kind === kind && error.details.serverReason === reason;

describe('the tokens of the Notion-shaped server', () => {
  let notion: NotionServer;

  before(async () => {
    notion = await startNotionServer({ version: 'today', nowMs: () => time.nowMs() });
  });
  after(() => notion.close());
  beforeEach(() => {
    Object.assign(notion.profile, defaultProfile);
  });

  const self = ({ accessToken }: Tokens) => readIdentity(withBearer(http, accessToken), new URL(notion.mcpUrl));

  /** The token endpoint's response as it is sent. */
  async function tokenResponse(form: Record<string, string>): Promise<{ status: number; body: object }> {
    const response = await fetch(`${notion.origin}/token`, { method: 'POST', body: new URLSearchParams(form) });
    return { status: response.status, body: (await response.json()) as object };
  }

  async function rawRefresh({ client, tokens, resource }: SignedIn): Promise<{ status: number; body: object }> {
    return tokenResponse({
      grant_type: 'refresh_token',
      refresh_token: tokens.refreshToken?.reveal() ?? '',
      client_id: client.clientId,
      resource,
    });
  }

  test('a token response has a lower-case token type, a lifetime and tokens with colons, and no identity', async () => {
    const { status, body } = await rawRefresh(await signIn(http, notion));
    assert.equal(status, 200);
    const { access_token: accessToken, refresh_token: refreshToken, ...rest } = body as Record<string, unknown>;
    assert.deepEqual(rest, { token_type: 'bearer', expires_in: 3_600, scope: 'default', resource: notion.mcpUrl });
    for (const token of [accessToken, refreshToken]) {
      assert.match(String(token), /^[^:]+:[^:]+:[^:]+$/);
    }
    notion.profile.scopes = [];
    const withoutScopes = await signIn(http, notion);
    assert.equal(withoutScopes.tokens.scopes, undefined);
  });

  test('the token endpoint tells a purged client that it was not found', async () => {
    const signedIn = await signIn(http, notion);
    await notion.purgeClients();
    assert.deepEqual(await rawRefresh(signedIn), {
      status: 401,
      body: { error: 'invalid_client', error_description: 'Client not found' },
    });
  });

  test('an enterprise assertion of an unknown issuer is refused as an invalid grant', async () => {
    const { client } = await signIn(http, notion);
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: 'https://idp.example', sub: 'ada', aud: notion.origin, client_id: client.clientId, jti: '1' };
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const assertion = [
      part({ typ: 'oauth-id-jag+jwt', alg: 'RS256' }),
      part({ ...claims, iat: nowSeconds, exp: nowSeconds + 60 }),
      part({}),
    ].join('.');
    const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
    assert.deepEqual(await tokenResponse({ grant_type: grantType, assertion, client_id: client.clientId }), {
      status: 400,
      body: { error: 'invalid_grant', error_description: 'Invalid assertion' },
    });
  });

  test('the reuse of an older refresh token is rejected, and revokes the grant once its grace period is over', async () => {
    const first = await signIn(http, notion);
    const second = await renew(first);
    const third = await renew(second);
    await assert.rejects(renew(first), isFailure('invalidGrant', 'Invalid refresh token'));
    await self(third.tokens);
    time.advance(60_000);
    await assert.rejects(renew(first), isFailure('invalidGrant', 'OAuth grant revoked'));
    await assert.rejects(self(third.tokens));
    await assert.rejects(renew(third), isFailure('invalidGrant', 'Grant not found'));
  });

  test('the previous refresh token stays valid after the grace period, as long as the new one is not used', async () => {
    const first = await signIn(http, notion);
    await renew(first);
    time.advance(60 * 60_000);
    await self((await renew(first)).tokens);
  });

  test('with strict detection the first reuse of a refresh token revokes the grant', async () => {
    notion.profile.refreshReuse = 'strict';
    const first = await signIn(http, notion);
    const second = await renew(first);
    await assert.rejects(renew(first), isFailure('invalidGrant', 'OAuth grant revoked'));
    await assert.rejects(self(second.tokens));
  });

  test('a profile can keep earlier access tokens valid at a refresh', async () => {
    notion.profile.refreshEndsAccessTokens = false;
    const first = await signIn(http, notion);
    await renew(first);
    await self(first.tokens);
  });

  test('an enterprise profile issues tokens of eight hours without a refresh token', async () => {
    Object.assign(notion.profile, { refreshToken: 'none', accessTokenLifeSeconds: 28_800, scopes: [] });
    const { tokens } = await signIn(http, notion);
    assert.equal(tokens.refreshToken, undefined);
    assert.equal(tokens.expiresInSeconds, 28_800);
    await self(tokens);
    time.advance(28_800_000);
    await assert.rejects(self(tokens), /invalid_token/);
  });

  test('what was issued a moment ago can be unknown for some requests or for some time', async () => {
    notion.profile.unknownAtFirst = { accessToken: { requests: 1 }, refreshToken: { ms: 30_000 } };
    const signedIn = await signIn(http, notion);
    await assert.rejects(self(signedIn.tokens), /invalid_token/);
    await self(signedIn.tokens);
    await assert.rejects(renew(signedIn), isFailure('invalidGrant', 'Grant not found'));
    time.advance(30_000);
    await renew(signedIn);
    notion.profile.unknownAtFirst = { client: { requests: 1 } };
    await assert.rejects(signIn(http, notion), isFailure('invalidClient', 'Client not found'));
  });
});
