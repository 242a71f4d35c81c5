import type { FreshSignIn } from '../../../src/accounts/addAccount.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Tokens } from '../../../src/oauth/model.ts';
import type { GrantRequests } from '../../../src/renewal/grantRequests.ts';

/**
 * Stands in for an authorization server whose answers a test has to time: it rotates refresh tokens as Notion does.
 * `strict`: a refresh token that was spent twice ends its grant. `mild`: the one before the current one is still taken
 * until the current one is used.
 */
export class TokenServer {
  readonly #nowMs: () => number;
  readonly #ended = new Set<string>();
  /** The refresh tokens of each grant that are good now, the newest last. */
  readonly #good = new Map<string, string[]>();
  kind: 'strict' | 'mild' = 'strict';
  #count = 0;
  lifeSeconds = 3_600;
  readonly refreshes: string[] = [];
  readonly revoked: string[] = [];
  probes = 0;
  /** Revocation fails: the network is gone. */
  cannotRevoke = false;
  /** What happens instead of the next refreshes, in order; `undefined` is an ordinary answer. */
  readonly next: ((grant: Grant, answer: () => Tokens) => Promise<Tokens> | Tokens)[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** What a sign-in gets. */
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

  /** The server ends a grant of its own accord. */
  end(grant: Grant): void {
    this.#ended.add(grantOf(grant));
  }

  get protocol(): GrantRequests {
    return {
      refresh: async (grant) => {
        const token = grant.tokens.refreshToken?.reveal() ?? '';
        this.refreshes.push(token);
        const special = this.next.shift();
        return special === undefined ? this.#answer(grant, token) : special(grant, () => this.#answer(grant, token));
      },
      revoke: async (grant) => {
        if (this.cannotRevoke) {
          throw new Failure('transient', { step: 'revocation', code: 'network' });
        }
        this.revoked.push(grant.tokens.refreshToken?.reveal() ?? '');
        this.end(grant);
      },
      probe: async () => {
        this.probes += 1;
      },
    };
  }

  #answer(grant: Grant, token: string): Tokens {
    const name = grantOf(grant);
    const good = this.#good.get(name) ?? [];
    if (this.#ended.has(name) || !good.includes(token)) {
      this.#ended.add(name);
      throw new Failure('invalidGrant', { step: 'token', code: 'invalid_grant', status: 400, host: 'mcp.example' });
    }
    this.#good.set(name, this.kind === 'mild' ? [token] : []);
    return this.#tokens(name);
  }

  #tokens(grant: string): Tokens {
    const number = ++this.#count;
    this.#good.set(grant, [...(this.#good.get(grant) ?? []), `refresh-${grant}-${number}`]);
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
