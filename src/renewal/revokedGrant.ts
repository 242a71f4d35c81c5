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
  /** Called in the one window that found a grant to be over, once that is stored. */
  onNeedsSignIn: (grant: Grant) => void;
}

/** Judges a server's word that a grant is over: its stores may lag behind, and another window may know better. */
export class RevokedGrant {
  readonly #parts: RevokedGrantParts;
  /** Refusals that may be the server's mistake, to be confirmed once. */
  readonly #pendingConfirmations = new Map<string, { generation: number; confirmAtMs: number }>();

  constructor(parts: RevokedGrantParts) {
    this.#parts = parts;
  }

  /** When a refusal of these tokens is to be confirmed, on the monotonic clock; `undefined` where none is in doubt. */
  confirmAtMs({ id, generation }: Grant): number | undefined {
    const doubt = this.#pendingConfirmations.get(id);
    return doubt?.generation === generation ? doubt.confirmAtMs : undefined;
  }

  /** The grant was renewed, or is over. */
  settled(grantId: string): void {
    this.#pendingConfirmations.delete(grantId);
  }

  /**
   * The server says that it is over: believed at once, or after one more try where its stores may lag behind, and only
   * while the journal still shows the refresh token that was spent. @returns a grant that lives on all the same
   * @throws Failure: `transient` while it is in doubt, `invalidGrant` or `invalidClient` when it is over
   */
  async judge(transaction: StoreTransaction, grant: Grant, failure: Failure, log: Log): Promise<Grant> {
    const { clock } = this.#parts;
    await assertLockHeld(transaction);
    const current = await transaction.read();
    if (current.generation !== grant.generation) {
      if (current.needsSignIn !== undefined) {
        throw needsSignInFailure(current);
      }
      log.info('Another window has renewed meanwhile; its tokens are used.', { grant: grant.id });
      return current;
    }
    const doubt = this.#pendingConfirmations.get(grant.id);
    const rotated = grant.tokens.obtainedAtMs > grant.signedInAtMs;
    const settling = rotated && clock.nowMs() - grant.tokens.obtainedAtMs < settlingMs;
    const confirmed = doubt?.generation === grant.generation && clock.monotonicMs() >= doubt.confirmAtMs;
    if ((settling || failure.kind === 'invalidClient') && !confirmed) {
      this.#pendingConfirmations.set(grant.id, {
        generation: grant.generation,
        confirmAtMs: doubt?.generation === grant.generation ? doubt.confirmAtMs : clock.monotonicMs() + confirmAfterMs,
      });
      log.warn('The server refuses to renew; asked once more before it is believed.', {
        grant: grant.id,
        code: failure.details.code,
      });
      throw new Failure('transient', { ...failure.details, code: 'unconfirmed', retryAfterMs: confirmAfterMs });
    }
    return (
      (await this.#tryKeptAside(transaction, grant, log)) ??
      this.endGrant(transaction, grant, log, reasonFor(grant, failure, clock.nowMs()), failure.details.code)
    );
  }

  /** An answer that came after the lock was lost may be what the server takes; each is tried once. */
  async #tryKeptAside(transaction: StoreTransaction, grant: Grant, log: Log): Promise<Grant | undefined> {
    const { store, protocol } = this.#parts;
    for (const aside of await transaction.keptAside()) {
      try {
        const renewed = renewedGrant(
          { ...aside, generation: grant.generation },
          await protocol.refresh(aside, log),
          store.machineId,
        );
        await assertLockHeld(transaction);
        await transaction.write(renewed, grant);
        log.info('Renewed with an answer that was kept aside.', { grant: grant.id, generation: renewed.generation });
        return renewed;
      } catch (error) {
        if (!(error instanceof Failure && endsGrant(error))) {
          throw error;
        }
      }
    }
    return undefined;
  }

  /** The account needs its person; the refresh token is never presented again. */
  async endGrant(
    transaction: StoreTransaction,
    grant: Grant,
    log: Log,
    reason: NeedsSignInReason,
    serverCode?: string,
  ): Promise<never> {
    const { refreshToken: _, ...tokens } = grant.tokens;
    const over: Grant = {
      ...grant,
      generation: grant.generation + 1,
      tokens,
      needsSignIn: { reason, ...(serverCode !== undefined && { serverCode }) },
    };
    await assertLockHeld(transaction);
    await transaction.write(over, grant);
    this.settled(grant.id);
    log.warn('The account needs to be signed in again.', { grant: grant.id, reason, serverCode });
    this.#parts.onNeedsSignIn(over);
    throw needsSignInFailure(over);
  }
}

export function endsGrant({ kind }: Failure): boolean {
  return kind === 'invalidGrant' || kind === 'invalidClient';
}

/** What is to be said of a grant that needs its person. */
export function needsSignInFailure({ needsSignIn, authorizationServer }: Grant): Failure {
  const details = { step: 'token', code: 'ended', host: new URL(authorizationServer.tokenEndpoint).host } as const;
  return new Failure(needsSignIn?.reason === 'invalidClient' ? 'invalidClient' : 'invalidGrant', details);
}

/** Our own clock knows some reasons; the server names none. */
function reasonFor({ signedInAtMs, tokens }: Grant, { kind }: Failure, nowMs: number): NeedsSignInReason {
  if (kind === 'invalidClient') {
    return 'invalidClient';
  }
  if (nowMs - signedInAtMs >= longestGrantLifeMs) {
    return 'tooOld';
  }
  return nowMs - tokens.obtainedAtMs >= longestGrantIdleMs ? 'idle' : 'ended';
}
