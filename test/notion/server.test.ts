import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import { systemClock as clock } from '../../src/core/clock.ts';
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
  describe(`the Notion-shaped server, ${version}`, { timeout: 60_000 }, () => {
    let notion: NotionServer;

    before(async () => {
      notion = await startNotionServer({ version });
    });

    after(() => notion.close());

    const self = (tokens: Tokens) => readIdentity(http, new URL(notion.mcpUrl), tokens.accessToken);

    test('a sign-in gives tokens for the user and the workspace that were chosen', async () => {
      const { tokens } = await signIn(http, notion, { user: 'user-grace', workspace: 'workspace-notes' });
      const identity = await self(tokens);
      assert.equal(identity.userName, 'Grace Hopper');
      assert.equal(identity.workspaceName, 'Team Notes');
      assert.equal(tokens.expiresInSeconds, 3_600);
    });

    test('`resource` is in all three requests, and no secret is in the log', async () => {
      notion.log.clear();
      await renew(await signIn(http, notion));
      const named = notion.requests().filter(({ resource }) => resource !== undefined);
      assert.deepEqual(
        named.map(({ path, resource }) => [path, resource]),
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

    test('a refusal comes back as such', async () => {
      await assert.rejects(signIn(http, notion, { allow: false }), isKind('accessDenied'));
    });

    test('the replaced token is good until the new one is used; a refresh ends earlier access tokens only today', async () => {
      const first = await signIn(http, notion);
      const second = { ...first, tokens: await renew(first) };
      const works = await self(first.tokens).then(
        () => true,
        () => false,
      );
      assert.equal(works, version === 'next');
      const third = { ...first, tokens: await renew(first) };
      await self(third.tokens);
      await assert.rejects(renew(second), isKind('invalidGrant'));
      if (version === 'today') {
        await assert.rejects(self(third.tokens), 'the replay revoked the grant');
      }
    });

    test('a second consent under the same client ends the first grant', async () => {
      const first = await signIn(http, notion);
      await signIn(http, notion, { workspace: 'workspace-notes' }, first.client);
      await assert.rejects(self(first.tokens));
    });

    test('expiry, revocation and a purge do what they say', async () => {
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

    test('a sign-out revokes the grant', async () => {
      const { authorizationServer, client, tokens } = await signIn(http, notion);
      assert.ok(tokens.refreshToken);
      await revoke(http, authorizationServer, client, { token: tokens.refreshToken, hint: 'refresh_token' });
      await assert.rejects(self(tokens));
    });

    test('an access token lives as long as was asked for', async () => {
      notion.accessTokenLifeSeconds = 0;
      const { tokens } = await signIn(http, notion);
      notion.accessTokenLifeSeconds = 3_600;
      await assert.rejects(self(tokens));
    });

    test('faults are answered, dropped and held as planned, and then it is itself again', async () => {
      const signedIn = await signIn(http, notion);
      notion.fault(
        { grantType: 'refresh_token', times: 1 },
        { kind: 'answer', status: 503, body: '<html>Down</html>' },
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

    test('it can go down and come back at the same address with all it knows', async () => {
      const { tokens } = await signIn(http, notion);
      await notion.stopListening();
      await assert.rejects(self(tokens), isKind('transient'));
      await notion.listen();
      await self(tokens);
    });

    test('only today a custom scheme may be registered', async () => {
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
