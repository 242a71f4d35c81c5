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
  /** The one redirect URI, registered exactly as it is. */
  redirectUri: string;
  /** What the consent page calls us. */
  clientName: string;
  signal?: AbortSignal;
}

export interface ClientChoice extends Registration {
  /** A client that the person configured (A8). */
  configured?: { clientId: string; clientSecret?: Secret };
  /** The https address of our client metadata document (A7), when there is one that holds this redirect URI. */
  clientMetadataUrl?: string;
}

/**
 * Who we are at this server, in the order of A6: the configured client, our metadata document, a new registration.
 * @throws Failure `misconfigured` with code `no_registration` when the person has to be asked, else as `register`
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
 * @throws Failure `misconfigured` with code `no_registration` when the server takes none, `serverRejected` with the
 *   server's code (`invalid_redirect_uri`, …) and reason, else as any request
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
    if (!(error instanceof Failure && isAboutType(error))) {
      throw error;
    }
    // Servers that know only one application type refuse the other (A27); of two refusals the first one tells.
    return await registerAs(http, server, registration, type === 'web' ? 'native' : 'web').catch((second: unknown) => {
      throw second instanceof Failure && second.kind !== 'cancelled' ? error : second;
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
    throw namedForRedirect(failure);
  }
  return readClient(jsonObject(response.body) ?? {}, server, redirectUri, response.url.host);
}

/** `web` for an https redirect that is not this computer, as OpenID Connect Registration defines the two (A27). */
function applicationType(redirectUri: string): ApplicationType {
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined;
  return url?.protocol === 'https:' && !isLoopback(url.hostname) ? 'web' : 'native';
}

/**
 * A refused redirect URI under the code that RFC 7591 has for it: workers-oauth-provider 1.2.3 refuses `vscode://` as
 * `invalid_client_metadata` and says only in words that it is the redirect. Callers go on with another redirect.
 */
function namedForRedirect(failure: Failure): Failure {
  const { code, serverReason = '' } = failure.details;
  return code === 'invalid_client_metadata' && /\bredirect[ _]uris?\b/i.test(serverReason)
    ? new Failure(failure.kind, { ...failure.details, code: 'invalid_redirect_uri' })
    : failure;
}

function isAboutType({ kind, details }: Failure): boolean {
  return (
    kind === 'serverRejected' && (details.code === 'invalid_redirect_uri' || details.code === 'invalid_client_metadata')
  );
}

/** A public client where the server takes one; a server that lists its methods without `none` would refuse us. */
function requestedMethod({ tokenEndpointAuthMethodsSupported: supported }: AuthorizationServer): ClientAuthMethod {
  if (supported === undefined || supported.includes('none')) {
    return 'none';
  }
  return supported.find(isKnownMethod) ?? 'none';
}

/** Reads the answer to a registration; the auth method it names is obeyed, whatever we asked for (openai/codex#40928). */
async function readClient(
  answer: Record<string, unknown>,
  server: AuthorizationServer,
  redirectUri: string,
  host: string,
): Promise<Client> {
  const details = { step: 'registration', host } as const;
  const { client_secret: said } = answer;
  const clientSecret = typeof said === 'string' && said !== '' ? said : undefined;
  // Required beside a secret, and often left out.
  const expiresAt = seconds(answer.client_secret_expires_at) ?? 0;
  if (typeof answer.client_id !== 'string' || answer.client_id === '') {
    throw new Failure('invalidResponse', { ...details, code: 'no_client_id', missing: 'client_id' });
  }
  const uris = answer.redirect_uris;
  if (Array.isArray(uris) && !uris.includes(redirectUri)) {
    // The server registered something else (RFC 7591 allows that); it would not send the answer to us.
    throw new Failure('serverRejected', { ...details, code: 'invalid_redirect_uri' });
  }
  const { client_id: clientId } = await processDynamicClientRegistrationResponse(
    libraryResponse({ ...answer, client_secret: clientSecret, client_secret_expires_at: expiresAt }, 201),
  );
  const authMethod = registeredMethod(answer.token_endpoint_auth_method, clientSecret !== undefined, server);
  if (authMethod === undefined) {
    throw new Failure('invalidResponse', { ...details, code: 'unknown_auth_method' });
  }
  if (authMethod !== 'none' && clientSecret === undefined) {
    throw new Failure('invalidResponse', { ...details, code: 'no_client_secret', missing: 'client_secret' });
  }
  const issuedAt = seconds(answer.client_id_issued_at);
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
  answered: unknown,
  hasSecret: boolean,
  server: AuthorizationServer,
): ClientAuthMethod | undefined {
  if (answered === undefined || answered === null) {
    return hasSecret ? secretMethod(server) : 'none';
  }
  return isKnownMethod(answered) ? answered : undefined;
}

/** How a secret is sent when nobody said: RFC 6749's default, unless the server lists its methods without it. */
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
