import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import type { Identity } from '../notion/identity.ts';
import { Failure } from '../oauth/errors.ts';
import type { GrantRequests } from '../renewal/grantRequests.ts';
import type { GrantStore } from '../storage/grantStore.ts';
import { isSameAccount } from './addAccount.ts';
import { mergeAccounts } from './mergeAccounts.ts';
import { nameAccount } from './nameAccount.ts';
import type { AccountRegistry } from './registry.ts';
import { kindOf } from './signOut.ts';
import type { StorageSync } from './storageSync.ts';

export interface IdentityLearnerParts {
  store: GrantStore;
  known: AccountRegistry;
  storageSync: StorageSync;
  requests: GrantRequests;
  /** Reads whose account it is; renews a rejected token, as any call does. @throws Failure */
  identify(grant: Grant, log: Log): Promise<Identity>;
  clock: Clock;
  randomness: Randomness;
  log: Log;
}

/** Notion may be unable to tell for a while, and each call of the account gives the next opportunity. */
const pauseMs = 60_000;
const lockWaitMs = 15_000;

/**
 * Learns whose accounts are that were signed in while Notion could not tell: their fallback label becomes the true one,
 * and an account that turns out to be signed in already is merged with that one.
 */
export class IdentityLearner {
  readonly #parts: IdentityLearnerParts;
  readonly #running = new Map<string, Promise<void>>();
  readonly #nextAtMs = new Map<string, number>();

  constructor(parts: IdentityLearnerParts) {
    this.#parts = parts;
  }

  /** Learns the account's identity unless it is known; asks Notion at most once a minute. Never rejects. */
  learn(grantId: string): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    if (!this.#isUnknown(grantId) || nowMs < (this.#nextAtMs.get(grantId) ?? 0)) {
      return this.#running.get(grantId) ?? Promise.resolve();
    }
    this.#nextAtMs.set(grantId, nowMs + pauseMs);
    return this.#run(grantId, async (grant, log) => grant.identity ?? this.#parts.identify(grant, log));
  }

  /** The same with an identity that was learned elsewhere, such as by a connection test. Never rejects. */
  apply(grantId: string, identity: Identity): Promise<void> {
    return this.#isUnknown(grantId) ? this.#run(grantId, async () => identity) : Promise.resolve();
  }

  #isUnknown(grantId: string): boolean {
    const known = this.#parts.known.get(grantId);
    return known !== undefined && known.readOnly === undefined && !isNamed(known.grant);
  }

  #run(grantId: string, identify: (grant: Grant, log: Log) => Promise<Identity>): Promise<void> {
    const running = (this.#running.get(grantId) ?? Promise.resolve()).then(() => this.#learn(grantId, identify));
    this.#running.set(grantId, running);
    return running;
  }

  async #learn(grantId: string, identify: (grant: Grant, log: Log) => Promise<Identity>): Promise<void> {
    const grant = this.#parts.known.get(grantId)?.grant;
    if (grant === undefined || isNamed(grant) || (grant.identity === undefined && grant.needsSignIn !== undefined)) {
      return;
    }
    const log = this.#parts.log.operation('identity', this.#parts.randomness);
    try {
      const identity = await identify(grant, log);
      // Sign-ins of other windows choose labels, too.
      await this.#parts.store.exclusively('sign-in', lockWaitMs, () => this.#store(grant, identity, log));
    } catch (error) {
      log.info('The identity of the account is still unknown.', {
        account: grant,
        kind: kindOf(error),
        code: error instanceof Failure ? error.details.code : undefined,
      });
    }
  }

  async #store(grant: Grant, identity: Identity, log: Log): Promise<void> {
    const { store, known, storageSync, requests } = this.#parts;
    await storageSync.syncNow();
    const others = known
      .all()
      .map((each) => each.grant)
      .filter(({ id }) => id !== grant.id);
    const same = others.find((other) => isSameAccount(other, { ...grant, identity }));
    if (same !== undefined) {
      const result = await mergeAccounts(same, grant, identity, { store, log });
      if (result !== undefined) {
        known.forget(grant.id);
        known.adopt({ grant: result.merged });
        if (result.unused.needsSignIn === undefined) {
          // Best effort, and last: the merged account does not depend on it.
          await requests.revoke(result.unused, log);
        }
      }
      return;
    }
    await this.#name(grant, identity, others, log);
  }

  async #name(grant: Grant, identity: Identity, others: Grant[], log: Log): Promise<void> {
    const { store, known } = this.#parts;
    const transaction = await store.begin(grant, lockWaitMs);
    if (transaction === undefined) {
      return;
    }
    try {
      const current = await transaction.read();
      if (!isNamed(current)) {
        const { label: ownLabel, ...unnamed } = current;
        // Only a fallback label is replaced.
        const toName = { ...unnamed, identity, ...(current.identity && { label: ownLabel }) };
        const named = { ...toName, generation: current.generation + 1, ...(await nameAccount(toName, others, store)) };
        await store.store(named);
        known.adopt({ grant: named });
        log.info('The account has its names now.', { account: grant });
      }
    } finally {
      await transaction.end().catch(() => undefined);
    }
  }
}

/** Whether the account has all of its names: they may be missing while its identity or the registry of names is. */
function isNamed({ identity, accountId, serverNames }: Grant): boolean {
  return identity !== undefined && accountId !== undefined && serverNames !== undefined;
}
