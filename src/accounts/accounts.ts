import { type Clock, within } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import type { Randomness } from '../core/random.ts';
import type { Grant } from '../grants/grant.ts';
import { isAboutToExpire, isHealthy } from '../grants/tokenLife.ts';
import type { Identity } from '../notion/identity.ts';
import { Failure } from '../oauth/errors.ts';
import type { Files } from '../platform/contract.ts';
import type { GrantProtocol } from '../renewal/grantRequests.ts';
import { Renewal, type RenewReason } from '../renewal/renewal.ts';
import { Keeper } from '../renewal/scheduler.ts';
import { GrantStore } from '../storage/grantStore.ts';
import { Journal } from '../storage/journal.ts';
import { Locks, type LockTiming, lockTiming } from '../storage/lock.ts';
import { type Secrets, Vault } from '../storage/secretStore.ts';
import type { Known } from '../storage/snapshot.ts';
import { type AccountTrouble, type StorageDiagnostics, type StorageProblem, troubleIn } from './accountState.ts';
import { type FreshSignIn, storeSignIn } from './addAccount.ts';
import { type Account, type AccountsChange, KnownGrants } from './registry.ts';
import { kindOf, signOut } from './signOut.ts';
import { Lookout } from './storageSync.ts';

export interface AccountsParts {
  secrets: Secrets;
  /** Absent where there is no disk. */
  files: Files | undefined;
  /** Where the journal lies. */
  directory: string;
  lockTiming?: LockTiming;
  protocol: GrantProtocol;
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** When this window was opened (wall clock, ms): its view of the secret storage may be that old. */
  openedAtMs: number;
  /** The configured server, as `URL.href`. */
  serverUrl: string;
  /** Called in the one window that found an account to need its person, once that is announced. */
  gaveUp?: (grantId: string) => void;
  /** A label that none of `taken` equals. */
  labelFor: (identity: Identity | undefined, taken: ReadonlySet<string>) => string;
}

const endLimitMs = 5_000;

/** The grants of this window and their states, in memory. The only source of account events. */
export class Accounts {
  readonly #parts: AccountsParts;
  readonly #store: GrantStore;
  readonly #renewal: Renewal;
  readonly #keeper: Keeper;
  readonly #known: KnownGrants;
  readonly #problems = new Set<StorageProblem>();
  readonly #lookout: Lookout;

