import type { Miniflare } from 'miniflare';
import { jsonObject } from '../../src/core/json.ts';
import { consentPage } from './consentPage.ts';
import type { Directory } from './directory.ts';
import type { StoredGrants } from './grants.ts';
import { IssuedTokens } from './issuedTokens.ts';
import type { LibraryVersion } from './library.ts';
import { messagePage } from './page.ts';
import type { Profile } from './profile.ts';

/** A request whose body was read. */
export interface ReceivedRequest {
  method: string;
  url: URL;
  headers: Headers;
  body: string;
}

/** The ids of the user and the workspace that a grant is for. */
export interface GrantAccount {
  user: string;
  workspace: string;
}

export interface AuthorizationServerParts {
  version: LibraryVersion;
  worker: Miniflare;
  grants: StoredGrants;
  directory: Directory;
  profile: Profile;
  nowMs: () => number;
}

/** Notion's authorization server: the library, the consent, and what Notion adds to the library's token endpoint. */
export class AuthorizationServer {
  readonly #parts: AuthorizationServerParts;
  readonly #tokens: IssuedTokens;

  constructor(parts: AuthorizationServerParts) {
    this.#parts = parts;
    this.#tokens = new IssuedTokens(parts.nowMs);
  }

  async respond(request: ReceivedRequest): Promise<Response> {
    const { method, url } = request;
    switch (url.pathname) {
      // Reported: no OpenID Connect.
      case '/.well-known/openid-configuration':
        return html('<html>Not found</html>', 404);
      case '/authorize':
        return method === 'GET' ? this.#authorize(request) : html(notFoundPage, 404);
      case '/callback':
        return method === 'POST' ? this.#callback(request) : html(notFoundPage, 404);
      case '/register':
        return this.#register(request);
      case '/token':
        return this.#token(request);
      default:
        return url.pathname.startsWith('/.well-known/') ? this.#library(request) : html(notFoundPage, 404);
    }
  }

  /** The account of the request's access token, or the response that rejects it. */
  async authenticate(request: ReceivedRequest): Promise<GrantAccount | Response> {
    const token = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1];
    // Reported: a token of the last minute may be unknown (chrisdoc/hevy-mcp#1039, the same library).
    if (token !== undefined && (this.#tokens.isExpired(token) || this.#tokens.isUnknown(token))) {
      return this.rejectToken(request);
    }
    const response = await this.#library({ ...request, body: '' });
    return response.headers.has('x-authenticated') ? ((await response.json()) as GrantAccount) : response;
  }

  /** The library's response to a token that it does not know. */
  rejectToken(request: ReceivedRequest): Promise<Response> {
    const headers = new Headers(request.headers);
    headers.set('authorization', `Bearer ${unknownToken}`);
    return this.#library({ ...request, headers, body: '' });
  }

  /**
   * Reported: for a purged client, as for every invalid request, a page of the server and no redirect. At Notion the
   * consent page is on another host, www.notion.so.
   */
  async #authorize(request: ReceivedRequest): Promise<Response> {
    const response = await this.#library(request);
    if (!response.ok) {
      return html(invalidRequestPage, 400);
    }
    const { authorization, clientName } = (await response.json()) as { authorization: object; clientName?: string };
    const state = Buffer.from(JSON.stringify(authorization)).toString('base64');
    const action = `/callback?${new URLSearchParams({ state })}`;
    return html(consentPage(this.#parts.directory, clientName ?? 'An app', action), 200);
  }

  /**
   * Reported: the consent arrives here with the whole authorization request as `state`, base64 of JSON
   * (anthropics/claude-code#52936). Notion's own code is replaced by the choices of the consent page.
   */
  async #callback(request: ReceivedRequest): Promise<Response> {
    const state = Buffer.from(request.url.searchParams.get('state') ?? '', 'base64').toString();
    const authorization = jsonObject(state);
    if (authorization === undefined) {
      return html(invalidRequestPage, 400);
    }
    const form = new URLSearchParams(request.body);
    const refusal = form.get('decision') === 'allow' ? refusals[this.#parts.profile.admission] : userDenied;
    if (refusal !== undefined) {
      return this.#deny(request, authorization, refusal);
    }
    const account: GrantAccount = { user: form.get('user') ?? '', workspace: form.get('workspace') ?? '' };
    const response = await this.#library({ ...request, body: JSON.stringify({ authorization, account }) });
    return redirect(((await response.json()) as { redirectTo: string }).redirectTo);
  }

  #deny({ url }: ReceivedRequest, authorization: Record<string, unknown>, description: string): Response {
    const denial = new URL(String(authorization.redirectUri));
    denial.searchParams.set('error', 'access_denied');
    denial.searchParams.set('error_description', description);
    denial.searchParams.set('state', String(authorization.state));
    if (this.#parts.version === 'next') {
      // The library adds `iss` only to the authorization responses that it creates itself.
      denial.searchParams.set('iss', url.origin);
    }
    return redirect(denial.href);
  }

