import { within } from '../core/clock.ts';
import type { Grant } from '../grants/grant.ts';
import { expiresSoon, isHealthy } from '../grants/tokenLife.ts';
import type { Identity } from '../notion/identity.ts';
import { Failure } from '../oauth/errors.ts';
import type { GrantRequests } from '../renewal/grantRequests.ts';
import { refusalFailure } from '../renewal/refusal.ts';
import { Renewal } from '../renewal/renewal.ts';
import type { RenewReason } from '../renewal/renewReason.ts';
import { needsSignInFailure } from '../renewal/revokedGrant.ts';
import { RenewalScheduler } from '../renewal/scheduler.ts';
import type { JournalKey } from '../storage/encryption.ts';
import type { GrantStore } from '../storage/grantStore.ts';
import { openStorage, type StorageParts } from '../storage/openStorage.ts';
import { readOnlyFailure } from '../storage/transaction.ts';
import { type RenewalProblem, renewalProblemOf, type StorageDiagnostics, type StorageProblem } from './accountState.ts';
import { type FreshSignIn, storeSignIn } from './addAccount.ts';
import { IdentityLearner, type IdentityLearnerParts } from './learnIdentity.ts';
import { type Account, AccountRegistry, type AccountsChange } from './registry.ts';
import { kindOf, signOut } from './signOut.ts';
import { StorageSync } from './storageSync.ts';

export interface AccountsParts extends StorageParts, Pick<IdentityLearnerParts, 'identify'> {
  requests: GrantRequests;
  /** The configured MCP server URL, as `URL.href`. */
  serverUrl: string;
}

/** The editor ends the extension host 5 s after it began to deactivate extensions. */
export const endLimitMs = 4_000;

/** The grants that this window knows and their states, in memory. The only source of account events. */
export class Accounts {
  readonly #parts: AccountsParts;
  readonly #store: GrantStore;
  readonly #renewal: Renewal;
  readonly #scheduler: RenewalScheduler;
  readonly #known: AccountRegistry;
  readonly #problems = new Set<StorageProblem>();
  readonly #storageSync: StorageSync;
  readonly #learner: IdentityLearner;

