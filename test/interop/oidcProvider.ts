import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';
import Storage from 'oidc-provider/lib/helpers/lru.js';

export interface OidcServer {
  origin: string;
  /** The address that it listens on, which is not that of the origin behind a proxy. */
  address: { host: string; port: number };
  /** The lifetime of access tokens that are issued from now on. */
  accessTokenLifeSeconds: number;
  close(): void;
  mcp: URL;
  /** What the user decides at the next consent page. */
  user: { decision: 'allow' | 'deny' };
  /** Deletes a client registration, as some authorization servers do after a time. */
  purge(clientId: string): Promise<void>;
}

/**
 * Starts `oidc-provider` (certified) with an MCP endpoint. It supports dynamic registration, resource indicators,
 * revocation and `iss`, requires PKCE, and rotates refresh tokens at every use with strict reuse detection.
 */
export async function startOidcProvider({ origin: publicOrigin }: { origin?: string } = {}): Promise<OidcServer> {
  let handle: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined;
  const server = createServer((request, response) => handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const origin = publicOrigin ?? `http://${address.host}:${address.port}`;
  const resource = `${origin}/mcp`;
  const user: OidcServer['user'] = { decision: 'allow' };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  // By default the storage keeps a thousand entries, and evicted clients would end the sign-ins of a long stress test.
  const storage = new Storage({ maxSize: 1_000_000 });
  const provider = new Provider(origin, {
    adapter: (model: string) => new MemoryAdapter(model, storage),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['a key for the cookies of this test'] },
    scopes: ['read', 'offline_access'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    ttl: {
      AccessToken: () => started.accessTokenLifeSeconds,
      AuthorizationCode: 60,
      Grant: 86_400,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 600,
    },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'read', accessTokenFormat: 'opaque' }),
      },
    },
  });
  const callback = provider.callback();

  const handleInteraction = async (request: IncomingMessage, response: ServerResponse) => {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, response, { login: { accountId: 'ada' } });
    }
    if (user.decision === 'deny') {
      const denial = { error: 'access_denied', error_description: 'Ada said no' };
      return provider.interactionFinished(request, response, denial);
    }
    const grant = new provider.Grant({ accountId: session?.accountId ?? '', clientId: String(params.client_id) });
    grant.addOIDCScope('read offline_access');
    grant.addResourceScope(resource, 'read');
    return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  };

  handle = async (request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    const json = (status: number, body: object, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
    };
    if (path === '/.well-known/oauth-protected-resource/mcp') {
      return json(200, { resource, authorization_servers: [origin], scopes_supported: ['read'] });
    }
    if (path.startsWith('/interaction/')) {
      return handleInteraction(request, response);
    }
    if (path === '/mcp') {
      const token = (request.headers.authorization ?? '').replace('Bearer ', '');
      const found = token === '' ? undefined : await provider.AccessToken.find(token);
      const isAccepted = found?.isValid === true && found.aud === resource;
      const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
      return isAccepted
        ? json(200, { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text: found.accountId }] } })
        : json(401, {}, { 'www-authenticate': `Bearer resource_metadata="${metadata}"` });
    }
    return callback(request, response);
  };
  const started: OidcServer = {
    origin,
    address,
    accessTokenLifeSeconds: 3_600,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
    mcp: new URL(resource),
    user,
    purge: (clientId) => provider.Client.adapter.destroy(clientId),
  };
  return started;
}
