import { within } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Secret } from '../core/secret.ts';
import { type Grant, renewedGrant } from '../grants/grant.ts';
import { isHealthy } from '../grants/tokenLife.ts';
import { Failure } from '../oauth/errors.ts';
import { assertLockHeld, type StoreTransaction } from '../storage/transaction.ts';
import { Backoff } from './backoff.ts';
import { RejectedTokens } from './rejectedTokens.ts';
import type { RevokedGrantParts } from './revokedGrant.ts';
import { endsGrant, needsSignInFailure, RevokedGrant } from './revokedGrant.ts';

/** Why new tokens are wanted. */
export type RenewReason =
  | { reason: 'expiry' }
  /** The server rejected this access token. */
  | { reason: 'rejected'; accessToken: Secret }
  /** The person asked for it. */
  | { reason: 'asked' };

export interface RenewalParts extends RevokedGrantParts {
  randomness: Randomness;
  log: Log;
}

/** How long a renewal waits for another window's; longer than that one may take, takeover included. */
const lockWaitMs = 140_000;
/** Longer than waiting for the lock and all that is done under it: something that never answers is waited for no longer. */
const longestRunMs = 300_000;
/** How long, at most, a machine that did not obtain the tokens lets the one that did be faster. */
const otherMachinePauseMs = 3_000;

