import { dynamicClientRegistrationRequest, processDynamicClientRegistrationResponse } from 'oauth4webapi';
import { jsonObject } from '../core/json.ts';
import { Secret } from '../core/secret.ts';
import type { Http } from '../http/client.ts';
import { isLoopback } from '../http/url.ts';
import { responseFailure } from './errorResponse.ts';
import { Failure } from './errors.ts';
import type { AuthorizationServer, Client, ClientAuthMethod } from './model.ts';
import { asLibraryServer, libraryResponse, postThroughLibrary } from './post.ts';

export interface Registration {
  /** The only redirect URI to register, exactly as given. */
  redirectUri: string;
  /** The client name that the consent page shows. */
  clientName: string;
  signal?: AbortSignal;
}

export interface ClientChoice extends Registration {
  /** A client that the user configured (A8). */
  configured?: { clientId: string; clientSecret?: Secret };
  /** The https URL of our client metadata document (A7), if there is one that lists this redirect URI. */
  clientMetadataUrl?: string;
}

/**
 * Chooses the client to use with this authorization server, in the order of A6: the configured client, our client
 * metadata document, or a new registration.
 * @throws Failure `misconfigured` with code `no_registration` if the user has to configure a client, else as `register`
 */
export async function chooseClient(http: Http, server: AuthorizationServer, choice: ClientChoice): Promise<Client> {
  const { configured, clientMetadataUrl } = choice;
  if (configured !== undefined && configured.clientId !== '') {
    const { clientId, clientSecret } = configured;
    return clientSecret === undefined
      ? { clientId, authMethod: 'none' }
      : { clientId, clientSecret, authMethod: secretMethod(server) };
  }
  if (clientMetadataUrl !== undefined && server.clientIdMetadataDocumentSupported) {
    return { clientId: clientMetadataUrl, authMethod: 'none' };
  }
  return register(http, server, choice);
}

/**
 * Registers a client for exactly one redirect URI (RFC 7591).
 * @throws Failure `misconfigured` with code `no_registration` if the server does not support registration,
 *   `serverRejected` with the server's error code (`invalid_redirect_uri`, …) and reason, else as any request
 */
export async function register(http: Http, server: AuthorizationServer, registration: Registration): Promise<Client> {
  if (server.registrationEndpoint === undefined) {
    const { host } = new URL(server.issuer);
    throw new Failure('misconfigured', { step: 'registration', code: 'no_registration', host });
  }
  const type = applicationType(registration.redirectUri);
  try {
    return await registerAs(http, server, registration, type);
  } catch (error) {
    if (!(error instanceof Failure && mayConcernApplicationType(error))) {
      throw error;
    }
    // Servers that support only one application type reject the other (A27). If both fail, the first error is
    // reported.
    const otherType = type === 'web' ? 'native' : 'web';
    return await registerAs(http, server, registration, otherType).catch((secondError: unknown) => {
      throw secondError instanceof Failure && secondError.kind !== 'cancelled' ? error : secondError;
    });
  }
}

type ApplicationType = 'web' | 'native';

async function registerAs(
  http: Http,
  server: AuthorizationServer,
  { redirectUri, clientName, signal }: Registration,
  applicationType: ApplicationType,
): Promise<Client> {
  const response = await postThroughLibrary(
    http,
    {
      step: 'registration',
      privateAddresses: server.onPrivateNetwork ? 'allow' : 'refuse',
      ...(signal && { signal }),
    },
    (options) =>
      dynamicClientRegistrationRequest(
        asLibraryServer(server),
        {
          client_name: clientName,
          redirect_uris: [redirectUri],
          grant_types: ['authorization_code', 'refresh_token'],
          response_types: ['code'],
          token_endpoint_auth_method: requestedMethod(server),
          application_type: applicationType,
        },
        options,
      ),
  );
  const failure = responseFailure(response, 'registration', []);
  if (failure !== undefined) {
    throw withRedirectCode(failure);
  }
  return readClient(jsonObject(response.body) ?? {}, server, redirectUri, response.url.host);
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

/** Reads the registration response. Its auth method overrides the one that we requested (openai/codex#40928). */
async function readClient(
  response: Record<string, unknown>,
  server: AuthorizationServer,
  redirectUri: string,
  host: string,
): Promise<Client> {
  const details = { step: 'registration', host } as const;
  const { client_secret: secret } = response;
  const clientSecret = typeof secret === 'string' && secret !== '' ? secret : undefined;
  // RFC 7591 requires it with a secret, but servers often omit it.
  const expiresAt = seconds(response.client_secret_expires_at) ?? 0;
  if (typeof response.client_id !== 'string' || response.client_id === '') {
    throw new Failure('invalidResponse', { ...details, code: 'no_client_id', missing: 'client_id' });
  }
  const uris = response.redirect_uris;
  if (Array.isArray(uris) && !uris.includes(redirectUri)) {
    // RFC 7591 lets the server register another URI, but then we would not receive the authorization response.
    throw new Failure('serverRejected', { ...details, code: 'invalid_redirect_uri' });
  }
  const { client_id: clientId } = await processDynamicClientRegistrationResponse(
    libraryResponse({ ...response, client_secret: clientSecret, client_secret_expires_at: expiresAt }, 201),
  );
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
      clientSecretExpiresAtSeconds: expiresAt,
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
