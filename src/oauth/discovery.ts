import { jsonObject } from '../core/json.ts';
import type { Http, HttpRequest } from '../http/client.ts';
import { HttpFailure } from '../http/errors.ts';
import { isSecure } from '../http/url.ts';
import { type Challenge, requestChallenge } from './challenge.ts';
import { isTransientStatus, responseFailure, transportFailure } from './errorResponse.ts';
import { Failure } from './errors.ts';
import {
  type Found,
  looksLikeResourceMetadata,
  looksLikeServerMetadata,
  readResourceMetadata,
  readServerMetadata,
} from './metadata.ts';
import type { AuthorizationServer, Discovery } from './model.ts';
import { canonicalResource } from './serverUrl.ts';

export interface DiscoveryOptions {
  signal?: AbortSignal;
  /** The challenge of a 401 or 403, when there was one: its metadata address and scopes have precedence (A2, A11). */
  challenge?: Challenge;
}

/**
 * Finds out where to sign in for an MCP server: its resource metadata (RFC 9728), then its authorization server's
 * (RFC 8414 or OpenID). A server with the path-suffixed well-known, as Notion's, is asked twice in all.
 * @throws Failure of step `discovery`: `nonsense` says what is missing and where we looked, `unsafe` is an address or
 *   an issuer that must not be used, `transient` means that nothing was learned
 */
export async function discover(
  http: Http,
  serverUrl: URL,
  { signal, challenge: given }: DiscoveryOptions = {},
): Promise<Discovery> {
  const search = new Search(http, serverUrl, signal);
  const [pathSuffixed, root] = resourceWellKnowns(serverUrl);
  let challenge = given;
  let challenged = given !== undefined;
  let found = await search.first([...challengeAddresses(given), pathSuffixed], looksLikeResourceMetadata);
  if (found === undefined && given === undefined) {
    const asked = await requestChallenge(http, serverUrl, signal && { signal });
    challenge = asked.challenge;
    challenged = asked.status === 401;
    found = await search.first(challengeAddresses(challenge), looksLikeResourceMetadata);
  }
  found ??= await search.first([root], looksLikeResourceMetadata);
  if (found === undefined) {
    return legacy(search, serverUrl, challenged, challenge);
  }
  const { resource, issuer, scopesSupported } = readResourceMetadata(found, serverUrl);
  const authorizationServer = await describeServer(search, issuer);
  const scopes = challenge?.scopes ?? scopesSupported;
  return { resource, authorizationServer, ...(scopes && { scopes }) };
}

/** Where an issuer's metadata may lie, in the order of A4. */
export function serverWellKnowns(issuer: URL): URL[] {
  const path = issuer.pathname.replace(/\/$/, '');
  const paths =
    path === ''
      ? ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']
      : [
          `/.well-known/oauth-authorization-server${path}`,
          `/.well-known/openid-configuration${path}`,
          `${path}/.well-known/openid-configuration`,
        ];
  return paths.map((each) => new URL(issuer.origin + each));
}

function resourceWellKnowns(serverUrl: URL): [pathSuffixed: URL, root: URL] {
  const root = new URL('/.well-known/oauth-protected-resource', serverUrl.origin);
  const path = serverUrl.pathname === '/' ? '' : serverUrl.pathname;
  return [new URL(root.href + path), root];
}

function challengeAddresses(challenge: Challenge | undefined): URL[] {
  return (challenge?.resourceMetadata ?? []).filter((text) => URL.canParse(text)).map((text) => new URL(text));
}

/** The metadata of the server `issuer` names; the first document found decides, right or wrong. */
async function describeServer(search: Search, issuer: string): Promise<AuthorizationServer> {
  const url = new URL(issuer);
  const found = await search.first(serverWellKnowns(url), looksLikeServerMetadata);
  if (found === undefined) {
    throw new Failure('invalidResponse', {
      step: 'discovery',
      code: 'no_server_metadata',
      host: url.host,
      missing: 'authorization_endpoint',
      lookedAt: search.lookedAt,
    });
  }
  return search.describe(readServerMetadata(found, issuer));
}

/**
 * Servers of revision 2025-03-26 have no resource metadata: the authorization server is the MCP server's origin, and
 * where it has no metadata either, its endpoints have fixed paths. Those are assumed only of a server that answered
 * 401, so that an ordinary web site is not taken for one.
 */
