import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Grant, NeedsSignInReason } from '../grants/grant.ts';
import { longestGrantIdleMs, longestGrantLifeMs } from '../notion/limits.ts';
import { Failure } from '../oauth/errors.ts';
import { assertLockHeld, type StoreTransaction } from '../storage/transaction.ts';

const settlingMs = 5 * 60_000;
const confirmAfterMs = 90_000;

/** What became of a grant whose renewal was requested. */
export interface RenewalResult {
  /** `renewed`: this window got new tokens. `adopted`: what another window stored. `ended`: it needs sign-in from now on. */
  outcome: 'renewed' | 'adopted' | 'ended';
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
      log.info('Another window has renewed the tokens in the meantime; using them.', { grant: grant.id });
      return { outcome: 'adopted', grant: current };
    }
    const nowMs = this.#clock.nowMs();
    const monotonicMs = this.#clock.monotonicMs();
    const confirmAtMs = this.confirmAtMs(grant);
    const isRotated = grant.tokens.obtainedAtMs > grant.signedInAtMs;
    const isSettling = isRotated && nowMs - grant.tokens.obtainedAtMs < settlingMs;
    const isConfirmed = confirmAtMs !== undefined && monotonicMs >= confirmAtMs;
    if ((isSettling || failure.kind === 'invalidClient') && !isConfirmed) {
      this.#pendingConfirmations.set(grant.id, {
        generation: grant.generation,
        confirmAtMs: confirmAtMs ?? monotonicMs + confirmAfterMs,
      });
      log.warn('The authorization server rejected the renewal; one more attempt will confirm this.', {
        grant: grant.id,
        code: failure.details.code,
      });
      throw new Failure('transient', { ...failure.details, code: 'unconfirmed', retryAfterMs: confirmAfterMs });
    }
    return this.endGrant(transaction, grant, log, reasonFor(grant, failure, nowMs), failure.details.code);
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
    log.warn('The account needs to be signed in again.', { grant: grant.id, reason, serverCode });
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
function reasonFor({ signedInAtMs, tokens }: Grant, { kind }: Failure, nowMs: number): NeedsSignInReason {
  if (kind === 'invalidClient') {
    return 'invalidClient';
  }
  if (nowMs - signedInAtMs >= longestGrantLifeMs) {
    return 'tooOld';
  }
  return nowMs - tokens.obtainedAtMs >= longestGrantIdleMs ? 'idle' : 'ended';
}
