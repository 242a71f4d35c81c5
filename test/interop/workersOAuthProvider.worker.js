// Runs in workerd. The authorization server is the library's; here are only its consent page and its MCP endpoint.
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
    if (pathname === '/person') {
      await env.OAUTH_KV.put('person', await request.text());
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
    const asked = await env.OAUTH_PROVIDER.parseAuthRequest(request);
    if ((await env.OAUTH_KV.get('person')) === 'deny') {
      const refusal = new URL(asked.redirectUri);
      refusal.searchParams.set('error', 'access_denied');
      refusal.searchParams.set('state', asked.state);
      // The library names itself only in the answers that it makes.
      refusal.searchParams.set('iss', new URL(request.url).origin);
      return Response.redirect(refusal.href, 302);
    }
    const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization({
      request: asked,
      userId: 'u-1',
      metadata: {},
      scope: asked.scope,
      props: { user: 'u-1' },
    });
    return Response.redirect(redirectTo, 302);
  },
};

export default {
  fetch(request, env, context) {
    // Made at the first request: newer versions want to know the resource, and with it the port.
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
