import { jsonObject } from '../core/json.ts';
import type { Http, HttpRequest } from '../http/client.ts';
import { HttpFailure } from '../http/errors.ts';
import { isSecure } from '../http/url.ts';
import { type Challenge, requestChallenge } from './challenge.ts';
import { isTransientStatus, responseFailure, transportFailure } from './errorResponse.ts';
import { Failure } from './errors.ts';
import {
  looksLikeResourceMetadata,
  looksLikeServerMetadata,
  type MetadataDocument,
  readResourceMetadata,
  readServerMetadata,
} from './metadata.ts';
import type { AuthorizationServer, Discovery } from './model.ts';
import { canonicalResource } from './serverUrl.ts';

export interface DiscoveryOptions {
  signal?: AbortSignal;
}

/**
 * Discovers where to sign in for an MCP server: requests its challenge, reads its resource metadata (RFC 9728), then the
 * metadata of its authorization server (RFC 8414 or OpenID). What the challenge names takes precedence (A2, A11), and
 * only the server itself can tell whether it names anything, so a server such as Notion's receives three requests.
 * @throws Failure of step `discovery`: `invalidResponse` if metadata is missing or malformed, with the URLs that were
 *   tried; `unsafe` if a URL or an issuer must not be used; `transient` if a server fails or cannot be reached
 */
export async function discover(http: Http, serverUrl: URL, { signal }: DiscoveryOptions = {}): Promise<Discovery> {
  const search = new MetadataSearch(http, serverUrl, signal);
  const [pathSuffixed, root] = resourceWellKnowns(serverUrl);
  const { challenge, isChallenged, failure } = await requestChallenge(http, serverUrl, signal && { signal });
  let found = await search.first([...challengeUrls(challenge), pathSuffixed], looksLikeResourceMetadata);
  if (found === undefined && failure !== undefined) {
    throw failure;
  }
  found ??= await search.first([root], looksLikeResourceMetadata);
  if (found === undefined) {
    return discoverLegacy(search, serverUrl, isChallenged, challenge);
  }
  const { resource, issuer, scopesSupported } = readResourceMetadata(found, serverUrl);
  const authorizationServer = await findServerMetadata(search, issuer);
  const scopes = challenge?.scopes ?? scopesSupported;
  return { resource, authorizationServer, ...(scopes && { scopes }) };
}

/** The well-known URLs of an issuer's metadata, in the order of A4. */
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

function challengeUrls(challenge: Challenge | undefined): URL[] {
  return (challenge?.resourceMetadata ?? []).filter((text) => URL.canParse(text)).map((text) => new URL(text));
}

/** Finds and reads the metadata of `issuer`. Only the first document found is read, even if it is invalid. */
async function findServerMetadata(search: MetadataSearch, issuer: string): Promise<AuthorizationServer> {
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
  return search.withNetwork(readServerMetadata(found, issuer));
}

/** Documented to have metadata, so that a Notion without any is a mistake or an attack. */
const serverWithMetadata = 'mcp.notion.com';

/**
 * Servers of revision 2025-03-26 have no resource metadata. The authorization server is the MCP server's origin, and if
 * it has no metadata either, its endpoints have fixed paths. Whether these support PKCE cannot be seen (A20). So they
 * are assumed only for a server that responded with 401, and that says of every metadata URL that there is nothing: a
 * firewall, a login page or an ordinary website is not mistaken for such a server.
 */
async function discoverLegacy(
  search: MetadataSearch,
  serverUrl: URL,
  isChallenged: boolean,
  challenge: Challenge | undefined,
): Promise<Discovery> {
  const issuer = serverUrl.origin;
  const scopes = challenge?.scopes;
  const rest = { resource: canonicalResource(serverUrl), ...(scopes && { scopes }) };
  const found = await search.first(serverWellKnowns(new URL(issuer)), looksLikeServerMetadata);
  if (found !== undefined) {
    return { ...rest, authorizationServer: search.withNetwork(readServerMetadata(found, issuer)) };
  }
  if (!isChallenged || !search.foundNothing || serverUrl.hostname === serverWithMetadata) {
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
    authorizationServer: search.withNetwork({
      issuer,
      authorizationEndpoint: `${issuer}/authorize`,
      tokenEndpoint: `${issuer}/token`,
      registrationEndpoint: `${issuer}/register`,
    }),
  };
}

/** Searches for metadata documents; records the URLs that it tried and whether private addresses are allowed (A23). */
class MetadataSearch {
  readonly lookedAt: string[] = [];
  readonly #http: Http;
  readonly #serverUrl: URL;
  readonly #signal: AbortSignal | undefined;
  #onPrivateNetwork: boolean | undefined;
  #foundNothing = true;

  constructor(http: Http, serverUrl: URL, signal: AbortSignal | undefined) {
    this.#http = http;
    this.#serverUrl = serverUrl;
    this.#signal = signal;
  }

  /** The first document at `urls` for which `matches` holds. URLs that were tried before are skipped. */
  async first(
    urls: URL[],
    matches: (document: Record<string, unknown>) => boolean,
  ): Promise<MetadataDocument | undefined> {
    for (const url of urls.filter((each) => !this.lookedAt.includes(each.origin + each.pathname))) {
      const document = await this.#read(url);
      if (document !== undefined && matches(document)) {
        return { document, url, lookedAt: this.lookedAt };
      }
    }
    return undefined;
  }

  /** Whether there is no document at any of the URLs that were tried: each responded with 404 or 410. */
  get foundNothing(): boolean {
    return this.#foundNothing;
  }

  /** Adds `onPrivateNetwork` to the metadata if the search needed private addresses. */
  withNetwork(server: AuthorizationServer): AuthorizationServer {
    return this.#onPrivateNetwork ? { ...server, onPrivateNetwork: true } : server;
  }

  /**
   * Reads the document at `url`; undefined for a 4xx, HTML (modelcontextprotocol/typescript-sdk#804, #2126) or a
   * redirect to another origin (open-legal-products/mike#344).
   * @throws Failure if the server fails or cannot be reached, or if no request may be sent to `url`
   */
  async #read(url: URL): Promise<Record<string, unknown> | undefined> {
    this.lookedAt.push(url.origin + url.pathname);
    if (!isSecure(url)) {
      throw new Failure('unsafe', { step: 'discovery', code: 'insecure', host: url.host, lookedAt: this.lookedAt });
    }
    try {
      const response = await this.#get(url);
      this.#foundNothing &&= response.status === 404 || response.status === 410;
      if (isTransientStatus(response.status)) {
        throw responseFailure(response, response.body, { step: 'discovery', host: response.url.host });
      }
      return response.status >= 200 && response.status < 300 ? jsonObject(response.body) : undefined;
    } catch (error) {
      this.#foundNothing = false;
      if (error instanceof HttpFailure && error.kind === 'redirected') {
        return undefined;
      }
      throw transportFailure(error, 'discovery');
    }
  }

  /** Refuses private addresses unless the configured MCP server has one itself. */
  async #get(url: URL) {
    const request: HttpRequest = {
      method: 'GET',
      url,
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

  /** `Http` refuses a request to a private address before sending it, so nothing is sent if the address is private. */
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
