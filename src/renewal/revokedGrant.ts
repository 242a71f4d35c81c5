import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Grant, NeedsSignInReason } from '../grants/grant.ts';
import { grantLimits } from '../notion/limits.ts';
import { Failure } from '../oauth/errors.ts';
import { assertLockHeld, type StoreTransaction } from '../storage/transaction.ts';

const settlingMs = 5 * 60_000;
const confirmAfterMs = 90_000;

/** What became of a grant whose renewal was requested. */
export interface RenewalResult {
  /**
   * `renewed`: this window got new tokens. `adopted`: what another window stored. `ended`: it needs sign-in from now on.
   * `refused`: the server refuses to renew it, but has not ended it.
   */
  outcome: 'renewed' | 'adopted' | 'ended' | 'refused';
  grant: Grant;
}

/**
 * Handles the authorization server's claim that a grant has ended. It may be wrong: the server's stores can lag behind,
 * and another window may have newer tokens.
 */
export class RevokedGrant {
  readonly #clock: Clock;
  /** Rejections that may be the server's mistake and are to be confirmed once. */
  readonly #pendingConfirmations = new Map<string, { generation: number; confirmAtMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When a rejection of these tokens is to be confirmed (monotonic clock); `undefined` if none is pending. */
  confirmAtMs({ id, generation }: Grant): number | undefined {
    const pending = this.#pendingConfirmations.get(id);
    return pending?.generation === generation ? pending.confirmAtMs : undefined;
  }

  /** The grant was renewed or has ended: there is nothing left to confirm. */
  settled(grantId: string): void {
    this.#pendingConfirmations.delete(grantId);
  }

  /**
   * Ends a grant that the server rejected: at once, or after one more attempt if the server's stores may lag behind,
   * and only if the journal still holds the refresh token that was sent.
   * @throws Failure `transient` until the rejection is confirmed
   */
  async confirmOrEnd(transaction: StoreTransaction, grant: Grant, failure: Failure, log: Log): Promise<RenewalResult> {
    await assertLockHeld(transaction);
    const current = await transaction.read();
    if (current.generation !== grant.generation) {
      log.info('Another window has renewed the tokens in the meantime; using them.', { account: grant });
      return { outcome: 'adopted', grant: current };
    }
    const nowMs = this.#clock.nowMs();
    // Also just after a sign-in: what the server issued a moment ago may be unknown to its other stores.
    const isSettling = nowMs - grant.tokens.obtainedAtMs < settlingMs;
    if ((isSettling || failure.kind === 'invalidClient') && !this.#isConfirmationDue(grant)) {
      throw this.#postpone(grant, failure, log);
    }
    return this.endGrant(transaction, grant, log, reasonFor(grant, failure, nowMs), failure.details.code);
  }

  /**
   * Ends a grant without refresh token whose access token the MCP server rejected: not at the first rejection, which may
   * be a mistake, but if the server still rejects the token when it is tried later, by `identify`.
   * @throws Failure `transient` until the rejection is confirmed, or what `identify` throws otherwise
   */
  async confirmRejectedToken(
    transaction: StoreTransaction,
    grant: Grant,
    identify: () => Promise<unknown>,
    log: Log,
  ): Promise<RenewalResult> {
    if (!this.#isConfirmationDue(grant)) {
      const { host } = new URL(grant.serverUrl);
      throw this.#postpone(grant, new Failure('serverRejected', { step: 'token', code: 'invalid_token', host }), log);
    }
    try {
      await identify();
      this.settled(grant.id);
      return { outcome: 'adopted', grant };
    } catch (error) {
      if (error instanceof Failure && error.details.code === 'invalid_token') {
        return this.endGrant(transaction, grant, log, 'noRefreshToken', 'invalid_token');
      }
      throw error;
    }
  }

  #isConfirmationDue(grant: Grant): boolean {
    const confirmAtMs = this.confirmAtMs(grant);
    return confirmAtMs !== undefined && this.#clock.monotonicMs() >= confirmAtMs;
  }

  /** Notes that a rejection is to be confirmed, and returns the failure to report until then. */
  #postpone(grant: Grant, { details }: Failure, log: Log): Failure {
    this.#pendingConfirmations.set(grant.id, {
      generation: grant.generation,
      confirmAtMs: this.confirmAtMs(grant) ?? this.#clock.monotonicMs() + confirmAfterMs,
    });
    log.warn('The server rejected the account; one more attempt will confirm this.', {
      account: grant,
      code: details.code,
    });
    return new Failure('transient', { ...details, code: 'unconfirmed', retryAfterMs: confirmAfterMs });
  }

  /** Marks the account as needing sign-in and removes its refresh token for good. @throws Failure if the lock was lost */
  async endGrant(
    transaction: StoreTransaction,
    grant: Grant,
    log: Log,
    reason: NeedsSignInReason,
    serverCode?: string,
  ): Promise<RenewalResult> {
    const { refreshToken: _, ...tokens } = grant.tokens;
    const ended: Grant = {
      ...grant,
      generation: grant.generation + 1,
      tokens,
      needsSignIn: { reason, ...(serverCode !== undefined && { serverCode }) },
    };
    await assertLockHeld(transaction);
    await transaction.write(ended);
    this.settled(grant.id);
    log.warn('The account needs to be signed in again.', { account: grant, reason, serverCode });
    return { outcome: 'ended', grant: ended };
  }
}

/** Whether a failure means that the grant has ended. */
export function endsGrant({ kind }: Failure): boolean {
  return kind === 'invalidGrant' || kind === 'invalidClient';
}

/** The failure to report for a grant that needs sign-in. */
export function needsSignInFailure({ needsSignIn, authorizationServer }: Grant): Failure {
  const details = { step: 'token', code: 'ended', host: new URL(authorizationServer.tokenEndpoint).host } as const;
  return new Failure(needsSignIn?.reason === 'invalidClient' ? 'invalidClient' : 'invalidGrant', details);
}

/** The server does not say why a grant ended, but the local clock reveals some reasons. */
function reasonFor({ serverUrl, signedInAtMs, tokens }: Grant, { kind }: Failure, nowMs: number): NeedsSignInReason {
  if (kind === 'invalidClient') {
    return 'invalidClient';
  }
  const { lifeMs, idleMs } = grantLimits(serverUrl);
  if (nowMs - signedInAtMs >= lifeMs) {
    return 'tooOld';
  }
  return nowMs - tokens.obtainedAtMs >= idleMs ? 'idle' : 'ended';
}
