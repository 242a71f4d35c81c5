// Runs in workerd. The library implements the authorization server; this file adds the consent page and the MCP
// endpoint.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { OAuthProvider } from 'workers-oauth-provider';
import { z } from 'zod';
import { consentPage, messagePage } from './consentPage.js';

/** @type {OAuthProvider | undefined} */
let provider;

/** The users and workspaces, which the HTTP front end sends with each request. */
function directoryIn(request) {
  return JSON.parse(decodeURIComponent(request.headers.get('x-directory') ?? '%7B%7D'));
}

const mcp = {
  async fetch(request, _env, context) {
    if (request.method !== 'POST') {
      return new Response(null, { status: 405, headers: { allow: 'POST' } });
    }
    const directory = directoryIn(request);
    const user = directory.users.find(({ id }) => id === context.props.user);
    const workspace = directory.workspaces.find(({ id }) => id === context.props.workspace);
    const server = new McpServer({ name: 'notion-shaped-test-server', version: '1.0.0' });
    const text = (value) => ({ content: [{ type: 'text', text: value }] });
    server.registerTool(
      'notion-fetch',
      { description: 'Fetches a page, or says who you are.', inputSchema: { id: z.string() } },
      ({ id }) => {
        if (id !== 'self') {
          const page = workspace.pages.find((each) => each.id === id);
          return page === undefined
            ? { ...text(`There is no page ${id} in this workspace.`), isError: true }
            : text(`# ${page.title}\n\n${page.text}`);
        }
        if (directory.identityFails) {
          return { ...text('Something went wrong.'), isError: true };
        }
        const { pages: _, ...named } = workspace;
        const current_tool_access = {
          'notion-fetch': { status: 'available' },
          'notion-search': { status: 'available_with_limit' },
        };
        return text(JSON.stringify({ workspace: named, user: { ...user, type: 'person' }, current_tool_access }));
      },
    );
    server.registerTool(
      'notion-search',
      { description: 'Searches the workspace.', inputSchema: { query: z.string() } },
      ({ query }) => {
        const found = workspace.pages.filter(({ title }) => title.toLowerCase().includes(query.toLowerCase()));
        return text(JSON.stringify(found.map(({ id, title }) => ({ id, title }))));
      },
    );
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: true });
    await server.connect(transport);
    return transport.handleRequest(request);
  },
};

const pages = {
  async fetch(request, env) {
    if (new URL(request.url).pathname !== '/authorize') {
      return html(messagePage('Not found', 'There is nothing at this address.'), 404);
    }
    let authorization;
    let client;
    try {
      authorization = await env.OAUTH_PROVIDER.parseAuthRequest(request);
      client = await env.OAUTH_PROVIDER.lookupClient(authorization.clientId);
    } catch {
      client = null;
    }
    // As at Notion: a purged client gets an error page and no redirect.
    if (client === null) {
      return html(messagePage('This link does not work', 'The app that sent you here is unknown.'), 400);
    }
    if (request.method !== 'POST') {
      return html(consentPage(directoryIn(request), client.clientName ?? 'An app'), 200);
    }
    const form = await request.formData();
    if (form.get('decision') !== 'allow') {
      const denial = new URL(authorization.redirectUri);
      denial.searchParams.set('error', 'access_denied');
      denial.searchParams.set('error_description', 'The user denied the request');
      denial.searchParams.set('state', authorization.state);
      if (request.headers.get('x-names-issuer') === 'yes') {
        // The library adds `iss` only to the authorization responses that it creates itself.
        denial.searchParams.set('iss', new URL(request.url).origin);
      }
      return redirect(denial.href);
    }
    const props = { user: form.get('user'), workspace: form.get('workspace') };
    const { redirectTo } = await env.OAUTH_PROVIDER.completeAuthorization({
      request: authorization,
      userId: props.user,
      metadata: props,
      scope: authorization.scope.length > 0 ? authorization.scope : ['default'],
      props,
    });
    return redirect(redirectTo);
  },
};

function html(body, status) {
  return new Response(body, { status, headers: { 'content-type': 'text/html; charset=utf-8' } });
}

/** Replaces `Response.redirect`, which does not accept an editor's URI. */
function redirect(location) {
  return new Response(null, { status: 302, headers: { location } });
}

export default {
  fetch(request, env, context) {
    // Created at the first request, because newer versions need the resource URL and so the port.
    provider ??= new OAuthProvider({
      apiRoute: '/mcp',
      apiHandler: mcp,
      defaultHandler: pages,
      authorizeEndpoint: '/authorize',
      tokenEndpoint: '/token',
      clientRegistrationEndpoint: '/register',
      scopesSupported: ['default'],
      resourceMetadata: { resource: new URL('/mcp', request.url).href },
      onError: () => undefined,
    });
    return provider.fetch(request, env, context);
  },
};
