import { type Clock, within } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import { type Grant, renewedGrant } from '../grants/grant.ts';
import { isHealthy } from '../grants/tokenLife.ts';
import { Failure } from '../oauth/errors.ts';
import type { GrantStore } from '../storage/grantStore.ts';
import { assertLockHeld, type StoreTransaction } from '../storage/transaction.ts';
import { Backoff } from './backoff.ts';
import type { GrantRequests } from './grantRequests.ts';
import { isRefusal, refusalFailure, refusedForMs, storeRefusal } from './refusal.ts';
import { RejectedTokens } from './rejectedTokens.ts';
import { canAdopt, type RenewReason } from './renewReason.ts';
import { endsGrant, type RenewalResult, RevokedGrant } from './revokedGrant.ts';
import { judgeWithoutRefreshToken } from './withoutRefreshToken.ts';

export interface RenewalParts {
  store: GrantStore;
  requests: GrantRequests;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

/** How long a renewal waits for another window's: longer than that one may take, including a takeover of its lock. */
export const lockWaitMs = 140_000;
/** Longer than waiting twice for the lock plus all work under it: a call that never returns must not block renewals. */
export const longestRunMs = 420_000;

/** The transaction that exchanges a refresh token for new tokens. At most one runs per grant at a time. */
export class Renewal {
  readonly #parts: RenewalParts;
  readonly #running = new Map<string, Promise<RenewalResult>>();
  readonly #backoff: Backoff;
  readonly #revokedGrant: RevokedGrant;
  readonly #rejectedTokens: RejectedTokens;
  #ended = false;
  #slept = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#backoff = new Backoff(parts.clock, parts.randomness);
    this.#rejectedTokens = new RejectedTokens(parts.clock);
    this.#revokedGrant = new RevokedGrant(parts.clock);
  }

