import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/registry.ts';
import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import { Secret } from '../core/secret.ts';

/** The previous token counts for this long, as another extension may still be about to use it. */
const previousLimitMs = 10 * 60_000;

interface Tokens {
  current: Secret;
  previous?: { token: Secret; untilMs: number };
}

/**
 * Tells whose token another extension presents. The editor gave it that token after the user had allowed the extension
 * to use the account, so who knows it may use the account. Nothing tells an unknown token from one of earlier.
 */
export class TokenOwners {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Tokens>();

  /** To be created as soon as the accounts are loaded. */
  constructor(accounts: Pick<Accounts, 'list' | 'onDidChange'>, clock: Clock) {
    this.#clock = clock;
    this.#note(accounts.list().filter(({ state }) => state !== 'dormant'));
    accounts.onDidChange(({ added, changed, removed }) => {
      for (const { grant } of removed) {
        this.#tokens.delete(grant.id);
      }
      this.#note([...added, ...changed]);
    });
  }

  /** The id of the grant whose access token this is, or was until a short while ago; else undefined. */
  async ownerOf(accessToken: string): Promise<string | undefined> {
    const presented = await digest(new Secret(accessToken));
    const nowMs = this.#clock.monotonicMs();
    let owner: string | undefined;
    for (const [grantId, { current, previous }] of this.#tokens) {
      const valid = previous !== undefined && nowMs < previous.untilMs ? [current, previous.token] : [current];
      const digests = await Promise.all(valid.map(digest));
      if (digests.includes(presented)) {
        owner = grantId;
      }
    }
    return owner;
  }

  #note(accounts: readonly Account[]): void {
    for (const { grant } of accounts) {
      const { accessToken } = grant.tokens;
      const known = this.#tokens.get(grant.id);
      if (known === undefined) {
        this.#tokens.set(grant.id, { current: accessToken });
      } else if (!known.current.equals(accessToken)) {
        const previous = { token: known.current, untilMs: this.#clock.monotonicMs() + previousLimitMs };
        this.#tokens.set(grant.id, { current: accessToken, previous });
      }
    }
  }
}

/** Compared instead of the tokens themselves, so that the time that it takes tells nothing about them. */
async function digest(token: Secret): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token.reveal()))));
}
