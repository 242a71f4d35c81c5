import { toHex } from '../core/encoding.ts';
import type { Randomness } from '../core/random.ts';
import { allowsMore, type Grant } from '../grants/grant.ts';
import { Failure } from '../oauth/errors.ts';
import type { GrantStore } from '../storage/grantStore.ts';
import { nameAccount } from './nameAccount.ts';
import type { AccountRegistry } from './registry.ts';
import type { StorageSync } from './storageSync.ts';

/** The result of a sign-in; its id, names and generation are assigned when it is stored. */
export type FreshSignIn = Omit<Grant, 'id' | 'generation' | 'accountId' | 'label' | 'serverNames' | 'signedInAtMs'>;

export interface StoreSignInParts {
  store: GrantStore;
  known: AccountRegistry;
  storageSync: StorageSync;
  randomness: Randomness;
}

/** The stored grant, and the account's grant that it replaces. If their ids differ, the latter is yet to be removed. */
export interface StoredSignIn {
  grant: Grant;
  replaced?: Grant;
}

const lockWaitMs = 15_000;

/**
 * Stores a sign-in: as the next generation of the account that the same user and workspace already have here, or else
 * as a new account. Two windows that sign in to one account at the same time end up with one account.
 * @throws the storage's error; Failure `fewer_scopes` if the account keeps its earlier grant, which allows more
 */
export async function storeSignIn(fresh: FreshSignIn, parts: StoreSignInParts): Promise<StoredSignIn> {
  parts.store.beginUse();
  const store = async (): Promise<StoredSignIn> => {
    await parts.storageSync.syncNow().catch(() => undefined);
    const same = grantsIn(parts.known).find((grant) => isSameAccount(grant, fresh));
    if (same === undefined) {
      return { grant: await storeNew(fresh, parts) };
    }
    refuseFewerScopes(fresh, same, parts.known);
    return storeAgain(fresh, same, parts);
  };
  // A stuck lock must not lose the sign-in: a duplicate account is better than a missing one.
  const stored = (await parts.store.exclusively('sign-in', lockWaitMs, store)) ?? (await store());
  parts.known.signedIn(stored.grant);
  return stored;
}

function grantsIn(known: AccountRegistry): Grant[] {
  return known.all().map(({ grant }) => grant);
}

/** Compares issuer, server URL, user and workspace, never the label. An unknown identity never matches. */
export function isSameAccount(
  grant: Grant,
  { identity, authorizationServer, serverUrl }: Pick<Grant, 'identity' | 'authorizationServer' | 'serverUrl'>,
): boolean {
  return (
    identity !== undefined &&
    grant.authorizationServer.issuer === authorizationServer.issuer &&
    grant.serverUrl === serverUrl &&
    grant.identity?.userId === identity.userId &&
    grant.identity.workspaceId === identity.workspaceId
  );
}

async function storeNew(fresh: FreshSignIn, { store, known, randomness }: StoreSignInParts): Promise<Grant> {
  const id = uuid(randomness);
  const grant = store.machines.stamp({
    ...fresh,
    id,
    generation: 1,
    ...(await nameAccount({ ...fresh, id }, grantsIn(known), store)),
    signedInAtMs: fresh.tokens.obtainedAtMs,
  });
  await store.store(grant);
  return grant;
}

async function storeAgain(fresh: FreshSignIn, same: Grant, parts: StoreSignInParts): Promise<StoredSignIn> {
  // Another window that holds the lock may be dead, or the disk may be unusable: the sign-in must not wait for that.
  const storeAsNew = async () => ({ grant: await storeNew(fresh, parts), replaced: same });
  const transaction = await parts.store.begin(same, lockWaitMs).catch(() => undefined);
  if (transaction === undefined) {
    return storeAsNew();
  }
  try {
    // A renewal in another window may have come first.
    return await storeNext(fresh, await transaction.read({ forSignIn: true }), parts);
  } catch (error) {
    // So may a sign-out, or a newer version wrote the account: the sign-in then becomes a new account.
    return error instanceof Failure ? { grant: await storeNew(fresh, parts) } : storeAsNew();
  } finally {
    await transaction.end().catch(() => undefined);
  }
}

/** A sign-in must not take access from what uses the account. But a grant that no longer works is replaced by any other. */
function refuseFewerScopes(fresh: FreshSignIn, same: Grant, known: AccountRegistry): void {
  const state = known.find(same.id)?.state;
  if ((state === 'healthy' || state === 'expired') && allowsMore(same, fresh)) {
    throw new Failure('accessDenied', { step: 'storage', code: 'fewer_scopes' });
  }
}

/** Stores the sign-in as the next generation of the account of `replaced`. */
async function storeNext(fresh: FreshSignIn, replaced: Grant, parts: StoreSignInParts): Promise<StoredSignIn> {
  const { id, accountId, label, serverNames } = replaced;
  const hasNames = accountId !== undefined && serverNames !== undefined;
  const others = grantsIn(parts.known).filter((other) => other.id !== id);
  // Consent hangs on names, so the account keeps them even if Notion now knows the user or workspace by another.
  const names = hasNames
    ? { accountId, label, serverNames }
    : await nameAccount({ ...fresh, id, label }, others, parts.store);
  const grant = parts.store.machines.stamp({
    ...fresh,
    id,
    ...names,
    generation: replaced.generation + 1,
    askedScopes: [...new Set([...replaced.askedScopes, ...fresh.askedScopes])],
    signedInAtMs: fresh.tokens.obtainedAtMs,
    ...(replaced.unknown && { unknown: replaced.unknown }),
  });
  await parts.store.store(grant);
  return { grant, replaced };
}

/** A version 4 UUID (RFC 9562). */
function uuid(randomness: Randomness): string {
  const bytes = randomness.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
