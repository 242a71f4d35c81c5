import { requestChallenge } from '../../../src/oauth/challenge.ts';
import { discover } from '../../../src/oauth/discovery.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Discovery } from '../../../src/oauth/model.ts';
import { register } from '../../../src/oauth/registration.ts';
import type { Shape } from '../contract.ts';
import { type Check, independently } from './check.ts';
import { type Expected, Including, OneOf, Only, Optional } from './shape.ts';

/** The name under which the check registers its clients; the consent page shows it. */
export const clientName = 'Notion MCP Authentication (check)';

const loopback = 'http://127.0.0.1/callback';
const customScheme = 'vscode://seedling.notion-mcp-auth/callback';
const unknownClient = { client_id: 'unknown-client' };
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Reads all metadata and the challenge. @throws Failure if discovery fails */
export async function checkMetadata(check: Check): Promise<Discovery> {
  const { exchanges, findings, serverUrl, signal } = check;
  const { origin, pathname } = serverUrl;
  const get = (path: string) => exchanges.send({ method: 'GET', url: new URL(path, origin), signal });
  const resource = (url: string) => ({
    resource: new OneOf(url),
    authorization_servers: new OneOf([origin]),
    scopes_supported: new OneOf(['default']),
    bearer_methods_supported: new OneOf(['header']),
    resource_name: 'string' as const,
  });
  const wellKnown = '/.well-known/oauth-protected-resource';
  const compareMetadata = (shape: Shape, path: string, expected: Expected) =>
    independently(async () => findings.compareResponse(shape, 200, expected, await get(path)));
  await compareMetadata('resource metadata of /mcp', wellKnown + pathname, resource(serverUrl.href));
  await compareMetadata('resource metadata at the root', wellKnown, resource(origin));
  await compareMetadata('authorization server metadata', '/.well-known/oauth-authorization-server', {
    issuer: new OneOf(origin),
    authorization_endpoint: new OneOf(`${origin}/authorize`),
    token_endpoint: new OneOf(`${origin}/token`),
    registration_endpoint: new OneOf(`${origin}/register`),
    revocation_endpoint: new OneOf(`${origin}/token`),
    scopes_supported: new OneOf(['default']),
    response_types_supported: new Including('code'),
    grant_types_supported: new Including(...['authorization_code', 'refresh_token', jwtBearer]),
    authorization_grant_profiles_supported: new Including('urn:ietf:params:oauth:grant-profile:id-jag'),
    token_endpoint_auth_methods_supported: new Including(...['client_secret_basic', 'client_secret_post', 'none']),
    code_challenge_methods_supported: new Including('plain', 'S256'),
    client_id_metadata_document_supported: new OneOf(true),
  });
  await independently(async () => {
    const { status } = await get('/.well-known/openid-configuration');
    expectStatus(check, 'no OpenID configuration', 404, status);
  });
  await requestChallenge(exchanges.http, serverUrl, { signal });
  const challenge = exchanges.last.headers.get('www-authenticate') ?? '';
  findings.compare(
    '401 challenge',
    new Only({
      realm: new OneOf('OAuth'),
      resource_metadata: new OneOf(origin + wellKnown + pathname),
      error: new OneOf('invalid_token'),
      error_description: new Optional('string'),
    }),
    Object.fromEntries([...challenge.matchAll(/([a-z_]+)="([^"]*)"/g)].map(([, name = '', value]) => [name, value])),
  );
  return discover(exchanges.http, serverUrl, { signal });
}

/** Registers clients that are not used any further, and sends requests that have to be refused. */
export async function checkRegistration(check: Check, { authorizationServer }: Discovery): Promise<void> {
  const { exchanges, findings, signal } = check;
  const { registrationEndpoint, tokenEndpoint, authorizationEndpoint } = authorizationServer;
  const post = (url: string, headers: Record<string, string>, body: string) =>
    exchanges.send({ method: 'POST', url: new URL(url), headers, body, signal });
  const requestTokens = (parameters: Record<string, string>, headers: Record<string, string> = {}) =>
    post(
      tokenEndpoint,
      { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      String(new URLSearchParams(parameters)),
    );
  const refresh = { grant_type: 'refresh_token', refresh_token: 'a:b:c' };

  await independently(async () => {
    if (registrationEndpoint === undefined) {
      return;
    }
    const metadata = JSON.stringify({ client_name: clientName, redirect_uris: [loopback] });
    const registered = await post(registrationEndpoint, { 'content-type': 'application/json' }, metadata);
    findings.compareResponse('confidential client by default', 201, confidentialClient, registered);
    const { client_id: id, client_secret: secret } = (registered.json ?? {}) as Record<string, unknown>;
    const credentials = btoa(`${encodeURIComponent(String(id))}:${encodeURIComponent(String(secret))}`);
    const basic = { authorization: `Basic ${credentials}` };
    const { status } = await requestTokens({ ...refresh, client_id: String(id) }, basic);
    expectStatus(check, 'Basic together with a client_id in the body', 400, status);
    const refused = await requestTokens({ grant_type: jwtBearer, assertion: 'a.b.c' }, basic);
    findings.compareResponse('refused enterprise assertion', 400, oauthError('invalid_grant'), refused);
  });
  await independently(async () => {
    const registration = { redirectUri: customScheme, clientName, signal };
    await register(exchanges.http, authorizationServer, registration).catch((error: unknown) => {
      if (!(error instanceof Failure && error.kind === 'serverRejected')) {
        throw error;
      }
    });
    expectStatus(check, 'custom-scheme redirect URIs', 201, exchanges.last.status);
  });
  await independently(async () => {
    const notFound = { ...oauthError('invalid_client'), error_description: new OneOf('Client not found') };
    const response = await requestTokens({ ...refresh, ...unknownClient });
    findings.compareResponse('unknown client at /token', 401, notFound, response);
  });
  await independently(async () => {
    const page = new URL(authorizationEndpoint);
    page.search = String(new URLSearchParams({ response_type: 'code', redirect_uri: loopback, ...unknownClient }));
    try {
      const { status } = await exchanges.send({ method: 'GET', url: page, signal });
      expectStatus(check, 'authorize page of an unknown client', 400, status);
    } catch (error) {
      if (!(error instanceof Failure && error.details.code === 'redirected')) {
        throw error;
      }
      findings.differs('authorize page of an unknown client', 'a redirect');
    }
  });
}

const confidentialClient: Expected = {
  client_id: 'string',
  client_secret: 'string',
  token_endpoint_auth_method: new OneOf('client_secret_basic'),
};

function oauthError(code: string) {
  return { error: new OneOf(code), error_description: 'string' } as const;
}

function expectStatus({ findings }: Check, shape: Shape, expected: number, status: number): void {
  if (status === expected) {
    findings.agrees(shape);
  } else {
    findings.differs(shape, `status ${status}`);
  }
}
