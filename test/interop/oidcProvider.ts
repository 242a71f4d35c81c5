import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import MemoryAdapter from 'oidc-provider/lib/adapters/memory_adapter.js';
import Storage from 'oidc-provider/lib/helpers/lru.js';

export interface OidcServer {
  origin: string;
  /** Where it listens, whatever it is called. */
  address: { host: string; port: number };
  /** How long access tokens live that are issued from now on. */
  accessTokenLifeSeconds: number;
  close(): void;
  mcp: URL;
  /** What the person does at the next consent page. */
  person: { answer: 'allow' | 'deny' };
  /** Forgets a client, as servers do that purge registrations. */
  purge(clientId: string): Promise<void>;
}

/**
 * `oidc-provider` (certified) behind an MCP endpoint: dynamic registration, PKCE required, refresh tokens rotated at
 * every use with strict reuse detection, resource indicators, revocation, `iss`.
 */
export async function startOidcProvider({ origin: calledFrom }: { origin?: string } = {}): Promise<OidcServer> {
  let handle: (request: IncomingMessage, response: ServerResponse) => unknown = () => undefined;
  const server = createServer((request, response) => handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const origin = calledFrom ?? `http://${address.host}:${address.port}`;
  const resource = `${origin}/mcp`;
  const person: OidcServer['person'] = { answer: 'allow' };
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  // By itself it keeps the last thousand things, and a client that it forgot ends the sign-ins of a long torture.
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

  const interact = async (request: IncomingMessage, response: ServerResponse) => {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    if (prompt.name === 'login') {
      return provider.interactionFinished(request, response, { login: { accountId: 'ada' } });
    }
    if (person.answer === 'deny') {
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
      return interact(request, response);
    }
    if (path === '/mcp') {
      const token = (request.headers.authorization ?? '').replace('Bearer ', '');
      const found = token === '' ? undefined : await provider.AccessToken.find(token);
      const good = found?.isValid === true && found.aud === resource;
      const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`;
      return good
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
    person,
    purge: (clientId) => provider.Client.adapter.destroy(clientId),
  };
  return started;
}
