import type { FreshSignIn } from '../../../src/accounts/addAccount.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Identity } from '../../../src/notion/identity.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Tokens } from '../../../src/oauth/model.ts';
import type { GrantRequests } from '../../../src/renewal/grantRequests.ts';

/**
 * A substitute for an authorization server, whose responses a test can time. It rotates refresh tokens as Notion does.
 * `strict`: a refresh token that is sent twice ends its grant. `lenient`: the previous refresh token is accepted until
 * the current one is used.
 */
export class TokenServer {
  readonly #nowMs: () => number;
  readonly #ended = new Set<string>();
  /** The currently valid refresh tokens of each grant, newest last. */
  readonly #valid = new Map<string, string[]>();
  kind: 'strict' | 'lenient' = 'strict';
  #count = 0;
  lifeSeconds = 3_600;
  readonly refreshes: string[] = [];
  readonly revoked: string[] = [];
  probes = 0;
  /** The access tokens with which an identity was requested. */
  readonly identifications: string[] = [];
  /** Responds to identity requests. */
  identity: (grant: Grant) => Promise<Identity> = async () => {
    throw new Failure('transient', { step: 'identity', code: 'http_503', status: 503 });
  };
  /** Makes revocation fail, as without a network. */
  cannotRevoke = false;
  /** Replaces the responses to the next refresh requests, in order; `respond` makes the ordinary one. */
  readonly next: ((grant: Grant, respond: () => Tokens) => Promise<Tokens> | Tokens)[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** The result of a sign-in; without a `user` its identity is unknown. */
  signIn(user: string | undefined, workspace = 'wiki', serverUrl = 'https://mcp.example/mcp'): FreshSignIn {
    const grant = `grant${++this.#count}`;
    return {
      serverUrl,
      resource: serverUrl,
      authorizationServer: {
        issuer: 'https://mcp.example',
        authorizationEndpoint: 'https://mcp.example/authorize',
        tokenEndpoint: 'https://mcp.example/token',
      },
      client: { clientId: `client-${grant}`, authMethod: 'none' },
      tokens: this.#tokens(grant),
      ...(user !== undefined && {
        identity: { userId: user, userName: user, workspaceId: workspace, workspaceName: workspace },
      }),
      askedScopes: ['default'],
    };
  }

  /** Ends a grant at the server. */
  end(grant: Grant): void {
    this.#ended.add(grantOf(grant));
  }

  get requests(): GrantRequests {
    return {
      refresh: async (grant) => {
        const token = grant.tokens.refreshToken?.reveal() ?? '';
        this.refreshes.push(token);
        const override = this.next.shift();
        return override === undefined
          ? this.#respond(grant, token)
          : override(grant, () => this.#respond(grant, token));
      },
      revoke: async (grant) => {
        if (this.cannotRevoke) {
          throw new Failure('transient', { step: 'revocation', code: 'unreachable' });
        }
        this.revoked.push(grant.tokens.refreshToken?.reveal() ?? '');
        this.end(grant);
      },
      probe: async () => {
        this.probes += 1;
      },
      identify: async (grant) => {
        this.identifications.push(grant.tokens.accessToken.reveal());
        return this.identity(grant);
      },
    };
  }

  #respond(grant: Grant, token: string): Tokens {
    const name = grantOf(grant);
    const valid = this.#valid.get(name) ?? [];
    if (this.#ended.has(name) || !valid.includes(token)) {
      this.#ended.add(name);
      throw new Failure('invalidGrant', { step: 'token', code: 'invalid_grant', status: 400, host: 'mcp.example' });
    }
    this.#valid.set(name, this.kind === 'lenient' ? [token] : []);
    return this.#tokens(name);
  }

  #tokens(grant: string): Tokens {
    const number = ++this.#count;
    this.#valid.set(grant, [...(this.#valid.get(grant) ?? []), `refresh-${grant}-${number}`]);
    return {
      accessToken: new Secret(`access-${grant}-${number}`),
      refreshToken: new Secret(`refresh-${grant}-${number}`),
      obtainedAtMs: this.#nowMs(),
      expiresInSeconds: this.lifeSeconds,
    };
  }
}

function grantOf({ client }: Grant): string {
  return client.clientId.replace(/^client-/, '');
}
