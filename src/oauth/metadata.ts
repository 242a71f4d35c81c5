import { isSecure } from '../http/url.ts';
import { type Endpoint, Failure } from './errors.ts';
import type { AuthorizationServer } from './model.ts';
import { readScopes } from './scopes.ts';
import { canonicalResource } from './serverUrl.ts';

/** The fields of a resource metadata document (RFC 9728) that we use. */
export interface ResourceMetadata {
  /** The value to send as `resource`. */
  resource: string;
  issuer: string;
  scopesSupported?: string[];
}

/** A metadata document that discovery found at `url`. */
export interface MetadataDocument {
  document: Record<string, unknown>;
  url: URL;
  /** All URLs that discovery tried so far, for error messages. */
  lookedAt: string[];
}

/**
 * Reads the resource metadata for `serverUrl`.
 * @throws Failure `invalidResponse` if a field is missing, `unsafe` if the metadata describes another resource (A24)
 */
export function readResourceMetadata({ document, url, lookedAt }: MetadataDocument, serverUrl: URL): ResourceMetadata {
  const { resource } = document;
  const details = { step: 'discovery', host: url.host, lookedAt } as const;
  if (typeof resource !== 'string') {
    throw new Failure('invalidResponse', { ...details, code: 'no_resource', missing: 'resource' });
  }
  const relation = resourceRelation(resource, serverUrl);
  if (relation === 'foreign') {
    throw new Failure('unsafe', { ...details, code: 'resource_mismatch' });
  }
  // The client may choose (A3); we use the first authorization server listed.
  const issuer = strings(document.authorization_servers)[0];
  if (issuer === undefined) {
    throw new Failure('invalidResponse', {
      ...details,
      code: 'no_authorization_servers',
      missing: 'authorization_servers',
    });
  }
  if (!isIssuer(issuer)) {
    throw new Failure('invalidResponse', { ...details, code: 'bad_issuer', missing: 'authorization_servers' });
  }
  const scopes = readScopes(document.scopes_supported);
  return {
    resource: relation === 'parent' ? resource : canonicalResource(serverUrl),
    issuer,
    ...(scopes && { scopesSupported: scopes }),
  };
}

/** Whether a document has a field of authorization server metadata; an unrelated `{"error": …}` has none. */
export function looksLikeServerMetadata(document: Record<string, unknown>): boolean {
  return 'issuer' in document || 'authorization_endpoint' in document || 'token_endpoint' in document;
}

/** Whether a document has a field of resource metadata. */
export function looksLikeResourceMetadata(document: Record<string, unknown>): boolean {
  return 'resource' in document || 'authorization_servers' in document;
}

/**
 * Reads the metadata of the authorization server `issuer` (RFC 8414, OpenID Connect Discovery).
 * @throws Failure `invalidResponse` if a field is missing, `unsafe` if the metadata names another issuer (A5) or an
 *   endpoint that is not https (A19, A22), or does not offer PKCE with S256 (A20)
 */
export function readServerMetadata(
  { document, url: documentUrl, lookedAt }: MetadataDocument,
  expectedIssuer: string,
): AuthorizationServer {
  const details = { step: 'discovery', host: documentUrl.host, lookedAt } as const;
  const { issuer } = document;
  if (typeof issuer !== 'string') {
    throw new Failure('invalidResponse', { ...details, code: 'no_issuer', missing: 'issuer' });
  }
  if (!isSameIssuer(issuer, expectedIssuer)) {
    throw new Failure('unsafe', { ...details, code: 'issuer_mismatch' });
  }
  const endpoint = (name: Endpoint): string | undefined => {
    const text = document[name];
    if (text === undefined || text === null || text === '') {
      return undefined;
    }
    if (typeof text !== 'string' || !URL.canParse(text)) {
      throw new Failure('invalidResponse', { ...details, code: `bad_${name}`, missing: name });
    }
    const url = new URL(text);
    if (!isSecure(url) || url.hash !== '') {
      throw new Failure('unsafe', { ...details, code: 'insecure', host: url.host, missing: name });
    }
    return text;
  };
  const required = (name: Endpoint): string => {
    const text = endpoint(name);
    if (text === undefined) {
      throw new Failure('invalidResponse', { ...details, code: `no_${name}`, missing: name });
    }
    return text;
  };
  const authorizationEndpoint = required('authorization_endpoint');
  const tokenEndpoint = required('token_endpoint');
  const registrationEndpoint = endpoint('registration_endpoint');
  const revocationEndpoint = endpoint('revocation_endpoint');
  if (!strings(document.code_challenge_methods_supported).includes('S256')) {
    throw new Failure('unsafe', { ...details, code: 'no_pkce_s256', missing: 'code_challenge_methods_supported' });
  }
  const scopes = readScopes(document.scopes_supported);
  const authMethods = strings(document.token_endpoint_auth_methods_supported);
  return {
    issuer,
    authorizationEndpoint,
    tokenEndpoint,
    ...(registrationEndpoint !== undefined && { registrationEndpoint }),
    ...(revocationEndpoint !== undefined && { revocationEndpoint }),
    ...(document.authorization_response_iss_parameter_supported === true && { issParameterSupported: true }),
    ...(document.client_id_metadata_document_supported === true && { clientIdMetadataDocumentSupported: true }),
    ...(scopes && { scopesSupported: scopes }),
    ...(authMethods.length > 0 && { tokenEndpointAuthMethodsSupported: authMethods }),
  };
}

/**
 * Whether `text` is an http(s) URL without query, fragment or credentials (RFC 8414 section 2). Whether a request may
 * be sent there is checked before each request.
 */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) {
    return false;
  }
  const { protocol, username, password } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}

/**
 * Compares issuers as strings (RFC 8414 section 3.3), except for one trailing slash. Both spellings have the same
 * well-known URL, so no other server can pose as the issuer (expo/expo#49053, vercel/ai#13988).
 */
function isSameIssuer(issuer: string, expected: string): boolean {
  return withoutTrailingSlash(issuer) === withoutTrailingSlash(expected);
}

/**
 * How the published `resource` relates to the MCP server's URL. A `parent` is a parent path on the same origin: some
 * servers publish one root document for `/mcp` (microsoft/vscode#259588). Such a server only knows the parent as its
 * resource, and servers compare `resource` byte for byte (modelcontextprotocol/conformance#488), so the published text
 * is sent. On the same origin it cannot name another server. Anything else is `foreign` (A24).
 */
function resourceRelation(resource: string, serverUrl: URL): 'same' | 'parent' | 'foreign' {
  if (!URL.canParse(resource)) {
    return 'foreign';
  }
  const { origin, pathname, username, password } = new URL(resource);
  if (origin !== serverUrl.origin || username !== '' || password !== '' || /[?#\s]/.test(resource)) {
    return 'foreign';
  }
  const path = withoutTrailingSlash(pathname);
  if (path === withoutTrailingSlash(serverUrl.pathname)) {
    return 'same';
  }
  return serverUrl.pathname.startsWith(`${path}/`) ? 'parent' : 'foreign';
}

function withoutTrailingSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

/** The non-empty strings in `value`, which should be an array of strings. */
function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string' && each !== '') : [];
}
