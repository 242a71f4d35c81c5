import type { Clock } from '../core/clock.ts';
import type { Grant } from '../grants/grant.ts';
import type { KnownGrant, ReadOnly } from '../storage/snapshot.ts';
import { type AccountState, stateOf } from './accountState.ts';

/** A grant and its state, which tells how it can be used. */
export interface Account {
  grant: Grant;
  state: AccountState;
  /** Why the state is `readOnly`. */
  why?: ReadOnly['why'];
}

/** The changes of the accounts of the configured MCP server. */
export interface AccountsChange {
  added: Account[];
  changed: Account[];
  removed: Account[];
  /** Those that need the user, as this window discovered. Other windows just see that they changed. */
  needingUser: Account[];
}

/** The accounts that this window knows, in memory, and the only place that fires events when they change. */
export class AccountRegistry {
  readonly #clock: Clock;
  readonly #known = new Map<string, KnownGrant>();
  /** Signed out or merged: a read of the storage that began before that must not bring them back. */
  readonly #forgotten = new Set<string>();
  readonly #listeners = new Set<(change: AccountsChange) => void>();
  #serverUrl: string;

  constructor(clock: Clock, serverUrl: string) {
    this.#clock = clock;
    this.#serverUrl = serverUrl;
  }

  /** Takes over what was stored at startup, without firing events. */
  load(all: Iterable<KnownGrant>): void {
    for (const known of all) {
      this.#known.set(known.grant.id, known);
    }
  }

  all(): KnownGrant[] {
    return [...this.#known.values()];
  }

  get(grantId: string): KnownGrant | undefined {
    return this.#known.get(grantId);
  }

  /** All accounts, sorted by label. */
  list(): Account[] {
    return this.all()
      .map((known) => this.#account(known))
      .sort((a, b) => a.grant.label.localeCompare(b.grant.label));
  }

  find(grantId: string): Account | undefined {
    const known = this.#known.get(grantId);
    return known && this.#account(known);
  }

  onDidChange(listener: (change: AccountsChange) => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => this.#listeners.delete(listener) };
  }

  /** Accounts of another server become dormant, and return when the setting is changed back. */
  setServerUrl(serverUrl: string): void {
    const before = this.list();
    this.#serverUrl = serverUrl;
    const after = this.list();
    this.#fire({
      added: after.filter(({ state }, index) => state !== 'dormant' && before[index]?.state === 'dormant'),
      removed: before.filter(({ state }, index) => state !== 'dormant' && after[index]?.state === 'dormant'),
    });
  }

  /** Takes over a sign-in of this window; it is announced as `added` even if the account existed. */
  signedIn(grant: Grant): void {
    const known: KnownGrant = { grant };
    this.#known.set(grant.id, known);
    this.#fire({ added: [this.#account(known)] });
  }

  /** The grants that the scheduler takes care of. */
  scheduled(): Grant[] {
    return this.all()
      .filter(({ grant, readOnly }) => readOnly === undefined && grant.needsSignIn === undefined)
      .map(({ grant }) => grant);
  }

  /**
   * Takes over a record that is newer than the known one, and fires one event. `needsUser`: this window discovered that
   * the account needs the user.
   */
  adopt(known: KnownGrant, { needsUser = false } = {}): void {
    const { id, needsSignIn } = known.grant;
    if (this.#forgotten.has(id)) {
      return;
    }
    const ours = this.#known.get(id);
    if (ours !== undefined && !isNewer(ours, known)) {
      if (needsUser && ours.grant.generation === known.grant.generation) {
        // The window has read its own record before the renewal that wrote it returned, and announced the change.
        this.#fire({ needingUser: [this.#account(ours)] });
      }
      return;
    }
    this.#known.set(id, known);
    const account = this.#account(known);
    if (ours !== undefined && ours.grant.label !== known.grant.label) {
      // VS Code knows an account by its label, so that a new label is a new account for it.
      this.#fire({ removed: [this.#account(ours)] });
      this.#fire({ added: [account] });
      return;
    }
    const isRestored = ours === undefined || (ours.grant.needsSignIn !== undefined && needsSignIn === undefined);
    this.#fire(
      isRestored ? { added: [account] } : { changed: [account], ...(needsUser && { needingUser: [account] }) },
    );
  }

  /** Removes an account for good: it was signed out or merged into another one. */
  forget(grantId: string): void {
    this.#forgotten.add(grantId);
    this.remove(grantId);
  }

  /** Removes an account whose record has vanished. It may come back. */
  remove(grantId: string): void {
    const known = this.#known.get(grantId);
    if (known !== undefined) {
      this.#known.delete(grantId);
      this.#fire({ removed: [this.#account(known)] });
    }
  }

  #fire({ added = [], changed = [], removed = [], needingUser = [] }: Partial<AccountsChange>): void {
    // Changes of another server's accounts are not reported.
    const change = {
      added: added.filter(isShown),
      changed: changed.filter(isShown),
      removed: removed.filter(isShown),
      needingUser: needingUser.filter(isShown),
    };
    if (Object.values(change).some((accounts) => accounts.length > 0)) {
      for (const listener of this.#listeners) {
        listener(change);
      }
    }
  }

  #account(known: KnownGrant): Account {
    const { grant, readOnly } = known;
    return {
      grant,
      state: stateOf(known, this.#serverUrl, this.#clock.nowMs()),
      ...(readOnly && { why: readOnly.why }),
    };
  }
}

/**
 * A record that cannot be used is newer, too, but never one that this window knows the contents of. If it is no longer
 * found, the newest contents count.
 */
function isNewer(ours: KnownGrant, theirs: KnownGrant): boolean {
  const ahead = generationOf(theirs) - (theirs.readOnly === undefined ? ours.grant.generation : generationOf(ours));
  return ahead > 0 || (ahead === 0 && theirs.readOnly === undefined && ours.readOnly !== undefined);
}

function generationOf({ grant, readOnly }: KnownGrant): number {
  return readOnly?.generation ?? grant.generation;
}

function isShown({ state }: Account): boolean {
  return state !== 'dormant';
}
