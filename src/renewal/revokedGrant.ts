import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { type Grant, type NeedsSignInReason, renewedGrant } from '../grants/grant.ts';
import { longestGrantIdleMs, longestGrantLifeMs } from '../notion/limits.ts';
import { Failure } from '../oauth/errors.ts';
import type { GrantStore } from '../storage/grantStore.ts';
import { assertLockHeld, type StoreTransaction } from '../storage/transaction.ts';
import type { GrantRequests } from './grantRequests.ts';

const settlingMs = 5 * 60_000;
const confirmAfterMs = 90_000;

export interface RevokedGrantParts {
  store: GrantStore;
  protocol: GrantRequests;
  clock: Clock;
  /** Called once the end of a grant is stored, only in the window that discovered it. */
  onNeedsSignIn: (grant: Grant) => void;
}

/**
 * Handles the authorization server's claim that a grant has ended. It may be wrong: the server's stores can lag behind,
 * and another window may have newer tokens.
 */
export class RevokedGrant {
  readonly #parts: RevokedGrantParts;
  /** Rejections that may be the server's mistake and are to be confirmed once. */
  readonly #pendingConfirmations = new Map<string, { generation: number; confirmAtMs: number }>();

  constructor(parts: RevokedGrantParts) {
    this.#parts = parts;
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
   * @returns the grant if it turns out to be valid: another window has renewed it, or a late response works
   * @throws Failure `transient` until the rejection is confirmed, `invalidGrant` or `invalidClient` if the grant ended
   */
  async confirmOrEnd(transaction: StoreTransaction, grant: Grant, failure: Failure, log: Log): Promise<Grant> {
    const { clock } = this.#parts;
    await assertLockHeld(transaction);
    const current = await transaction.read();
    if (current.generation !== grant.generation) {
      if (current.needsSignIn !== undefined) {
        throw needsSignInFailure(current);
      }
      log.info('Another window has renewed the tokens in the meantime; using them.', { grant: grant.id });
      return current;
    }
    const pending = this.#pendingConfirmations.get(grant.id);
    const isRotated = grant.tokens.obtainedAtMs > grant.signedInAtMs;
    const isSettling = isRotated && clock.nowMs() - grant.tokens.obtainedAtMs < settlingMs;
    const isConfirmed = pending?.generation === grant.generation && clock.monotonicMs() >= pending.confirmAtMs;
    if ((isSettling || failure.kind === 'invalidClient') && !isConfirmed) {
      this.#pendingConfirmations.set(grant.id, {
        generation: grant.generation,
        confirmAtMs:
          pending?.generation === grant.generation ? pending.confirmAtMs : clock.monotonicMs() + confirmAfterMs,
      });
      log.warn('The authorization server rejected the renewal; one more attempt will confirm this.', {
        grant: grant.id,
        code: failure.details.code,
      });
      throw new Failure('transient', { ...failure.details, code: 'unconfirmed', retryAfterMs: confirmAfterMs });
    }
    return (
      (await this.#tryAlternates(transaction, grant, log)) ??
      this.endGrant(transaction, grant, log, reasonFor(grant, failure, clock.nowMs()), failure.details.code)
    );
  }

  /** Tries each response that arrived after the lock was lost, once: its refresh token may be the valid one. */
  async #tryAlternates(transaction: StoreTransaction, grant: Grant, log: Log): Promise<Grant | undefined> {
    const { store, protocol } = this.#parts;
    for (const alternate of await transaction.readAlternates()) {
      try {
        const renewed = renewedGrant(
          { ...alternate, generation: grant.generation },
          await protocol.refresh(alternate, log),
          store.machineId,
        );
        await assertLockHeld(transaction);
        await transaction.write(renewed, grant);
        log.info('Renewed with a token response that was set aside.', {
          grant: grant.id,
          generation: renewed.generation,
        });
        return renewed;
      } catch (error) {
        if (!(error instanceof Failure && endsGrant(error))) {
          throw error;
        }
      }
    }
    return undefined;
  }

  /** Marks the account as needing sign-in and removes its refresh token for good. @throws Failure, always */
  async endGrant(
    transaction: StoreTransaction,
    grant: Grant,
    log: Log,
    reason: NeedsSignInReason,
    serverCode?: string,
  ): Promise<never> {
    const { refreshToken: _, ...tokens } = grant.tokens;
    const ended: Grant = {
      ...grant,
      generation: grant.generation + 1,
      tokens,
      needsSignIn: { reason, ...(serverCode !== undefined && { serverCode }) },
    };
    await assertLockHeld(transaction);
    await transaction.write(ended, grant);
    this.settled(grant.id);
    log.warn('The account needs to be signed in again.', { grant: grant.id, reason, serverCode });
    this.#parts.onNeedsSignIn(ended);
    throw needsSignInFailure(ended);
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