  /**
   * Renews a grant, or adopts what another window stored. Concurrent callers share one renewal. The resulting grant may
   * need sign-in or be refused.
   * @throws Failure `invalidGrant` with code `signed_out` if the account was signed out; any other leaves it usable
   */
  run(grant: Grant, why: RenewReason): Promise<RenewalResult> {
    const running = this.#running.get(grant.id);
    if (running !== undefined) {
      return running;
    }
    const obstacle = this.#obstacle(grant, why);
    if (obstacle !== undefined) {
      return Promise.reject(obstacle);
    }
    if (!this.#isNeeded(grant, why)) {
      return Promise.resolve({ outcome: 'adopted', grant });
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

  /** When a failed renewal may be retried (monotonic clock); `undefined` if a renewal may start at once. */
  retryAtMs(grant: Grant, backoffUntilMs = this.#backoff.untilMs(grant)): number | undefined {
    const { clock } = this.#parts;
    const refusedMs = refusedForMs(grant, clock.nowMs());
    const waits = [
      this.confirmAtMs(grant),
      backoffUntilMs,
      refusedMs > 0 ? clock.monotonicMs() + refusedMs : undefined,
    ].filter((wait) => wait !== undefined);
    return waits.length === 0 ? undefined : Math.max(...waits);
  }

  /** When a rejection that may be a mistake is to be confirmed (monotonic clock), even if the access token is valid. */
  confirmAtMs(grant: Grant): number | undefined {
    return this.#revokedGrant.confirmAtMs(grant);
  }

  /** Why the last renewal of these tokens failed. */
  lastFailure(grant: Grant): Failure | undefined {
    const { refusal } = grant;
    return this.#backoff.lastFailure(grant) ?? (refusal && refusalFailure(grant, refusal));
  }

  /** The machine slept: the network may be down or behind a captive portal, so the next renewal probes it first. */
  wokeUp(): void {
    this.#slept = true;
  }

  /** Prevents further renewals, and waits at most `limitMs` for those in progress. */
  async end(limitMs: number): Promise<void> {
    this.#ended = true;
    const all = Promise.allSettled(this.#running.values());
    await within(all, { clock: this.#parts.clock, limitMs, late: () => [] });
  }

  /** Why no renewal may start now. */
  #obstacle(grant: Grant, why: RenewReason): Failure | undefined {
    if (this.#ended) {
      return new Failure('transient', { step: 'token', code: 'ending' });
    }
    if (grant.refusal !== undefined && this.#isRefused(grant, why)) {
      return refusalFailure(grant, grant.refusal);
    }
    const { clock } = this.#parts;
    // With a valid access token the caller's own request tells what the network does now.
    const isValid = isHealthy(grant.tokens, clock.nowMs());
    const untilMs = this.retryAtMs(grant, isValid ? undefined : this.#backoff.callersUntilMs(grant));
    const isWaiting = untilMs !== undefined && clock.monotonicMs() < untilMs;
    return isWaiting && (why.reason === 'expiry' || this.confirmAtMs(grant) !== undefined)
      ? (this.lastFailure(grant) ?? new Failure('transient', { step: 'token', code: 'waiting' }))
      : undefined;
  }

  /** Whether the server has refused these tokens too recently to be asked again, except by the user. */
  #isRefused(grant: Grant, why: RenewReason): boolean {
    return why.reason !== 'asked' && refusedForMs(grant, this.#parts.clock.nowMs()) > 0;
  }

  #isNeeded(grant: Grant, why: RenewReason): boolean {
    if (grant.needsSignIn !== undefined) {
      return false;
    }
    switch (why.reason) {
      case 'expiry':
        return !this.#parts.store.machines.leavesRenewalToOther(grant) || this.confirmAtMs(grant) !== undefined;
      case 'rejected':
        return this.#rejectedTokens.shouldRenew(grant, why.accessToken);
      case 'asked':
        return true;
    }
  }

  async #run(known: Grant, why: RenewReason, log: Log): Promise<RenewalResult> {
    const { store, clock } = this.#parts;
    const startedAtMs = clock.nowMs();
    const transaction = await store.begin(known, lockWaitMs).catch((error: unknown) => {
      throw this.#failed(known, error, log);
    });
    if (transaction === undefined) {
      throw this.#failed(known, new Failure('transient', { step: 'storage', code: 'locked' }), log);
    }
    let grant = known;
    try {
      // What was known before the lock was acquired is only a hint; what is read under the lock counts.
      grant = await transaction.read();
      if (store.machines.isOther(grant) && !canAdopt(grant, known, why, { startedAtMs, nowMs: clock.nowMs() })) {
        await store.machines.delay();
        grant = await transaction.read();
      }
      if (grant.needsSignIn !== undefined || this.#isRefused(grant, why)) {
        return { outcome: 'adopted', grant };
      }
      if (canAdopt(grant, known, why, { startedAtMs, nowMs: clock.nowMs() })) {
        log.info('Another window has renewed the tokens; using them.', {
          account: grant,
          generation: grant.generation,
        });
        this.#settled(grant.id);
        return { outcome: 'adopted', grant };
      }
      if (grant.tokens.refreshToken === undefined) {
        const parts = { ...this.#parts, revokedGrant: this.#revokedGrant, log };
        const result = await judgeWithoutRefreshToken(transaction, grant, why.reason, parts);
        this.#settled(grant.id);
        return result;
      }
      return await this.#renew(transaction, grant, why, log);
    } catch (error) {
      throw this.#failed(grant, error, log);
    } finally {
      await transaction.end().catch(() => undefined);
    }
  }

  async #renew(transaction: StoreTransaction, grant: Grant, why: RenewReason, log: Log): Promise<RenewalResult> {
    const { store, requests } = this.#parts;
    // A full disk has to be detected before the refresh token is spent.
    const reservation = await transaction.reserve(grant);
    try {
      if (this.#slept || this.#backoff.lastFailure(grant) !== undefined) {
        await requests.probe(grant, log);
        this.#slept = false;
      }
      await assertLockHeld(transaction);
      log.info('Renewing.', { account: grant, generation: grant.generation });
      const tokens = await requests.refresh(grant, log);
      const renewed = store.machines.stamp(renewedGrant(grant, tokens));
      // From here on nothing may lose the new tokens, not even a disk that cannot be read.
      if (await transaction.isSignedOut().catch(() => false)) {
        log.info('The account was signed out in the meantime; revoking the new tokens.', { account: grant });
        await requests.revoke(renewed, log).catch(() => undefined);
        throw new Failure('invalidGrant', { step: 'token', code: 'signed_out' });
      }
      if (!(await transaction.isOurs().catch(() => true))) {
        await reservation.discard().catch(() => undefined);
        return await this.#storeLate(grant, renewed, log);
      }
      await this.#keep(renewed, () => reservation.commit(renewed), log);
      return { outcome: 'renewed', grant: renewed };
    } catch (error) {
      await reservation.discard().catch(() => undefined);
      if (error instanceof Failure && error.details.code !== 'signed_out' && endsGrant(error)) {
        const result = await this.#revokedGrant.confirmOrEnd(transaction, grant, error, log);
        this.#settled(grant.id);
        return result;
      }
      if (error instanceof Failure && isRefusal(error)) {
        const result = await storeRefusal(transaction, grant, error, {
          ...this.#parts,
          log,
          isAsked: why.reason === 'asked',
        });
        this.#settled(grant.id);
        return result;
      }
      throw error;
    }
  }

  /**
   * Stores tokens that arrived after another window took over the lock, unless a newer refresh token has been stored
   * since: then they are dropped. They are never revoked, because that would end the grant.
   */
  async #storeLate(spent: Grant, renewed: Grant, log: Log): Promise<RenewalResult> {
    const transaction = await this.#parts.store.begin(spent, lockWaitMs);
    if (transaction === undefined) {
      throw new Failure('transient', { step: 'storage', code: 'lock_lost' });
    }
    try {
      const current = await transaction.read();
      const { refreshToken } = current.tokens;
      if (refreshToken !== undefined && spent.tokens.refreshToken?.equals(refreshToken) !== true) {
        log.info('Another window has renewed the tokens in the meantime; using them.', { account: spent });
        return { outcome: 'adopted', grant: current };
      }
      // If the other window found the grant ended, its refresh token was the spent one.
      const grant = { ...renewed, generation: current.generation + 1 };
      await this.#keep(grant, () => transaction.write(grant), log);
      return { outcome: 'renewed', grant };
    } finally {
      await transaction.end().catch(() => undefined);
    }
  }

  /** Stores new tokens. The old refresh token is spent, so they are kept in memory until they can be stored. */
  async #keep(renewed: Grant, write: () => Promise<void>, log: Log): Promise<void> {
    const { id, generation } = renewed;
    await write().catch((error: unknown) => {
      log.error('The new tokens could not be stored; keeping them in memory for now.', {
        account: { id },
        code: systemErrorCode(error),
      });
    });
    this.#settled(id);
    log.info('Renewed.', { account: { id }, generation });
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
      log.warn('The renewal failed; the account stays signed in.', {
        account: grant,
        kind: failure.kind,
        step,
        code,
        status,
      });
    }
    return failure;
  }
}
