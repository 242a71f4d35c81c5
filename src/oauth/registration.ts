import { dynamicClientRegistrationRequest } from 'oauth4webapi';
import { jsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';
import type { Http } from '../http/client.ts';
import { isLoopback } from '../http/url.ts';
import { responseFailure } from './errorResponse.ts';
import { Failure, type FailureKind } from './errors.ts';
import { asLibraryServer, sendOver } from './library.ts';
import type { AuthorizationServer, Client, ClientAuthMethod } from './model.ts';

export interface Registration {
  /** The only redirect URI to register, exactly as given. */
  redirectUri: string;
  /** The client name that the consent page shows. */
  clientName: string;
  signal?: AbortSignal;
}

/** A client that the user configured instead of registering one at each sign-in. */
export interface ConfiguredClient {
  /** The id of a client that is registered at the authorization server (A8), or the URL of a metadata document (A7). */
  clientId: string;
  clientSecret?: Secret;
}

export interface ClientChoice extends Registration {
  configured?: ConfiguredClient | undefined;
}

/**
 * Chooses the client to use with this authorization server: the configured client, or else a new registration (A6).
 * @throws Failure `misconfigured` if the user has to configure a client (code `no_registration`) or another one (code
 *   `no_client_metadata`), else as `register`
 */
export async function chooseClient(http: Http, server: AuthorizationServer, choice: ClientChoice): Promise<Client> {
  const { configured } = choice;
  if (configured === undefined) {
    return register(http, server, choice);
  }
  const { clientId, clientSecret } = configured;
  if (isClientMetadataUrl(clientId)) {
    if (!server.clientIdMetadataDocumentSupported) {
      const { host } = new URL(server.issuer);
      throw new Failure('misconfigured', { step: 'registration', code: 'no_client_metadata', host });
    }
    return { clientId, authMethod: 'none' };
  }
  return clientSecret === undefined
    ? { clientId, authMethod: 'none' }
    : { clientId, clientSecret, authMethod: secretMethod(server) };
}

/** Whether a client id is the URL of a client metadata document: https, with a path and no fragment (A7). */
export function isClientMetadataUrl(clientId: string): boolean {
  if (!URL.canParse(clientId) || clientId.includes('#')) {
    return false;
  }
  const { protocol, pathname, username, password } = new URL(clientId);
  return protocol === 'https:' && pathname !== '/' && username === '' && password === '';
}

/**
 * Registers a client for exactly one redirect URI (RFC 7591).
 * @throws Failure `misconfigured` with code `no_registration` if the server does not support registration,
 *   `serverRejected` with the server's error code (`invalid_redirect_uri`, …) and reason, else as any request
 */
export async function register(http: Http, server: AuthorizationServer, registration: Registration): Promise<Client> {
  const { registrationEndpoint } = server;
  if (registrationEndpoint === undefined) {
    const { host } = new URL(server.issuer);
    throw new Failure('misconfigured', { step: 'registration', code: 'no_registration', host });
  }
  const registerWith = (type: ApplicationType) =>
    registerAs(http, { ...server, registrationEndpoint }, registration, type);
  const type = applicationType(registration.redirectUri);
  try {
    return await registerWith(type);
  } catch (error) {
    if (!(error instanceof Failure && mayConcernApplicationType(error))) {
      throw error;
    }
    // Servers that support only one application type reject the other (A27). If both are rejected, the first error is
    // reported.
    const otherType = type === 'web' ? 'native' : 'web';
    return await registerWith(otherType).catch((secondError: unknown) => {
      throw secondError instanceof Failure && !inconclusive.includes(secondError.kind) ? error : secondError;
    });
  }
}

type ApplicationType = 'web' | 'native';

/** The kinds of failure that say nothing about the application type. */
const inconclusive: readonly FailureKind[] = ['cancelled', 'transient'];

async function registerAs(
  http: Http,
  server: AuthorizationServer & { registrationEndpoint: string },
  { redirectUri, clientName, signal }: Registration,
  applicationType: ApplicationType,
): Promise<Client> {
  const response = await dynamicClientRegistrationRequest(
    asLibraryServer(server),
    {
      client_name: clientName,
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: requestedMethod(server),
      application_type: applicationType,
    },
    sendOver(http, { step: 'registration', privateAddresses: server.onPrivateNetwork ? 'allow' : 'refuse', signal }),
  );
  const { host } = new URL(server.registrationEndpoint);
  const body = await response.text();
  const failure = responseFailure(response, body, { step: 'registration', host });
  if (failure !== undefined) {
    throw withRedirectCode(failure);
  }
  return readClient(jsonObject(body) ?? {}, server, redirectUri, host);
}

/** `web` for an https redirect URI that is not loopback, else `native`, as in OpenID Connect Registration (A27). */
function applicationType(redirectUri: string): ApplicationType {
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined;
  return url?.protocol === 'https:' && !isLoopback(url.hostname) ? 'web' : 'native';
}

/**
 * Gives a rejected redirect URI the code that RFC 7591 defines for it, so that callers try another redirect URI.
 * workers-oauth-provider 1.2.3 rejects `vscode://` with `invalid_client_metadata`; only the description names the
 * redirect.
 */
function withRedirectCode(failure: Failure): Failure {
  const { code, serverReason = '' } = failure.details;
  return code === 'invalid_client_metadata' && /\bredirect[ _]uris?\b/i.test(serverReason)
    ? new Failure(failure.kind, { ...failure.details, code: 'invalid_redirect_uri' })
    : failure;
}

function mayConcernApplicationType({ kind, details }: Failure): boolean {
  return (
    kind === 'serverRejected' && (details.code === 'invalid_redirect_uri' || details.code === 'invalid_client_metadata')
  );
}

/** The auth method to request: `none`, a public client, unless the server lists its methods and `none` is missing. */
function requestedMethod({ tokenEndpointAuthMethodsSupported: supported }: AuthorizationServer): ClientAuthMethod {
  if (supported === undefined || supported.includes('none')) {
    return 'none';
  }
  return supported.find(isKnownMethod) ?? 'none';
}

/**
 * Reads the registration response, whose auth method overrides the one that we requested (openai/codex#40928). The
 * library's own function refuses what servers really send: status 200 (GluuFederation/oxAuth#1780), an empty or `null`
 * secret, and a secret without `client_secret_expires_at` (cloudflare/workers-oauth-provider#163).
 */
function readClient(
  response: Record<string, unknown>,
  server: AuthorizationServer,
  redirectUri: string,
  host: string,
): Client {
  const details = { step: 'registration', host } as const;
  const { client_id: clientId, client_secret: secret, redirect_uris: uris } = response;
  const clientSecret = typeof secret === 'string' && secret !== '' ? secret : undefined;
  if (typeof clientId !== 'string' || clientId === '') {
    throw new Failure('invalidResponse', { ...details, code: 'no_client_id', missing: 'client_id' });
  }
  if (Array.isArray(uris) && !uris.includes(redirectUri)) {
    // RFC 7591 lets the server register another URI, but then we would not receive the authorization response.
    throw new Failure('serverRejected', { ...details, code: 'invalid_redirect_uri' });
  }
  const authMethod = registeredMethod(response.token_endpoint_auth_method, clientSecret !== undefined, server);
  if (authMethod === undefined) {
    throw new Failure('invalidResponse', { ...details, code: 'unknown_auth_method' });
  }
  if (authMethod !== 'none' && clientSecret === undefined) {
    throw new Failure('invalidResponse', { ...details, code: 'no_client_secret', missing: 'client_secret' });
  }
  const issuedAt = seconds(response.client_id_issued_at);
  return {
    clientId,
    authMethod,
    ...(clientSecret !== undefined && {
      clientSecret: new Secret(clientSecret),
      clientSecretExpiresAtSeconds: seconds(response.client_secret_expires_at) ?? 0,
    }),
    ...(issuedAt !== undefined && { clientIdIssuedAtSeconds: issuedAt }),
  };
}

function registeredMethod(
  method: unknown,
  hasSecret: boolean,
  server: AuthorizationServer,
): ClientAuthMethod | undefined {
  if (method === undefined || method === null) {
    return hasSecret ? secretMethod(server) : 'none';
  }
  return isKnownMethod(method) ? method : undefined;
}

/** The auth method for a secret if none is specified: RFC 6749's default, unless the server's list lacks it. */
function secretMethod({ tokenEndpointAuthMethodsSupported: supported }: AuthorizationServer): ClientAuthMethod {
  const methods = ['client_secret_basic', 'client_secret_post', 'none'] as const;
  return methods.find((method) => supported?.includes(method)) ?? 'client_secret_basic';
}

function isKnownMethod(method: unknown): method is ClientAuthMethod {
  return method === 'none' || method === 'client_secret_basic' || method === 'client_secret_post';
}

function seconds(value: unknown): number | undefined {
  const number = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) && number >= 0 ? Math.floor(number) : undefined;
}
