import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import { systemClock as clock } from '../../src/core/clock.ts';
import { withBearer } from '../../src/http/bearer.ts';
import { readIdentity } from '../../src/notion/identity.ts';
import { discover } from '../../src/oauth/discovery.ts';
import { Failure } from '../../src/oauth/errors.ts';
import type { Tokens } from '../../src/oauth/model.ts';
import { register } from '../../src/oauth/registration.ts';
import { revoke } from '../../src/oauth/revocation.ts';
import { refresh } from '../../src/oauth/token.ts';
import { type NotionServer, startNotionServer } from './server.ts';
import { type SignedIn, signIn } from './signIn.ts';

const http = createPlatformHttp({ userAgent: 'test' });

function renew({ authorizationServer, client, resource, tokens }: SignedIn): Promise<Tokens> {
  assert.ok(tokens.refreshToken);
  return refresh(http, authorizationServer, client, { refreshToken: tokens.refreshToken, resource, clock });
}

const isKind = (kind: Failure['kind']) => (error: unknown) => error instanceof Failure && error.kind === kind;

for (const version of ['today', 'next'] as const) {
  describe(`the Notion-shaped server with the library version “${version}”`, () => {
    let notion: NotionServer;

    before(async () => {
      notion = await startNotionServer({ version });
    });

    after(() => notion.close());

    const self = (tokens: Tokens) => readIdentity(withBearer(http, tokens.accessToken), new URL(notion.mcpUrl));

    test('a sign-in at the Notion-shaped server yields tokens for the chosen user and workspace', async () => {
      const { tokens } = await signIn(http, notion, { user: 'user-grace', workspace: 'workspace-notes' });
      const identity = await self(tokens);
      assert.equal(identity.userName, 'Grace Hopper');
      assert.equal(identity.workspaceName, 'Team Notes');
      assert.equal(tokens.expiresInSeconds, 3_600);
    });

    test('all three OAuth requests of a sign-in and a refresh carry `resource`, and the request log contains no secret', async () => {
      notion.log.clear();
      await renew(await signIn(http, notion));
      const requestsWithResource = notion.requests().filter(({ resource }) => resource !== undefined);
      assert.deepEqual(
        requestsWithResource.map(({ path, resource }) => [path, resource]),
        [
          ['/authorize', notion.mcpUrl],
          ['/token', notion.mcpUrl],
          ['/token', notion.mcpUrl],
        ],
      );
      const log = JSON.stringify(notion.requests());
      assert.ok(notion.issuedSecrets().length > 0);
      assert.ok(notion.issuedSecrets().every((secret) => !log.includes(secret)));
    });

    test('denying access on the consent page fails the sign-in as accessDenied', async () => {
      await assert.rejects(signIn(http, notion, { allow: false }), isKind('accessDenied'));
    });

    test('a replaced refresh token is valid until the new one is used, and a refresh ends earlier access tokens', async () => {
      notion.profile.refreshGraceSeconds = 0;
      const first = await signIn(http, notion);
      const second = { ...first, tokens: await renew(first) };
      await assert.rejects(self(first.tokens));
      const third = { ...first, tokens: await renew(first) };
      await self(third.tokens);
      await assert.rejects(renew(second), isKind('invalidGrant'));
      await assert.rejects(self(third.tokens), 'the replay revoked the grant');
    });

    test('a second consent for the same client ends the first grant', async () => {
      const first = await signIn(http, notion);
      await signIn(http, notion, { workspace: 'workspace-notes' }, first.client);
      await assert.rejects(self(first.tokens));
    });

    test('tests can expire access tokens, revoke grants and purge clients', async () => {
      const { tokens, ...rest } = await signIn(http, notion);
      await notion.expireAccessTokens({ user: 'user-ada' });
      await assert.rejects(self(tokens));
      const renewed = { ...rest, tokens: await renew({ ...rest, tokens }) };
      await self(renewed.tokens);
      await notion.revokeGrants();
      await assert.rejects(renew(renewed), isKind('invalidGrant'));
      const again = await signIn(http, notion);
      await notion.purgeClients();
      await assert.rejects(renew(again), isKind('invalidClient'));
    });

    test('revoking the refresh token ends the grant', async () => {
      const { authorizationServer, client, tokens } = await signIn(http, notion);
      assert.ok(tokens.refreshToken);
      await revoke(http, authorizationServer, client, { token: tokens.refreshToken, hint: 'refresh_token' });
      await assert.rejects(self(tokens));
    });

    test('tests can set the lifetime of access tokens', async () => {
      notion.profile.accessTokenLifeSeconds = 0;
      const { tokens } = await signIn(http, notion);
      notion.profile.accessTokenLifeSeconds = 3_600;
      await assert.rejects(self(tokens));
    });

    test('the Notion-shaped server injects response, drop and hold faults as planned, and then works normally', async () => {
      const signedIn = await signIn(http, notion);
      notion.fault(
        { grantType: 'refresh_token', times: 1 },
        { kind: 'respond', status: 503, body: '<html>Down</html>' },
      );
      await assert.rejects(renew(signedIn), isKind('transient'));
      notion.fault({ grantType: 'refresh_token', times: 1 }, { kind: 'drop', when: 'after' });
      await assert.rejects(renew(signedIn), isKind('transient'));
      const hold = notion.hold({ grantType: 'refresh_token' });
      const renewing = renew(signedIn);
      await hold.held;
      hold.release();
      await renewing;
    });

    test('the Notion-shaped server can go down and come back at the same address with all its data', async () => {
      const { tokens } = await signIn(http, notion);
      await notion.stopListening();
      await assert.rejects(self(tokens), isKind('transient'));
      await notion.listen();
      await self(tokens);
    });

    test('only version “today” accepts a redirect URI with a custom scheme at registration', async () => {
      const { authorizationServer } = await discover(http, new URL(notion.mcpUrl));
      const registering = register(http, authorizationServer, {
        redirectUri: 'vscode://seedling.notion-mcp-auth/callback',
        clientName: 'Test',
      });
      if (version === 'today') {
        await registering;
      } else {
        await assert.rejects(registering, isKind('serverRejected'));
      }
    });
  });
}
