import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Account } from '../../../src/accounts/registry.ts';
import { type ClientQuestion, confirmClientUse } from '../../../src/signIn/configuredClient.ts';
import type { SignInParts } from '../../../src/signIn/signIn.ts';
import { metadata, resourceAt, serverAt } from '../oauth/notionLike.ts';
import { SignInUnderTest } from './signInUnderTest.ts';

const clientId = 'mine';
const clientMetadataUrl = 'https://client.example/metadata.json';

/** A window with a configured client, whose user responds to each question with `confirms`. */
async function start(t: TestContext, id = clientId) {
  const issuers = new Map<string, string>();
  const parts: Partial<SignInParts> = { configuredClient: () => ({ clientId: id }), clientIssuers: issuers };
  const signIn = await SignInUnderTest.start(t, parts);
  const { origin, routes } = signIn.server;
  routes[serverAt] = { body: metadata(origin, { client_id_metadata_document_supported: true }) };
  const questions: ClientQuestion[] = [];
  const run = (confirms = true) =>
    signIn.run({
      confirmClient: async (question) => {
        questions.push(question);
        return confirms;
      },
    });
  /** Makes the MCP server name another authorization server, as one that was taken over may. */
  const moveTo = (path: string): string => {
    const issuer = `${origin}/${path}`;
    routes[`${resourceAt}/mcp`] = { body: { resource: `${origin}/mcp`, authorization_servers: [issuer] } };
    routes[`${serverAt}/${path}`] = { body: metadata(issuer, { client_id_metadata_document_supported: true }) };
    return issuer;
  };
  return { signIn, issuers, questions, run, moveTo, origin, routes };
}

const asked = ({ openedUrls }: SignInUnderTest) => openedUrls.map((url) => new URL(url).searchParams.get('client_id'));

test('A10: a configured client id is bound to the authorization server of its first successful sign-in', async (t) => {
  const { signIn, issuers, questions, run, origin } = await start(t);
  await run();
  assert.deepEqual([...issuers], [[clientId, origin]]);
  assert.deepEqual(questions, []);
  assert.deepEqual(asked(signIn), [clientId]);
});

test('A10: a configured client id is not bound by a sign-in that fails', async (t) => {
  const { issuers, run, routes } = await start(t);
  routes['/token'] = { status: 401, body: { error: 'invalid_client' } };
  await assert.rejects(run(), { kind: 'invalidClient' });
  assert.deepEqual([...issuers], []);
});

test('A10: a configured client id is used at another authorization server only after a question that names both', async (t) => {
  const { signIn, issuers, questions, run, moveTo, origin } = await start(t);
  issuers.set(clientId, origin);
  const issuer = moveTo('other');
  await assert.rejects(run(false), { kind: 'cancelled', message: /client_declined/ });
  await signIn.closed;
  assert.deepEqual(questions, [{ kind: 'otherIssuer', clientId, knownIssuer: origin, issuer }]);
  assert.deepEqual(asked(signIn), []);
  assert.equal(issuers.get(clientId), origin);
  await run(true);
  assert.deepEqual(asked(signIn), [clientId]);
  assert.equal(issuers.get(clientId), issuer);
});

test('A10: one more or less trailing slash makes another authorization server', async (t) => {
  const { issuers, questions, run, origin } = await start(t);
  issuers.set(clientId, `${origin}/`);
  await run();
  assert.equal(questions.length, 1);
});

test('A7: the URL of a client metadata document is used at every authorization server without a question', async (t) => {
  const { signIn, issuers, questions, run, moveTo, origin } = await start(t, clientMetadataUrl);
  issuers.set(clientMetadataUrl, origin);
  moveTo('other');
  await run();
  assert.deepEqual(questions, []);
  assert.deepEqual(asked(signIn), [clientMetadataUrl]);
});

test('before a configured client is used again, a question names the account whose sign-in that may end', async (t) => {
  const { signIn, questions, run } = await start(t);
  await run();
  await assert.rejects(run(false), { kind: 'cancelled', message: /client_declined/ });
  assert.deepEqual(questions, [{ kind: 'clientInUse', clientId, labels: signIn.window.labels }]);
  assert.equal(asked(signIn).length, 1);
  await run(true);
  assert.equal(asked(signIn).length, 2);
});

test('a configured client is used again without a question once its account is signed out', async (t) => {
  const { signIn, questions, run } = await start(t);
  await run();
  const { grant } = signIn.window.only();
  await signIn.window.accounts.signOut(grant.id);
  await run();
  assert.deepEqual(questions, []);
});

test('a configured client is used without a question if only accounts that need a sign-in anyway, or of other servers or clients, have it', async () => {
  const issuer = 'https://as.example';
  const grant = { client: { clientId }, authorizationServer: { issuer } };
  const grants = [
    { ...grant, needsSignIn: { reason: 'invalidGrant', atMs: 0 } },
    { ...grant, authorizationServer: { issuer: 'https://other.example' } },
    { ...grant, client: { clientId: 'other' } },
  ];
  await confirmClientUse({ clientId }, issuer, {
    clientIssuers: new Map(),
    accounts: { list: () => grants.map((each) => ({ grant: each }) as unknown as Account) },
    confirmClient: async () => assert.fail('the client was to be confirmed'),
  });
});
