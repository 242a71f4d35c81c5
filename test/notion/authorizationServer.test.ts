import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import { discover } from '../../src/oauth/discovery.ts';
import { approve } from './approve.ts';
import { defaultProfile, type Profile } from './profile.ts';
import { type NotionServer, startNotionServer } from './server.ts';

const http = createPlatformHttp({ userAgent: 'test' });
const loopback = 'http://127.0.0.1:50123/callback';
const vscode = 'vscode://seedling.notion-mcp-auth/callback';

describe('the authorization server of the Notion-shaped server', () => {
  let notion: NotionServer;

  before(async () => {
    notion = await startNotionServer({ version: 'today' });
  });
  after(() => notion.close());
  beforeEach(() => {
    Object.assign(notion.profile, defaultProfile);
    notion.log.clear();
  });

  const get = (path: string) => fetch(notion.origin + path, { redirect: 'manual' });

  async function json(path: string): Promise<Record<string, unknown>> {
    return (await (await get(path)).json()) as Record<string, unknown>;
  }

  async function register(metadata: object): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(`${notion.origin}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Test', ...metadata }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  function authorizeUrl(clientId: string, redirectUri: string): string {
    const parameters = { response_type: 'code', client_id: clientId, redirect_uri: redirectUri, state: 'our+state=' };
    return `${notion.origin}/authorize?${new URLSearchParams(parameters)}`;
  }

  const authorizePage = (clientId: string, redirectUri: string) =>
    fetch(authorizeUrl(clientId, redirectUri), { redirect: 'manual' });

  test('the resource metadata of /mcp names the MCP endpoint, and that at the root names the origin', async () => {
    const common = {
      authorization_servers: [notion.origin],
      scopes_supported: ['default'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notion MCP (Beta)',
    };
    assert.deepEqual(await json('/.well-known/oauth-protected-resource/mcp'), { resource: notion.mcpUrl, ...common });
    assert.deepEqual(await json('/.well-known/oauth-protected-resource'), { resource: notion.origin, ...common });
    notion.profile.scopes = [];
    assert.equal((await json('/.well-known/oauth-protected-resource/mcp')).scopes_supported, undefined);
    assert.equal((await json('/.well-known/oauth-authorization-server')).scopes_supported, undefined);
  });

  test('the authorization server metadata has the members and values that clients recorded', async () => {
    const { origin } = notion;
    assert.deepEqual(await json('/.well-known/oauth-authorization-server'), {
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
      revocation_endpoint: `${origin}/token`,
      scopes_supported: ['default'],
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
      code_challenge_methods_supported: ['plain', 'S256'],
      client_id_metadata_document_supported: true,
    });
  });

  test('there is no OpenID configuration', async () => {
    assert.equal((await get('/.well-known/openid-configuration')).status, 404);
  });

  test('a request without a token and one with an unknown token get the library’s challenges', async () => {
    const challenge = `Bearer realm="OAuth", resource_metadata="${notion.origin}/.well-known/oauth-protected-resource/mcp", error="invalid_token"`;
    const without = await fetch(notion.mcpUrl, { method: 'POST' });
    assert.equal(without.status, 401);
    const description = 'Missing or invalid access token';
    assert.equal(without.headers.get('www-authenticate'), `${challenge}, error_description="${description}"`);
    assert.deepEqual(await without.json(), { error: 'invalid_token', error_description: description });
    const unknown = await fetch(notion.mcpUrl, { method: 'POST', headers: { authorization: 'Bearer a:b:c' } });
    assert.equal(unknown.status, 401);
    assert.equal(unknown.headers.get('www-authenticate'), challenge);
  });

  test('a registration gets status 201 and makes a confidential client unless it asks for the method none', async () => {
    const confidential = await register({ redirect_uris: [loopback] });
    assert.equal(confidential.status, 201);
    assert.equal(confidential.body.token_endpoint_auth_method, 'client_secret_basic');
    assert.equal(typeof confidential.body.client_secret, 'string');
    const open = await register({ redirect_uris: [loopback], token_endpoint_auth_method: 'none' });
    assert.equal(open.status, 201);
    assert.equal(open.body.client_secret, undefined);
    assert.deepEqual(open.body.redirect_uris, [loopback]);
    assert.equal(typeof open.body.client_id_issued_at, 'number');
  });

  test('Basic authentication together with a client_id in the body is refused with status 400', async () => {
    const { client_id: id, client_secret: secret } = (await register({ redirect_uris: [loopback] })).body;
    const response = await fetch(`${notion.origin}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
      body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: 'a:b:c', client_id: String(id) }),
    });
    assert.equal(response.status, 400);
    assert.equal(((await response.json()) as { error: string }).error, 'invalid_request');
  });

  test('a redirect URI has to match exactly, except for the port of a loopback address', async () => {
    const uris = ['https://app.example/callback?a=1', 'http://127.0.0.1:1/callback', `${vscode}?windowId=1`];
    const { client_id: id } = (await register({ redirect_uris: uris })).body;
    const statusFor = async (uri: string) => (await authorizePage(String(id), uri)).status;
    assert.equal(await statusFor('https://app.example/callback?a=1'), 200);
    assert.equal(await statusFor('https://app.example/callback?a=2'), 400);
    assert.equal(await statusFor('http://127.0.0.1:2/callback'), 200);
    assert.equal(await statusFor('http://localhost:1/callback'), 400);
    assert.equal(await statusFor('http://127.0.0.1:1/other'), 400);
    assert.equal(await statusFor(`${vscode}?windowId=1`), 200);
    assert.equal(await statusFor(`${vscode}?windowId=2`), 400);
  });

  test('a redirect URI with a custom scheme can be registered unless the profile refuses it', async () => {
    assert.equal((await register({ redirect_uris: [vscode] })).status, 201);
    notion.profile.customSchemes = 'refused';
    assert.deepEqual(await register({ redirect_uris: [vscode] }), {
      status: 400,
      body: {
        error: 'invalid_client_metadata',
        error_description: 'Redirect URI must use https, or http on a loopback host',
      },
    });
    assert.equal((await register({ redirect_uris: [loopback] })).status, 201);
  });

  test('the authorize page of a purged client is an error page without a redirect', async () => {
    const { client_id: id } = (await register({ redirect_uris: [loopback] })).body;
    await notion.purgeClients();
    const page = await authorizePage(String(id), loopback);
    assert.equal(page.status, 400);
    assert.equal(page.headers.get('location'), null);
    assert.match(await page.text(), /Invalid authorization request/);
  });

  test('the consent is posted to /callback with the authorization request as base64 of JSON', async () => {
    const { client_id: id } = (await register({ redirect_uris: [loopback] })).body;
    const page = await (await authorizePage(String(id), loopback)).text();
    const action = new URL(/action="([^"]+)"/.exec(page)?.[1] ?? '', notion.origin);
    assert.equal(action.pathname, '/callback');
    const state = JSON.parse(Buffer.from(action.searchParams.get('state') ?? '', 'base64').toString());
    assert.deepEqual([state.clientId, state.redirectUri, state.state], [id, loopback, 'our+state=']);
    const response = await fetch(action, {
      method: 'POST',
      body: new URLSearchParams({ user: 'user-ada', workspace: 'workspace-wiki', decision: 'allow' }),
      redirect: 'manual',
    });
    const location = new URL(response.headers.get('location') ?? '');
    assert.equal(location.origin + location.pathname, loopback);
    assert.equal(location.searchParams.get('state'), 'our+state=');
    assert.match(location.searchParams.get('code') ?? '', /^user-ada:[^:]+:[^:]+$/);
    assert.equal((await fetch(`${notion.origin}/callback?state=%%%`, { method: 'POST' })).status, 400);
  });

  test('a user or client that may not connect is redirected with access_denied and a description', async () => {
    const { client_id: id } = (await register({ redirect_uris: [loopback] })).body;
    const denial = async (admission: Profile['admission']): Promise<URLSearchParams> => {
      notion.profile.admission = admission;
      return (await approve(authorizeUrl(String(id), loopback))).searchParams;
    };
    const member = await denial('membersOnly');
    assert.deepEqual([member.get('error'), member.get('state')], ['access_denied', 'our+state=']);
    assert.match(member.get('error_description') ?? '', /upgrade you to a member/);
    const client = await denial('clientNotAllowed');
    assert.equal(client.get('error'), 'access_denied');
    assert.match(client.get('error_description') ?? '', /admin has not approved/);
  });

  test('discovery finds the authorization server with three requests', async () => {
    const { resource, authorizationServer, scopes } = await discover(http, new URL(notion.mcpUrl));
    assert.deepEqual([resource, authorizationServer.issuer, scopes], [notion.mcpUrl, notion.origin, ['default']]);
    assert.equal(notion.requests().length, 3);
  });
});
