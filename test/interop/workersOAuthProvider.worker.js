// Runs in workerd. The library provides the authorization server; this adds the consent page and the MCP endpoint.
import { OAuthProvider } from 'workers-oauth-provider';

/** @type {OAuthProvider | undefined} */
let provider;

const mcp = {
  async fetch(request, _env, context) {
    const { id } = await request.json();
    const self = { user: { id: context.props.user, name: 'Ada' }, workspace: { id: 'w-1', name: 'Wiki' } };
    return Response.json({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: JSON.stringify(self) }] } });
  },
};

const pages = {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === '/decision') {
      await env.OAUTH_KV.put('decision', await request.text());
      return new Response();
    }
    if (pathname === '/purge') {
      const { keys } = await env.OAUTH_KV.list({ prefix: 'client:' });
      await Promise.all(keys.map(({ name }) => env.OAUTH_KV.delete(name)));
      return new Response();
    }
    if (pathname !== '/authorize') {
      return new Response('<html>Not found</html>', { status: 404, headers: { 'content-type': 'text/html' } });
    }
    const authorizationRequest = await env.OAUTH_PROVIDER.parseAuthRequest(request);
    if ((await env.OAUTH_KV.get('decision')) === 'deny') {
      const denial = new URL(authorizationRequest.redirectUri);
      denial.searchParams.set('error', 'access_denied');
      denial.searchParams.set('state', authorizationRequest.state);
      // The library adds `iss` only to the redirects that it creates itself.
      denial.searchParams.set('iss', new URL(request.url).origin);
      return Response.redirect(denial.href, 302);
    }
    const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization({
      request: authorizationRequest,
      userId: 'u-1',
      metadata: {},
      scope: authorizationRequest.scope,
      props: { user: 'u-1' },
    });
    return Response.redirect(redirectTo, 302);
  },
};

export default {
  fetch(request, env, context) {
    // Created at the first request, because newer versions need the resource, whose URL contains the port.
    provider ??= new OAuthProvider({
      apiRoute: '/mcp',
      apiHandler: mcp,
      defaultHandler: pages,
      authorizeEndpoint: '/authorize',
      tokenEndpoint: '/token',
      clientRegistrationEndpoint: '/register',
      resourceMetadata: { resource: new URL('/mcp', request.url).href },
    });
    return provider.fetch(request, env, context);
  },
};
