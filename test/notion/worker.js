// Runs in workerd: the library that Notion builds on. What Notion adds to it is in authorizationServer.ts, which calls
// this worker and gets JSON for what the library leaves to its application: a valid authorization request, a consent,
// and the account of a valid access token.
import { OAuthProvider } from 'workers-oauth-provider';

const application = {
  async fetch(request, { OAUTH_PROVIDER: oauth }) {
    if (request.method === 'POST') {
      const { authorization, account } = await request.json();
      return Response.json(
        await oauth.completeAuthorization({
          request: authorization,
          userId: account.user,
          metadata: account,
          scope: authorization.scope.length > 0 ? authorization.scope : optionsOf(request).scopes,
          props: account,
        }),
      );
    }
    try {
      const authorization = await oauth.parseAuthRequest(request);
      const { clientName } = await oauth.lookupClient(authorization.clientId);
      return Response.json({ authorization, clientName });
    } catch {
      return new Response(null, { status: 400 });
    }
  },
};

const mcp = {
  fetch: (_request, _env, { props }) => Response.json(props, { headers: { 'x-authenticated': 'yes' } }),
};

function optionsOf(request) {
  return JSON.parse(request.headers.get('x-options'));
}

export default {
  fetch(request, { OAUTH_KV }, context) {
    const { origin, pathname } = new URL(request.url);
    const { scopes, refreshToken } = optionsOf(request);
    const provider = new OAuthProvider({
      apiRoute: '/mcp',
      apiHandler: mcp,
      defaultHandler: application,
      authorizeEndpoint: '/authorize',
      tokenEndpoint: '/token',
      clientRegistrationEndpoint: '/register',
      ...(scopes.length > 0 && { scopesSupported: scopes }),
      ...(refreshToken === 'none' && { refreshTokenTTL: 0 }),
      clientIdMetadataDocumentEnabled: true,
      // No identity provider is trusted, so every assertion is refused.
      enterpriseManagedAuthorization: {
        trustedIssuers: async () => null,
        mapClaims: async () => null,
        allowPublicClients: true,
      },
      resourceMetadata: {
        // The document at the root names the origin, the one for /mcp the MCP endpoint (reported).
        resource: pathname === '/.well-known/oauth-protected-resource' ? origin : `${origin}/mcp`,
        resource_name: 'Notion MCP (Beta)',
        ...(scopes.length > 0 && { scopes_supported: scopes }),
      },
      onError: () => undefined,
    });
    return provider.fetch(request, { OAUTH_KV }, context);
  },
};
