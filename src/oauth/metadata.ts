import { isSecure } from '../http/url.ts';
import { Failure } from './errors.ts';
import type { AuthorizationServer } from './model.ts';
import { canonicalResource } from './serverUrl.ts';

/** What a resource metadata document (RFC 9728) says that we use. */
export interface ResourceMetadata {
  /** What is sent as `resource`. */
  resource: string;
  issuer: string;
  scopesSupported?: string[];
}

/** A metadata document as it was found; `lookedAt` goes into what is wrong with it. */
export interface Found {
  document: Record<string, unknown>;
  at: URL;
  lookedAt: string[];
}

/**
 * Reads resource metadata for `serverUrl`.
 * @throws Failure `nonsense` when something is missing, `unsafe` when it is about another resource (A24)
 */
export function readResourceMetadata({ document, at, lookedAt }: Found, serverUrl: URL): ResourceMetadata {
  const { resource } = document;
  const details = { step: 'discovery', host: at.host, lookedAt } as const;
  if (typeof resource !== 'string') {
    throw new Failure('invalidResponse', { ...details, code: 'no_resource', missing: 'resource' });
  }
  const relation = relate(resource, serverUrl);
  if (relation === 'foreign') {
    throw new Failure('unsafe', { ...details, code: 'resource_mismatch' });
  }
  // The client chooses (A3); we take the server's first choice.
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
  const scopes = strings(document.scopes_supported);
  return {
    resource: relation === 'parent' ? resource : canonicalResource(serverUrl),
    issuer,
    ...(scopes.length > 0 && { scopesSupported: scopes }),
  };
}

/** Whether a document says anything that authorization server metadata says; a stray `{"error": …}` does not. */
export function looksLikeServerMetadata(document: Record<string, unknown>): boolean {
  return 'issuer' in document || 'authorization_endpoint' in document || 'token_endpoint' in document;
}

/** Whether a document says anything that resource metadata says. */
export function looksLikeResourceMetadata(document: Record<string, unknown>): boolean {
  return 'resource' in document || 'authorization_servers' in document;
}

/**
 * Reads the metadata of the authorization server `issuer` (RFC 8414, OpenID Connect Discovery).
 * @throws Failure `nonsense` when something is missing, `unsafe` for another issuer (A5), an endpoint that is not
 *   https (A19, A22) or a server that does not offer PKCE with S256 (A20)
 */
export function readServerMetadata({ document, at, lookedAt }: Found, issuer: string): AuthorizationServer {
  const details = { step: 'discovery', host: at.host, lookedAt } as const;
  const said = document.issuer;
  if (typeof said !== 'string') {
    throw new Failure('invalidResponse', { ...details, code: 'no_issuer', missing: 'issuer' });
  }
  if (!sameIssuer(said, issuer)) {
    throw new Failure('unsafe', { ...details, code: 'issuer_mismatch' });
  }
  const endpoint = (name: string): string | undefined => {
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
  const required = (name: string): string => {
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
  const scopes = strings(document.scopes_supported);
  const authMethods = strings(document.token_endpoint_auth_methods_supported);
  return {
    issuer: said,
    authorizationEndpoint,
    tokenEndpoint,
    ...(registrationEndpoint !== undefined && { registrationEndpoint }),
    ...(revocationEndpoint !== undefined && { revocationEndpoint }),
    ...(document.authorization_response_iss_parameter_supported === true && { issParameterSupported: true }),
    ...(document.client_id_metadata_document_supported === true && { clientIdMetadataDocumentSupported: true }),
    ...(scopes.length > 0 && { scopesSupported: scopes }),
    ...(authMethods.length > 0 && { tokenEndpointAuthMethodsSupported: authMethods }),
  };
}

/** A web address without query, fragment or credentials (RFC 8414 section 2); whether it may be asked is judged where it is. */
function isIssuer(text: string): boolean {
  if (!URL.canParse(text) || /[?#\s]/.test(text)) {
    return false;
  }
  const { protocol, username, password } = new URL(text);
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '';
}

/**
 * Issuers are compared as strings (RFC 8414 section 3.3) but for one trailing slash: both spellings have the same
 * well-known address, so nobody else can answer for it (expo/expo#49053, vercel/ai#13988).
 */
function sameIssuer(said: string, expected: string): boolean {
  return withoutSlash(said) === withoutSlash(expected);
}

/**
 * How metadata about `resource` relates to the URL asked for: the URL itself, or a parent path on the same origin, as
 * servers have that publish one root document for `/mcp` (microsoft/vscode#259588). Such a server knows only the
 * parent by name, and servers compare `resource` byte for byte (modelcontextprotocol/conformance#488), so there the
 * published text is sent; on the same origin it cannot name anybody else. Anything else is foreign (A24).
 */
function relate(resource: string, serverUrl: URL): 'same' | 'parent' | 'foreign' {
  if (!URL.canParse(resource)) {
    return 'foreign';
  }
  const { origin, pathname, username, password } = new URL(resource);
  if (origin !== serverUrl.origin || username !== '' || password !== '' || /[?#\s]/.test(resource)) {
    return 'foreign';
  }
  const path = withoutSlash(pathname);
  if (path === withoutSlash(serverUrl.pathname)) {
    return 'same';
  }
  return serverUrl.pathname.startsWith(`${path}/`) ? 'parent' : 'foreign';
}

function withoutSlash(text: string): string {
  return text.endsWith('/') ? text.slice(0, -1) : text;
}

/** The non-empty strings of what should be an array of them. */
function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string' && each !== '') : [];
}