  async #register(request: ReceivedRequest): Promise<Response> {
    const { customSchemes, unknownAtFirst } = this.#parts.profile;
    const uris = jsonObject(request.body)?.redirect_uris;
    if (customSchemes === 'refused' && Array.isArray(uris) && !uris.every((uri) => /^https?:/.test(String(uri)))) {
      // As the library says it from version 1.2.3 on.
      const description = 'Redirect URI must use https, or http on a loopback host';
      return oauthError(request, 'invalid_client_metadata', description);
    }
    const response = await this.#library(request);
    // Empty if the request is a preflight.
    const clientId = jsonObject(await response.clone().text())?.client_id;
    if (typeof clientId === 'string') {
      this.#tokens.delay(clientId, unknownAtFirst.client);
    }
    return response;
  }

  async #token(request: ReceivedRequest): Promise<Response> {
    const form = new URLSearchParams(request.body);
    const clientId = form.get('client_id') ?? basicClientId(request.headers);
    if (this.#tokens.isUnknown(clientId)) {
      const headers = new Headers(request.headers);
      headers.delete('authorization');
      return this.#library({ ...request, headers, body: replaced(form, 'client_id', 'unknown') });
    }
    const isRefresh = form.get('grant_type') === 'refresh_token';
    const spent = isRefresh ? (form.get('refresh_token') ?? undefined) : undefined;
    if (spent !== undefined && this.#tokens.isUnknown(spent)) {
      return this.#library({ ...request, body: replaced(form, 'refresh_token', unknownToken) });
    }
    if (spent !== undefined && this.#tokens.isReplayed(spent, this.#parts.profile)) {
      await this.#parts.grants.revokeGrantOf(spent);
      // Reported with this description: damianvtran/local-operator#345.
      return oauthError(request, 'invalid_grant', 'OAuth grant revoked');
    }
    const response = await this.#library(request);
    return response.ok ? this.#issue(response, spent) : response;
  }

  /** Applies the profile to a token response of the library. */
  async #issue(response: Response, spent: string | undefined): Promise<Response> {
    const profile = this.#parts.profile;
    // Empty if a token was revoked.
    const tokens = jsonObject(await response.clone().text());
    const { access_token: accessToken, refresh_token: refreshToken } = tokens ?? {};
    if (typeof accessToken !== 'string') {
      return response;
    }
    this.#tokens.addAccessToken(accessToken, profile.accessTokenLifeSeconds);
    this.#tokens.delay(accessToken, profile.unknownAtFirst.accessToken);
    if (typeof refreshToken === 'string') {
      this.#tokens.addRefreshToken(refreshToken, spent, profile);
      this.#tokens.delay(refreshToken, profile.unknownAtFirst.refreshToken);
    }
    // Reported: damianvtran/local-operator#340.
    if (profile.refreshEndsAccessTokens && spent !== undefined) {
      await this.#parts.grants.invalidateOtherAccessTokens(accessToken);
    }
    const { headers } = response;
    return new Response(JSON.stringify({ ...tokens, expires_in: profile.accessTokenLifeSeconds }), { headers });
  }

  async #library({ method, url, headers, body }: ReceivedRequest): Promise<Response> {
    const { scopes, refreshToken } = this.#parts.profile;
    const response = await this.#parts.worker.dispatchFetch(url.href, {
      method,
      headers: { ...Object.fromEntries(headers), 'x-options': JSON.stringify({ scopes, refreshToken }) },
      redirect: 'manual',
      ...(body !== '' && { body }),
    });
    const kept = new Headers([...response.headers]);
    kept.delete('content-length');
    kept.delete('content-encoding');
    return new Response((await response.text()) || null, { status: response.status, headers: kept });
  }
}

/** Has the form of a token, but was never issued. */
const unknownToken = 'unknown:unknown:unknown';

const userDenied = 'The user denied the request';

/**
 * That a redirect follows is assumed. The first sentence is what the page says (makenotion/notion-mcp-server#227); the
 * second one has no source.
 */
const refusals: Record<Profile['admission'], string | undefined> = {
  allowed: undefined,
  membersOnly:
    'You are a guest, so you cannot connect to Notion MCP. Ask the workspace owner to upgrade you to a member, or switch workspaces.',
  clientNotAllowed: 'A workspace admin has not approved this MCP client.',
};

const notFoundPage = messagePage('Not found', 'There is nothing at this address.');
const invalidRequestPage = messagePage('Invalid authorization request', 'The app that sent you here is unknown.');

function basicClientId(headers: Headers): string {
  const credentials = /^Basic (.+)$/.exec(headers.get('authorization') ?? '')?.[1] ?? '';
  return decodeURIComponent(Buffer.from(credentials, 'base64').toString().split(':')[0] ?? '');
}

function replaced(form: URLSearchParams, name: string, value: string): string {
  const other = new URLSearchParams(form);
  other.set(name, value);
  return other.toString();
}

function oauthError(request: ReceivedRequest, error: string, description: string): Response {
  return withCors(Response.json({ error, error_description: description }, { status: 400 }), request);
}

/** Lets web pages read a response, as the library does with those that it creates itself. */
export function withCors(response: Response, { headers }: ReceivedRequest): Response {
  const origin = headers.get('origin');
  if (origin !== null) {
    response.headers.set('access-control-allow-origin', origin);
    response.headers.set('access-control-allow-methods', '*');
    response.headers.set('access-control-allow-headers', 'Authorization, *');
    response.headers.set('access-control-max-age', '86400');
  }
  return response;
}

function html(body: string, status: number): Response {
  return new Response(body, { status, headers: { 'content-type': 'text/html; charset=utf-8' } });
}

/** Replaces `Response.redirect`, which does not accept an editor's URI. */
function redirect(location: string): Response {
  return new Response(null, { status: 302, headers: { location } });
}
