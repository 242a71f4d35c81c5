import { systemClock } from '../../src/core/clock.ts';
import { type Randomness, systemRandomness } from '../../src/core/random.ts';
import type { Secret } from '../../src/core/secret.ts';
import type { Http } from '../../src/http/client.ts';
import { buildAuthorization, validateCallback } from '../../src/oauth/authorization.ts';
import type { Challenge } from '../../src/oauth/challenge.ts';
import { discover } from '../../src/oauth/discovery.ts';
import type { AuthorizationServer, Client, Tokens } from '../../src/oauth/model.ts';
import { type ClientChoice, chooseClient } from '../../src/oauth/registration.ts';
import { stepUpScopes } from '../../src/oauth/scopes.ts';
import { exchange } from '../../src/oauth/token.ts';

export interface AuthorizerParts {
  http: Http;
  serverUrl: URL;
  redirectUri: string;
  /** A client that is already registered, and the issuer that registered it. */
  preregistered?: { clientId: string; clientSecret: Secret; issuer: string };
  clientMetadataUrl?: string;
  /** Plays the browser and its user: opens the authorization URL and returns the URL that it was redirected to. */
  browse: (url: string) => Promise<URL>;
  randomness?: Randomness;
}

export interface Authorized {
  server: AuthorizationServer;
  client: Client;
  tokens: Tokens;
  resource: string;
}

/** Signs in without an editor, with `src/oauth` only, as `src/signIn` does for users. */
export class Authorizer {
  readonly #parts: AuthorizerParts;
  /** Client registrations by issuer; a client is never sent to another authorization server (A10). */
  readonly #clients = new Map<string, Client>();
  #requestedScopes: readonly string[] | undefined;

  constructor(parts: AuthorizerParts) {
    this.#parts = parts;
  }

  /** Runs a sign-in, or a step-up for the scopes of a challenge (A17). @throws Failure */
  async authorize(challenge: Challenge | undefined): Promise<Authorized> {
    const { http, serverUrl, redirectUri, browse, randomness = systemRandomness } = this.#parts;
    const discovery = await discover(http, serverUrl, { ...(challenge && { challenge }) });
    const { authorizationServer: server, resource } = discovery;
    const client = this.#clients.get(server.issuer) ?? (await this.#chooseClient(server));
    this.#clients.set(server.issuer, client);
    const scopes = stepUpScopes(this.#requestedScopes, discovery.scopes);
    this.#requestedScopes = scopes;
    const pending = await buildAuthorization(discovery, client, {
      redirectUri,
      ...(scopes && { scopes }),
      randomness,
      prompt: 'consent',
    });
    const callbackUrl = await browse(pending.url);
    const code = validateCallback(pending, callbackUrl.searchParams);
    const { verifier } = pending;
    const tokens = await exchange(http, server, client, { code, verifier, redirectUri, resource, clock: systemClock });
    return { server, client, tokens, resource };
  }

  #chooseClient(server: AuthorizationServer): Promise<Client> {
    const { http, redirectUri, preregistered, clientMetadataUrl } = this.#parts;
    const choice: ClientChoice = {
      redirectUri,
      clientName: 'Notion MCP Authentication',
      ...(preregistered?.issuer === server.issuer && { configured: preregistered }),
      ...(clientMetadataUrl !== undefined && { clientMetadataUrl }),
    };
    return chooseClient(http, server, choice);
  }
}