  constructor(parts: AccountsParts) {
    const { secrets, files, directory, clock, randomness, log, protocol, openedAtMs } = parts;
    this.#parts = parts;
    this.#known = new KnownGrants(clock, parts.serverUrl);
    this.#known.onDidChange(({ removed }) => removed.length > 0 && this.#keeper.plan());
    const disk = files && {
      journal: new Journal(files, directory, randomness),
      locks: new Locks(files, directory, clock, randomness, parts.lockTiming ?? lockTiming),
    };
    this.#store = new GrantStore({
      vault: new Vault(secrets),
      ...(disk && { disk }),
      clock,
      randomness,
      log,
      openedAtMs,
    });
    this.#lookout = new Lookout({
      store: this.#store,
      known: this.#known,
      clock,
      log,
      noticed: () => this.#keeper.plan(),
    });
    this.#renewal = new Renewal({
      store: this.#store,
      protocol,
      clock,
      randomness,
      log,
      gaveUp: (grant) => {
        this.#known.adopt({ grant, readOnly: false });
        parts.gaveUp?.(grant.id);
      },
    });
    this.#keeper = new Keeper({
      clock,
      randomness,
      grants: () =>
        this.#known
          .all()
          .filter(isRenewable)
          .map(({ grant }) => grant),
      retryAtMs: (grant) => this.#renewal.retryAtMs(grant),
      confirmAtMs: (grant) => this.#renewal.confirmAtMs(grant),
      isGuest: (grant) => this.#store.isGuest(grant),
      renew: (grant) => this.renew(grant.id, { reason: 'expiry' }),
      look: () => this.#lookout.look(),
      hears: () => this.#lookout.hears,
      wokeUp: () => this.#renewal.wokeUp(),
    });
  }

  /** Reads what is stored. Resolves once every account is in memory; never rejects for a record that is damaged. */
  async load(): Promise<void> {
    const { log } = this.#parts;
    await this.#store.open();
    const snapshot = await this.#store.read();
    this.#known.load(snapshot.grants.values());
    if (snapshot.damaged.length > 0) {
      this.#problems.add('damaged');
    }
    if (this.#store.isForgetful) {
      this.#problems.add('forgetful');
    }
    if (this.#store.isStale) {
      this.#problems.add('stale');
    }
    log.info('Accounts loaded.', { accounts: snapshot.grants.size, damaged: snapshot.damaged.length });
    await this.#lookout.begin(snapshot);
    this.#keeper.plan();
  }

  /** @throws Failure of code `stale_window` where a reload has to come before a sign-in */
  refuseIfStale(): void {
    if (this.#store.isStale) {
      throw new Failure('transient', { step: 'storage', code: 'stale_window' });
    }
  }

  /** What the person should hear of. */
  get problems(): ReadonlySet<StorageProblem> {
    return this.#problems;
  }

  /** All accounts, by label. From memory. */
  list(): Account[] {
    return this.#known.list();
  }

  find(grantId: string): Account | undefined {
    return this.#known.find(grantId);
  }

  onDidChange(listener: (change: AccountsChange) => void): { dispose(): void } {
    return this.#known.onDidChange(listener);
  }

  /** Accounts of another server become dormant: kept, and back when the setting is back. */
  setServerUrl(serverUrl: string): void {
    this.#known.setServerUrl(serverUrl);
  }

  /**
   * Stores what a sign-in got. The same user and workspace keep their account and its id; only once the new grant is
   * stored is the older one revoked. @throws what the secret storage says; Failure `stale_window` before anything is
   * stored where that would erase what another window stored
   */
  async storeSignIn(fresh: FreshSignIn, log = this.#parts.log): Promise<{ grant: Grant; reconnected: boolean }> {
    this.refuseIfStale();
    const { protocol, labelFor, randomness } = this.#parts;
    const { grant, replaced } = await this.#lookout.whileStoring(async (look) => {
      const stored = await storeSignIn(fresh, {
        store: this.#store,
        known: () => this.#known.all().map(({ grant }) => grant),
        look,
        labelFor,
        randomness,
      });
      this.#known.signedIn(stored.grant);
      return stored;
    });
    this.#keeper.plan();
    if (replaced !== undefined) {
      // Best effort and nobody waits for it.
      const retiring = replaced.id === grant.id ? protocol.revoke(replaced, log) : this.signOut(replaced.id);
      void retiring.catch((error: unknown) => {
        log.info('The older sign-in of the account could not be revoked.', { kind: kindOf(error) });
      });
    }
    return { grant, reconnected: replaced !== undefined };
  }

  /**
   * Forgets the account here, whatever the server says, and revokes its grant there, best effort.
   * @returns false when the server could not be told
   */
  async signOut(grantId: string): Promise<boolean> {
    const known = this.#known.get(grantId);
    return (
      known === undefined ||
      signOut(known.grant, {
        ...this.#parts,
        store: this.#store,
        forgotten: () => this.#known.remove(grantId),
      })
    );
  }

  /**
   * New tokens, by a renewal here or in another window. @throws Failure; only `signInAgain` and `registrationGone` end
   * the sign-in
   */
  async renew(grantId: string, why: RenewReason): Promise<Grant> {
    const known = this.#known.get(grantId);
    if (known === undefined) {
      throw new Failure('signInAgain', { step: 'storage', code: 'signed_out' });
    }
    if (known.readOnly) {
      throw new Failure('transient', { step: 'storage', code: 'read_only' });
    }
    try {
      const grant = await this.#renewal.run(known.grant, why);
      this.#known.adopt({ grant, readOnly: false });
      return grant;
    } catch (error) {
      await this.#lookout.look().catch(() => undefined);
      throw error;
    } finally {
      this.#keeper.plan();
    }
  }

  /**
   * A grant whose token can be used, for a caller that waits at most `waitMs`: renewed when it is about to expire,
   * else the token that is still good. @throws Failure
   */
  async fresh(grantId: string, waitMs: number): Promise<Grant> {
    const grant = this.#known.get(grantId)?.grant;
    const nowMs = this.#parts.clock.nowMs();
    if (grant !== undefined && grant.needsSignIn === undefined && !isAboutToExpire(grant.tokens, nowMs)) {
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

  /** The editor came back to the person: what is due is done now, without waiting for a timer that slept. */
  wakeUp(): Promise<void> {
    return this.#keeper.turn();
  }

  /** What keeps the account's tokens from being renewed just now, if anything does. */
  trouble(grantId: string): AccountTrouble | undefined {
    const known = this.#known.get(grantId);
    return known && troubleIn(this.#renewal.lastFailure(known.grant));
  }

  /** For a report: nothing in it is secret or names a person. Changes nothing. */
  async diagnostics(): Promise<StorageDiagnostics> {
    const files = await this.#store.inspect();
    const failures = this.#known.all().map(({ grant }) => [grant.id, this.#renewal.lastFailure(grant)] as const);
    return {
      hasJournal: this.#store.hasJournal,
      isForgetful: this.#store.isForgetful,
      hears: this.#lookout.hears,
      ...(files && { files }),
      lastFailures: new Map(failures.filter((entry): entry is [string, Failure] => entry[1] !== undefined)),
    };
  }

  /** Lets a renewal that is under way end, within a bound; none starts afterwards. */
  async dispose(): Promise<void> {
    this.#keeper.end();
    this.#lookout.end();
    await this.#renewal.end(endLimitMs);
  }
}

function isRenewable({ grant, readOnly }: Known): boolean {
  return !readOnly && grant.needsSignIn === undefined && grant.tokens.refreshToken !== undefined;
}