/** The transaction that exchanges a refresh token for new tokens. At most one for a grant at a time. */
export class Renewal {
  readonly #parts: RenewalParts;
  readonly #running = new Map<string, Promise<Grant>>();
  readonly #backoff: Backoff;
  readonly #revokedGrant: RevokedGrant;
  readonly #rejectedTokens: RejectedTokens;
  #ended = false;
  #slept = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock, parts.randomness);
    this.#rejectedTokens = new RejectedTokens(parts.clock);
    this.#revokedGrant = new RevokedGrant(parts);
  }

  /**
   * Renews, or adopts what another window renewed. Callers share what is under way.
   * @throws Failure: `invalidGrant` or `invalidClient` when the grant is over; everything else keeps it
   */
  run(grant: Grant, why: RenewReason): Promise<Grant> {
    const running = this.#running.get(grant.id);
    if (running !== undefined) {
      return running;
    }
    const refusal = this.#refusal(grant, why);
    if (refusal !== undefined) {
      return refusal instanceof Failure ? Promise.reject(refusal) : Promise.resolve(refusal);
    }
    const log = this.#parts.log.operation('renewal', this.#parts.randomness);
    const run = within(this.#run(grant, why, log), {
      clock: this.#parts.clock,
      limitMs: longestRunMs,
      late: () => {
        throw this.#failed(grant, new Failure('transient', { step: 'storage', code: 'timeout' }), log);
      },
    }).finally(() => this.#running.delete(grant.id));
    this.#running.set(grant.id, run);
    return run;
  }

  /** When a renewal that failed may be tried again, on the monotonic clock; `undefined` when nothing stands against it. */
  retryAtMs(grant: Grant): number | undefined {
    const waits = [this.confirmAtMs(grant), this.#backoff.untilMs(grant)].filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Math.max(...waits);
  }

  /** When a refusal that may be the server's mistake is to be confirmed, however good the access token still is. */
  confirmAtMs(grant: Grant): number | undefined {
    return this.#revokedGrant.confirmAtMs(grant);
  }

  /** Why the last renewal of these tokens failed. */
  lastFailure(grant: Grant): Failure | undefined {
    return this.#backoff.lastFailure(grant);
  }

  /** The machine slept: the network may be gone or a captive portal's, so the next renewal probes it first. */
  wokeUp(): void {
    this.#slept = true;
  }

  /** No renewal starts from now on. Waits for those under way, at most `limitMs`. */
  async end(limitMs: number): Promise<void> {
    this.#ended = true;
    const all = Promise.allSettled(this.#running.values());
    await within(all, { clock: this.#parts.clock, limitMs, late: () => [] });
  }

  /** What is answered without a transaction: a grant, or why there is none now. */
  #refusal(grant: Grant, why: RenewReason): Grant | Failure | undefined {
    const { store, clock } = this.#parts;
    if (this.#ended) {
      return new Failure('transient', { step: 'token', code: 'ending' });
    }
    if (grant.needsSignIn !== undefined) {
      return needsSignInFailure(grant);
    }
    const untilMs = this.retryAtMs(grant);
    const isInDoubt = this.confirmAtMs(grant) !== undefined;
    if (untilMs !== undefined && clock.monotonicMs() < untilMs && (why.reason === 'expiry' || isInDoubt)) {
      return this.lastFailure(grant) ?? new Failure('transient', { step: 'token', code: 'waiting' });
    }
    if (
      why.reason === 'expiry' &&
      store.belongsToOtherMachine(grant) &&
      isHealthy(grant.tokens, clock.nowMs()) &&
      !isInDoubt
    ) {
      return grant;
    }
    if (why.reason === 'rejected' && !this.#rejectedTokens.shouldRenew(grant, why.accessToken)) {
      return grant;
    }
    return undefined;
  }

  async #run(known: Grant, why: RenewReason, log: Log): Promise<Grant> {
    const { store, clock, randomness } = this.#parts;
    const startedAtMs = clock.nowMs();
    const transaction = await store.begin(known, lockWaitMs).catch((error: unknown) => {
      throw this.#failed(known, error, log);
    });
    if (transaction === undefined) {
      throw this.#failed(known, new Failure('transient', { step: 'storage', code: 'locked' }), log);
    }
    let grant = known;
    try {
      // The copy from before the lock is only a hint; what is read under the lock counts.
      grant = await transaction.read();
      if (store.belongsToOtherMachine(grant) && !this.#canAdopt(grant, known, why, startedAtMs)) {
        await new Promise<void>((resolve) => clock.after(randomness.fraction() * otherMachinePauseMs, resolve));
        grant = await transaction.read();
      }
      if (grant.needsSignIn !== undefined) {
        throw needsSignInFailure(grant);
      }
      if (this.#canAdopt(grant, known, why, startedAtMs)) {
        log.info('Another window has renewed; its tokens are used.', { grant: grant.id, generation: grant.generation });
        this.#settled(grant.id);
        return grant;
      }
      return await this.#renew(transaction, grant, log);
    } catch (error) {
      throw this.#failed(grant, error, log);
    } finally {
      await transaction.end().catch(() => undefined);
    }
  }

  #canAdopt(grant: Grant, known: Grant, why: RenewReason, startedAtMs: number): boolean {
    switch (why.reason) {
      case 'expiry':
        return grant.generation > known.generation && isHealthy(grant.tokens, this.#parts.clock.nowMs());
      case 'rejected':
        return grant.generation > known.generation;
      case 'asked':
        return grant.generation > known.generation && grant.tokens.obtainedAtMs >= startedAtMs;
    }
  }

  async #renew(transaction: StoreTransaction, grant: Grant, log: Log): Promise<Grant> {
    const { store, protocol } = this.#parts;
    if (grant.tokens.refreshToken === undefined) {
      return this.#revokedGrant.endGrant(transaction, grant, log, 'noRefreshToken');
    }
    // A full disk is found before the refresh token is spent.
    const place = await transaction.reserve(grant);
    try {
      if (this.#slept || this.lastFailure(grant) !== undefined) {
        await protocol.probe(grant, log);
        this.#slept = false;
      }
      await assertLockHeld(transaction);
      log.info('Renewing.', { grant: grant.id, generation: grant.generation });
      const renewed = renewedGrant(grant, await protocol.refresh(grant, log), store.machineId);
      // From here on nothing may lose what was got; a disk that cannot be read changes nothing about that.
      if (await transaction.isSignedOut().catch(() => false)) {
        log.info('The account was signed out meanwhile; what was got is given back.', { grant: grant.id });
        await protocol.revoke(renewed, log).catch(() => undefined);
        throw new Failure('invalidGrant', { step: 'token', code: 'signed_out' });
      }
      if (!(await transaction.isOurs().catch(() => true))) {
        await place.keepAside(renewed, grant);
        throw new Failure('transient', { step: 'storage', code: 'lock_lost' });
      }
      await place.commit(renewed, grant).catch((error: unknown) => {
        // Spent is spent: the new tokens are what counts, and this window holds them until they can be written.
        log.error('A renewal could not be stored; it is kept in memory for now.', {
          grant: grant.id,
          code: systemErrorCode(error),
        });
      });
      this.#settled(grant.id);
      log.info('Renewed.', { grant: grant.id, generation: renewed.generation });
      return renewed;
    } catch (error) {
      await place.discard().catch(() => undefined);
      if (error instanceof Failure && error.details.code !== 'signed_out' && endsGrant(error)) {
        const kept = await this.#revokedGrant.judge(transaction, grant, error, log);
        this.#settled(grant.id);
        return kept;
      }
      throw error;
    }
  }

  #settled(grantId: string): void {
    this.#revokedGrant.settled(grantId);
    this.#backoff.succeeded(grantId);
  }

  #failed(grant: Grant, error: unknown, log: Log): Failure {
    const failure =
      error instanceof Failure ? error : new Failure('transient', { step: 'storage', code: 'disk', cause: error });
    if (!endsGrant(failure)) {
      this.#backoff.failed(grant, failure);
      const { step, code, status } = failure.details;
      log.warn('A renewal failed; the sign-in is kept.', {
        grant: grant.id,
        kind: failure.kind,
        step,
        code,
        status,
      });
    }
    return failure;
  }
}
