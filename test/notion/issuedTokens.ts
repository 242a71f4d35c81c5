import type { Delay, Profile } from './profile.ts';

/**
 * What the server knows of the tokens it issued beyond what the library stores: when they expire, when they were rotated
 * out, and since when they are known.
 */
export class IssuedTokens {
  readonly #nowMs: () => number;
  readonly #expiresAtMs = new Map<string, number>();
  /** The refresh tokens of each grant that the library accepts. */
  readonly #valid = new Map<string, string[]>();
  /** When a refresh token was rotated out. */
  readonly #rotatedOutAtMs = new Map<string, number>();
  readonly #unknown = new Map<string, { requests: number; untilMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Records an access token's lifetime, because the library enforces at least one minute. */
  addAccessToken(token: string, lifeSeconds: number): void {
    this.#expiresAtMs.set(token, this.#nowMs() + lifeSeconds * 1_000);
  }

  isExpired(accessToken: string): boolean {
    return (this.#expiresAtMs.get(accessToken) ?? Number.POSITIVE_INFINITY) <= this.#nowMs();
  }

  /** Records a refresh token, and the one that it replaced. */
  addRefreshToken(token: string, replaced: string | undefined, { refreshReuse }: Profile): void {
    const grant = grantOf(token);
    const valid = replaced === undefined || refreshReuse === 'strict' ? [token] : [replaced, token];
    for (const other of this.#valid.get(grant) ?? []) {
      if (!valid.includes(other)) {
        this.#rotatedOutAtMs.set(other, this.#nowMs());
      }
    }
    this.#valid.set(grant, valid);
  }

  /** Whether the use of this refresh token is taken for theft. */
  isReplayed(refreshToken: string, { refreshReuse, refreshGraceSeconds }: Profile): boolean {
    const rotatedOutAtMs = this.#rotatedOutAtMs.get(refreshToken);
    const graceMs = refreshReuse === 'strict' ? 0 : refreshGraceSeconds * 1_000;
    return rotatedOutAtMs !== undefined && this.#nowMs() - rotatedOutAtMs >= graceMs;
  }

  /** Leaves a credential unknown for some time. */
  delay(credential: string, delay: Delay | undefined): void {
    if (delay !== undefined) {
      this.#unknown.set(credential, {
        requests: 'requests' in delay ? delay.requests : 0,
        untilMs: 'ms' in delay ? this.#nowMs() + delay.ms : 0,
      });
    }
  }

  /** Whether the server does not know this credential yet; the request that presents it counts. */
  isUnknown(credential: string): boolean {
    const unknown = this.#unknown.get(credential);
    if (unknown === undefined) {
      return false;
    }
    unknown.requests -= 1;
    return unknown.requests >= 0 || this.#nowMs() < unknown.untilMs;
  }
}

/** Tokens are `<user>:<grant>:<secret>`. */
function grantOf(token: string): string {
  return token.split(':').slice(0, 2).join(':');
}
