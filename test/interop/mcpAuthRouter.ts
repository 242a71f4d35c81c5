import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { InvalidGrantError, InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import type { AuthorizationParams, OAuthServerProvider } from '@modelcontextprotocol/sdk/server/auth/provider.js';
import { mcpAuthRouter } from '@modelcontextprotocol/sdk/server/auth/router.js';
import type { OAuthClientInformationFull, OAuthTokens } from '@modelcontextprotocol/sdk/shared/auth.js';
import express from 'express';

export interface SdkServer {
  mcp: URL;
  /** What the user decides at the next consent page. */
  user: { decision: 'allow' | 'deny' };
  clients: Map<string, OAuthClientInformationFull>;
  /** The `resource` parameter of each request that had one. */
  resources: string[];
}

/**
 * Starts the authorization router of the official SDK with an in-memory provider. The SDK determines the metadata (issuer
 * with a trailing slash), the status 400 of `invalid_client`, the HTML 404s, and the 429 with `Retry-After: 3600` after
 * 20 registrations.
 */
export async function startSdkServer(t: TestContext): Promise<SdkServer> {
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const mcp = new URL(`${origin}/mcp`);
  const user: SdkServer['user'] = { decision: 'allow' };
  const provider = new MemoryProvider(user);
  app.use(mcpAuthRouter({ provider, issuerUrl: new URL(origin), baseUrl: new URL(origin), resourceServerUrl: mcp }));
  const resourceMetadataUrl = `${origin}/.well-known/oauth-protected-resource/mcp`;
  app.post('/mcp', requireBearerAuth({ verifier: provider, resourceMetadataUrl }), (_request, response) => {
    response.json({ jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: 'ada' }] } });
  });
  return { mcp, user, clients: provider.clients, resources: provider.resources };
}

class MemoryProvider implements OAuthServerProvider {
  readonly clients = new Map<string, OAuthClientInformationFull>();
  readonly resources: string[] = [];
  readonly #codes = new Map<string, { challenge: string; clientId: string }>();
  readonly #accessTokens = new Map<string, string>();
  readonly #refreshTokens = new Map<string, string>();
  readonly #user: SdkServer['user'];

  constructor(user: SdkServer['user']) {
    this.#user = user;
  }

  readonly clientsStore = {
    getClient: (id: string) => this.clients.get(id),
    registerClient: (client: Omit<OAuthClientInformationFull, 'client_id' | 'client_id_issued_at'>) => {
      const registered = { ...client, client_id: randomUUID(), client_id_issued_at: Math.floor(Date.now() / 1000) };
      this.clients.set(registered.client_id, registered);
      return registered;
    },
  };

  async authorize(
    client: OAuthClientInformationFull,
    { redirectUri, state, codeChallenge, resource }: AuthorizationParams,
    response: express.Response,
  ): Promise<void> {
    this.#recordResource(resource);
    const target = new URL(redirectUri);
    target.searchParams.set('state', state ?? '');
    if (this.#user.decision === 'deny') {
      target.searchParams.set('error', 'access_denied');
    } else {
      const code = randomUUID();
      this.#codes.set(code, { challenge: codeChallenge, clientId: client.client_id });
      target.searchParams.set('code', code);
    }
    response.redirect(target.href);
  }

  async challengeForAuthorizationCode(_client: OAuthClientInformationFull, code: string): Promise<string> {
    const found = this.#codes.get(code);
    if (found === undefined) {
      throw new InvalidGrantError('unknown code');
    }
    return found.challenge;
  }

  async exchangeAuthorizationCode(
    client: OAuthClientInformationFull,
    code: string,
    _verifier?: string,
    _redirectUri?: string,
    resource?: URL,
  ): Promise<OAuthTokens> {
    this.#recordResource(resource);
    this.#codes.delete(code);
    return this.#issue(client.client_id);
  }

  async exchangeRefreshToken(
    client: OAuthClientInformationFull,
    refreshToken: string,
    _scopes?: string[],
    resource?: URL,
  ): Promise<OAuthTokens> {
    this.#recordResource(resource);
    if (!this.#refreshTokens.delete(refreshToken)) {
      throw new InvalidGrantError('unknown refresh token');
    }
    return this.#issue(client.client_id);
  }

  async verifyAccessToken(token: string) {
    const clientId = this.#accessTokens.get(token);
    if (clientId === undefined) {
      throw new InvalidTokenError('unknown token');
    }
    return { token, clientId, scopes: [], expiresAt: Math.floor(Date.now() / 1000) + 60 };
  }

  async revokeToken(_client: OAuthClientInformationFull, { token }: { token: string }): Promise<void> {
    this.#refreshTokens.delete(token);
    this.#accessTokens.clear();
  }

  #recordResource(resource: URL | undefined): void {
    if (resource !== undefined) {
      this.resources.push(resource.href);
    }
  }

  #issue(clientId: string): OAuthTokens {
    const [access, refresh] = [randomUUID(), randomUUID()];
    this.#accessTokens.set(access, clientId);
    this.#refreshTokens.set(refresh, clientId);
    return { access_token: access, token_type: 'bearer', expires_in: 3600, scope: '', refresh_token: refresh };
  }
}