  constructor(parts: AccountsParts) {
    const { clock, randomness, log, requests } = parts;
    this.#parts = parts;
    this.#known = new AccountRegistry(clock, parts.serverUrl);
    this.#known.onDidChange(({ removed }) => removed.length > 0 && this.#scheduler.plan());
    this.#store = openStorage(parts);
    this.#storageSync = new StorageSync({
      store: this.#store,
      known: this.#known,
      clock,
      log,
      onSynced: () => this.#scheduler.plan(),
    });
    this.#learner = new IdentityLearner({
      ...parts,
      store: this.#store,
      known: this.#known,
      storageSync: this.#storageSync,
    });
    this.#renewal = new Renewal({ store: this.#store, requests, clock, randomness, log });
    this.#scheduler = new RenewalScheduler({
      accounts: {
        grants: () => this.#known.scheduled(),
        renew: (grant) => this.renew(grant.id, { reason: 'expiry' }),
        sync: () => this.#storageSync.sync(),
        lookInMs: () => this.#storageSync.lookInMs,
      },
      renewal: this.#renewal,
      machines: this.#store.machines,
      clock,
      randomness,
    });
  }

  /** Loads what is stored. Resolves once every account is in memory; never rejects because of a damaged record. */
  async load(): Promise<void> {
    const { log } = this.#parts;
    await this.#store.open();
    const snapshot = await this.#store.read();
    this.#known.load(snapshot.grants.values());
    if (snapshot.damaged.length > 0) {
      this.#problems.add('damaged');
    }
    if (this.#store.isKeyLost) {
      this.#problems.add('keyLost');
    }
    if (this.#store.isExposed) {
      this.#problems.add('exposed');
    }
    if (this.#store.isStale) {
      this.#problems.add('stale');
    }
    log.info('Accounts loaded.', { accounts: snapshot.grants.size, damaged: snapshot.damaged.length });
    for (const { grant, state } of this.#known.list().sort((a, b) => a.grant.signedInAtMs - b.grant.signedInAtMs)) {
      log.info('An account was loaded.', { account: grant, state, generation: grant.generation });
    }
    await this.#storageSync.begin(snapshot);
    this.#scheduler.plan();
    for (const { grant } of this.#known.all()) {
      void this.#learner.learn(grant.id);
    }
  }

  /** @throws Failure with code `stale_window` if this window has to be reloaded before a sign-in */
  refuseIfStale(): void {
    if (this.#store.isStale) {
      throw new Failure('transient', { step: 'storage', code: 'stale_window' });
    }
  }

  /** The keys of the journal, under which other files hash names. */
  get journalKeys(): readonly JournalKey[] {
    return this.#store.journalKeys;
  }

  /** The problems that the user should be told about. */
  get problems(): ReadonlySet<StorageProblem> {
    return this.#problems;
  }

  /** All accounts, sorted by label. From memory. */
  list(): Account[] {
    return this.#known.list();
  }

  find(grantId: string): Account | undefined {
    return this.#known.find(grantId);
  }

  onDidChange(listener: (change: AccountsChange) => void): { dispose(): void } {
    return this.#known.onDidChange(listener);
  }

  /** Accounts of another server become dormant: they are kept, and return when the setting is changed back. */
  setServerUrl(serverUrl: string): void {
    this.#known.setServerUrl(serverUrl);
  }

  /**
   * Stores the result of a sign-in. The same user and workspace keep their account and its id; the older grant is
   * revoked only after the new one is stored. @throws the storage's error; Failure `stale_window`, before anything is
   * stored, if that would erase what another window stored
   */
  async storeSignIn(fresh: FreshSignIn, log = this.#parts.log): Promise<{ grant: Grant; reconnected: boolean }> {
    this.refuseIfStale();
    const { requests, randomness } = this.#parts;
    const resume = this.#storageSync.pause();
    const { grant, replaced } = await storeSignIn(fresh, {
      store: this.#store,
      known: this.#known,
      storageSync: this.#storageSync,
      randomness,
    }).finally(resume);
    this.#scheduler.plan();
    if (replaced !== undefined) {
      // Best effort: no caller waits for it.
      const revoking = replaced.id === grant.id ? requests.revoke(replaced, log) : this.signOut(replaced.id);
      void revoking.catch((error: unknown) => {
        log.info('The previous grant of the account could not be revoked.', { kind: kindOf(error) });
      });
    }
    return { grant, reconnected: replaced !== undefined };
  }

  /**
   * Removes the account from this machine, whatever the authorization server responds, and tries to revoke its grant.
   * @returns false if the grant could not be revoked
   */
  async signOut(grantId: string): Promise<boolean> {
    const known = this.#known.get(grantId);
    return (
      known === undefined ||
      signOut(known.grant, {
        ...this.#parts,
        store: this.#store,
        onForgotten: () => this.#known.forget(grantId),
      })
    );
  }

  /**
   * Gets new tokens, by a renewal in this window or another one.
   * @throws Failure; only `invalidGrant` and `invalidClient` mean that the grant has ended
   */
  async renew(grantId: string, why: RenewReason): Promise<Grant> {
    const known = this.#known.get(grantId);
    if (known === undefined) {
      throw new Failure('invalidGrant', { step: 'storage', code: 'signed_out' });
    }
    if (known.readOnly !== undefined) {
      throw readOnlyFailure(known.readOnly);
    }
    try {
      const { outcome, grant } = await this.#renewal.run(known.grant, why);
      // A server may refuse again and again, but the user is told once.
      const needsUser = outcome === 'ended' || (outcome === 'refused' && known.grant.refusal === undefined);
      this.#known.adopt({ grant }, { needsUser });
      if (grant.needsSignIn !== undefined) {
        throw needsSignInFailure(grant);
      }
      if (grant.refusal !== undefined) {
        throw refusalFailure(grant, grant.refusal);
      }
      void this.#learner.learn(grantId);
      return grant;
    } catch (error) {
      await this.#storageSync.sync().catch(() => undefined);
      throw error;
    } finally {
      this.#scheduler.plan();
    }
  }

  /**
   * Returns a grant with a valid access token within `waitMs`. A token that is about to expire is renewed; if that
   * fails or takes too long, the old token is returned as long as it is valid. @throws Failure
   */
  async fresh(grantId: string, waitMs: number): Promise<Grant> {
    const grant = this.#known.get(grantId)?.grant;
    const nowMs = this.#parts.clock.nowMs();
    if (grant !== undefined && grant.needsSignIn === undefined && !expiresSoon(grant.tokens, nowMs)) {
      void this.#learner.learn(grantId);
      return grant;
    }
    try {
      return await within(this.renew(grantId, { reason: 'expiry' }), {
        clock: this.#parts.clock,
        limitMs: waitMs,
        late: () => {
          throw new Failure('transient', { step: 'token', code: 'timeout' });
        },
      });
    } catch (error) {
      const { grant: current } = this.#known.get(grantId) ?? {};
      if (current?.needsSignIn === undefined && current && isHealthy(current.tokens, this.#parts.clock.nowMs())) {
        return current;
      }
      throw error;
    }
  }

  /** Tells whose account it is, as a connection test learned, if that was unknown. Never rejects. */
  applyIdentity(grantId: string, identity: Identity): Promise<void> {
    return this.#learner.apply(grantId, identity);
  }

  /** The user returned to the editor: renews what is due now, without waiting for a timer that may have slept. */
  wakeUp(): Promise<void> {
    return this.#scheduler.runNow();
  }

  /** What currently prevents the renewal of the account's tokens, if anything does. */
  trouble(grantId: string): RenewalProblem | undefined {
    const known = this.#known.get(grantId);
    // A refusal is a state of the account, not a problem of its renewal.
    return known === undefined || known.grant.refusal !== undefined
      ? undefined
      : renewalProblemOf(this.#renewal.lastFailure(known.grant));
  }

  /** For a report: contains no secrets and no names. Changes nothing. */
  async diagnostics(): Promise<StorageDiagnostics> {
    const files = await this.#store.inspect();
    const failures = this.#known.all().map(({ grant }) => [grant.id, this.#renewal.lastFailure(grant)] as const);
    return {
      hasJournal: this.#store.hasJournal,
      isKeyLost: this.#store.isKeyLost,
      watchWorks: this.#storageSync.watchWorks,
      ...(files && { files }),
      lastFailures: new Map(failures.filter((entry): entry is [string, Failure] => entry[1] !== undefined)),
    };
  }

  /** Waits, for a limited time, for a renewal in progress; none starts afterwards. */
  async dispose(): Promise<void> {
    this.#scheduler.end();
    this.#storageSync.end();
    await this.#renewal.end(endLimitMs);
  }
}
