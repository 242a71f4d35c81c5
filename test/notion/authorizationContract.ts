import type { ContractRow } from './contractRow.ts';

const buildClient = 'developers.notion.com/guides/mcp/build-mcp-client';
const enterprise = 'developers.notion.com/guides/mcp/enterprise-managed-authorization';
const library = 'reported: cloudflare/workers-oauth-provider 0.8.3, on which Notion builds';

/** What is known of Notion's authorization server. */
export const authorizationContract = [
  {
    shape: 'resource metadata of /mcp',
    kind: 'reported',
    source: 'reported: moltis-org/moltis#1119',
    test: 'the resource metadata of /mcp names the MCP endpoint, and that at the root names the origin',
    profile: ['scopes'],
  },
  {
    shape: 'resource metadata at the root',
    kind: 'reported',
    source: 'reported',
    test: 'the resource metadata of /mcp names the MCP endpoint, and that at the root names the origin',
    profile: ['scopes'],
  },
  {
    shape: 'authorization server metadata',
    kind: 'reported',
    source: `reported; the grant types: ${enterprise}`,
    test: 'the authorization server metadata has the members and values that clients recorded',
    profile: ['scopes'],
  },
  {
    shape: 'no OpenID configuration',
    kind: 'reported',
    source: 'reported',
    test: 'there is no OpenID configuration',
  },
  {
    shape: '401 challenge',
    kind: 'reported',
    source: 'reported: moltis-org/moltis#1119',
    test: 'a request without a token and one with an unknown token get the library’s challenges',
  },
  {
    shape: 'registration response',
    kind: 'reported',
    source: library,
    test: 'a registration gets status 201 and makes a confidential client unless it asks for the method none',
  },
  {
    shape: 'confidential client by default',
    kind: 'reported',
    source: library,
    test: 'a registration gets status 201 and makes a confidential client unless it asks for the method none',
  },
  {
    shape: 'Basic together with a client_id in the body',
    kind: 'reported',
    source: `${library}; to leave it out: ${enterprise}`,
    test: 'Basic authentication together with a client_id in the body is refused with status 400',
  },
  {
    shape: 'exact redirect URIs',
    kind: 'reported',
    source: library,
    test: 'a redirect URI has to match exactly, except for the port of a loopback address',
  },
  {
    shape: 'custom-scheme redirect URIs',
    kind: 'reported',
    source: `${library}; refused from 1.2.3 on`,
    test: 'a redirect URI with a custom scheme can be registered unless the profile refuses it',
    profile: ['customSchemes'],
  },
  {
    shape: 'authorize page of an unknown client',
    kind: 'reported',
    source: 'reported: anthropics/claude-ai-mcp#774',
    test: 'the authorize page of a purged client is an error page without a redirect',
  },
  {
    shape: 'consent through /callback',
    kind: 'reported',
    source: 'reported: anthropics/claude-code#52936',
    test: 'the consent is posted to /callback with the authorization request as base64 of JSON',
  },
  {
    shape: 'consent that the user denies',
    kind: 'assumed',
    source: 'RFC 6749 section 4.1.2.1',
    test: 'denying access on the consent page fails the sign-in as accessDenied',
  },
  {
    shape: 'user who is not a member',
    kind: 'assumed',
    source: 'the sentence: makenotion/notion-mcp-server#227; no source for the redirect',
    test: 'a user or client that may not connect is redirected with access_denied and a description',
    profile: ['admission'],
  },
  {
    shape: 'client that an admin did not allow',
    kind: 'assumed',
    source: 'that admins can: developers.notion.com/guides/mcp/overview; no source for the response',
    test: 'a user or client that may not connect is redirected with access_denied and a description',
    profile: ['admission'],
  },
  {
    shape: 'token response',
    kind: 'documented',
    source: `${buildClient}; its members: ${enterprise}`,
    test: 'a token response has a lower-case token type, a lifetime and tokens with colons, and no identity',
    profile: ['accessTokenLifeSeconds', 'scopes'],
  },
  {
    shape: 'second consent for one client',
    kind: 'reported',
    source: library,
    test: 'a second consent for the same client ends the first grant',
  },
  {
    shape: 'unknown client at /token',
    kind: 'documented',
    source: enterprise,
    test: 'the token endpoint tells a purged client that it was not found',
  },
  {
    shape: 'refused enterprise assertion',
    kind: 'documented',
    source: enterprise,
    test: 'an enterprise assertion of an unknown issuer is refused as an invalid grant',
  },
  {
    shape: 'rotation with two valid refresh tokens',
    kind: 'documented',
    source: buildClient,
    test: 'a replaced refresh token is valid until the new one is used, and a refresh ends earlier access tokens',
    profile: ['refreshReuse'],
  },
  {
    shape: 'reuse of an older refresh token',
    kind: 'documented',
    source: `${buildClient}; the description: damianvtran/local-operator#345`,
    test: 'the reuse of an older refresh token is rejected, and revokes the grant once its grace period is over',
    profile: ['refreshGraceSeconds'],
  },
  {
    shape: 'strict detection of reuse',
    kind: 'reported',
    source: 'reported: damianvtran/local-operator#345',
    test: 'with strict detection the first reuse of a refresh token revokes the grant',
    profile: ['refreshReuse'],
  },
  {
    shape: 'end of earlier access tokens at a refresh',
    kind: 'reported',
    source: 'reported: damianvtran/local-operator#340',
    test: 'a replaced refresh token is valid until the new one is used, and a refresh ends earlier access tokens',
    profile: ['refreshEndsAccessTokens'],
  },
  {
    shape: 'grant without a refresh token',
    kind: 'documented',
    source: enterprise,
    test: 'an enterprise profile issues tokens of eight hours without a refresh token',
    profile: ['refreshToken'],
  },
  {
    shape: 'revocation at /token',
    kind: 'reported',
    source: library,
    test: 'revoking the refresh token ends the grant',
  },
  {
    shape: 'credentials that are unknown at first',
    kind: 'reported',
    source: 'reported: chrisdoc/hevy-mcp#1039, which uses the same library',
    test: 'what was issued a moment ago can be unknown for some requests or for some time',
    profile: ['unknownAtFirst'],
  },
] as const satisfies readonly ContractRow[];
