import type { TestContext } from 'node:test';
import { type LoopbackServer, startServer } from './loopbackServer.ts';

export const resourceAt = '/.well-known/oauth-protected-resource';
export const serverAt = '/.well-known/oauth-authorization-server';
export const openIdAt = '/.well-known/openid-configuration';

/** A server like Notion's, with the MCP endpoint and the authorization server on one origin. */
export async function notionLike(t: TestContext): Promise<LoopbackServer & { mcp: URL }> {
  const server = await startServer(t);
  const { origin, routes } = server;
  routes[`${resourceAt}/mcp`] = { body: { resource: `${origin}/mcp`, authorization_servers: [origin] } };
  routes[serverAt] = { body: metadata(origin) };
  routes['/mcp'] = {
    status: 401,
    headers: { 'www-authenticate': `Bearer realm="OAuth", resource_metadata="${origin}${resourceAt}/mcp"` },
  };
  return { ...server, mcp: new URL(`${origin}/mcp`) };
}

/** The metadata of an authorization server. */
export function metadata(issuer: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const { origin } = new URL(issuer);
  return {
    issuer,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    revocation_endpoint: `${origin}/token`,
    code_challenge_methods_supported: ['plain', 'S256'],
    token_endpoint_auth_methods_supported: ['none', 'client_secret_basic'],
    ...more,
  };
}