async function legacy(
  search: Search,
  serverUrl: URL,
  challenged: boolean,
  challenge: Challenge | undefined,
): Promise<Discovery> {
  const issuer = serverUrl.origin;
  const scopes = challenge?.scopes;
  const rest = { resource: canonicalResource(serverUrl), ...(scopes && { scopes }) };
  const [wellKnown] = serverWellKnowns(new URL(issuer));
  const found = wellKnown && (await search.first([wellKnown], looksLikeServerMetadata));
  if (found !== undefined) {
    return { ...rest, authorizationServer: search.describe(readServerMetadata(found, issuer)) };
  }
  if (!challenged) {
    throw new Failure('invalidResponse', {
      step: 'discovery',
      code: 'no_resource_metadata',
      host: serverUrl.host,
      missing: 'authorization_servers',
      lookedAt: search.lookedAt,
    });
  }
  return {
    ...rest,
    authorizationServer: search.describe({
      issuer,
      authorizationEndpoint: `${issuer}/authorize`,
      tokenEndpoint: `${issuer}/token`,
      registrationEndpoint: `${issuer}/register`,
    }),
  };
}

/** Looks for metadata documents and remembers where it looked, and whether private addresses are in order (A23). */
class Search {
  readonly lookedAt: string[] = [];
  readonly #http: Http;
  readonly #serverUrl: URL;
  readonly #signal: AbortSignal | undefined;
  #onPrivateNetwork: boolean | undefined;

  constructor(http: Http, serverUrl: URL, signal: AbortSignal | undefined) {
    this.#http = http;
    this.#serverUrl = serverUrl;
    this.#signal = signal;
  }

  /** The first of `addresses` not looked at before that answers with a document that `fits`. */
  async first(addresses: URL[], fits: (document: Record<string, unknown>) => boolean): Promise<Found | undefined> {
    for (const at of addresses.filter((each) => !this.lookedAt.includes(each.origin + each.pathname))) {
      const document = await this.#read(at);
      if (document !== undefined && fits(document)) {
        return { document, at, lookedAt: this.lookedAt };
      }
    }
    return undefined;
  }

  /** Adds to a server's description what the search learned about the network. */
  describe(server: AuthorizationServer): AuthorizationServer {
    return this.#onPrivateNetwork ? { ...server, onPrivateNetwork: true } : server;
  }

  /**
   * One document; undefined where there is none: a 4xx, HTML (modelcontextprotocol/typescript-sdk#804, #2126) or a
   * redirect to elsewhere (open-legal-products/mike#344).
   * @throws Failure when nothing was learned, or the address must not be asked
   */
  async #read(at: URL): Promise<Record<string, unknown> | undefined> {
    this.lookedAt.push(at.origin + at.pathname);
    if (!isSecure(at)) {
      throw new Failure('unsafe', { step: 'discovery', code: 'insecure', host: at.host, lookedAt: this.lookedAt });
    }
    try {
      const response = await this.#get(at);
      if (isTransientStatus(response.status)) {
        throw responseFailure(response, 'discovery', []);
      }
      return response.status >= 200 && response.status < 300 ? jsonObject(response.body) : undefined;
    } catch (error) {
      if (error instanceof HttpFailure && error.kind === 'redirected') {
        return undefined;
      }
      throw transportFailure(error, 'discovery');
    }
  }

  /** Private addresses are refused unless the configured server has one itself. */
  async #get(at: URL) {
    const request: HttpRequest = {
      method: 'GET',
      url: at,
      headers: { accept: 'application/json' },
      redirects: 'sameOrigin',
      ...(this.#signal && { signal: this.#signal }),
    };
    try {
      return await this.#http({ ...request, privateAddresses: this.#onPrivateNetwork ? 'allow' : 'refuse' });
    } catch (error) {
      const refused = error instanceof HttpFailure && error.kind === 'privateAddress';
      if (!refused || !(await this.#isServerPrivate())) {
        throw error;
      }
      this.#onPrivateNetwork = true;
      return await this.#http({ ...request, privateAddresses: 'allow' });
    }
  }

  /** A request to a private address is refused before it is sent, so this costs nothing where it is one. */
  async #isServerPrivate(): Promise<boolean> {
    try {
      const [url] = resourceWellKnowns(this.#serverUrl);
      await this.#http({
        method: 'GET',
        url,
        redirects: 'refuse',
        privateAddresses: 'refuse',
        ...(this.#signal && { signal: this.#signal }),
      });
      return false;
    } catch (error) {
      return error instanceof HttpFailure && error.kind === 'privateAddress';
    }
  }
}
