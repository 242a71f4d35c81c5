import type { Randomness } from '../clock.ts';
import type { Identity } from '../notion/identity.ts';
import type { Grant } from './grant.ts';
import type { GrantStore } from './grantStore.ts';
import { toHex } from './seal.ts';

/** What a sign-in got; id, label and generation are given when it is stored. */
export type FreshSignIn = Omit<Grant, 'id' | 'generation' | 'label' | 'signedInAtMs'>;

export interface StoreSignInParts {
  store: GrantStore;
  known: () => Grant[];
  /** Learns what other windows stored. */
  look: () => Promise<void>;
  labelFor: (identity: Identity | undefined, taken: ReadonlySet<string>) => string;
  randomness: Randomness;
}

const lockWaitMs = 15_000;

/**
 * Stores a sign-in: as the next generation of the account that the same user and workspace have here, else as an
 * account of its own. Two windows that sign in to one account at once make one account of it.
 */
export async function storeSignIn(
  fresh: FreshSignIn,
  parts: StoreSignInParts,
): Promise<{ grant: Grant; replaced?: Grant }> {
  const stored = await parts.store.exclusively('sign-in', lockWaitMs, async () => {
    await parts.look();
    const same = parts.known().find((grant) => isSameAccount(grant, fresh));
    return same === undefined ? { grant: await storeNew(fresh, parts) } : storeAgain(fresh, same, parts);
  });
  // What was got is not thrown away because a lock is stuck: an account too many is better than one too few.
  return stored ?? { grant: await storeNew(fresh, parts) };
}

/** Issuer, user and workspace, never the label. Unknown identity is nobody's. */
function isSameAccount(grant: Grant, { identity, authorizationServer, serverUrl }: FreshSignIn): boolean {
  return (
    identity !== undefined &&
    grant.authorizationServer.issuer === authorizationServer.issuer &&
    grant.serverUrl === serverUrl &&
    grant.identity?.userId === identity.userId &&
    grant.identity.workspaceId === identity.workspaceId
  );
}

async function storeNew(fresh: FreshSignIn, { store, known, labelFor, randomness }: StoreSignInParts): Promise<Grant> {
  const taken = new Set(known().map(({ label }) => label));
  const grant: Grant = {
    ...fresh,
    id: uuid(randomness),
    generation: 1,
    label: labelFor(fresh.identity, taken),
    signedInAtMs: fresh.tokens.obtainedAtMs,
  };
  await store.store(grant, undefined);
  return grant;
}

async function storeAgain(
  fresh: FreshSignIn,
  same: Grant,
  parts: StoreSignInParts,
): Promise<{ grant: Grant; replaced?: Grant }> {
  const transaction = await parts.store.begin(same, lockWaitMs);
  if (transaction === undefined) {
    return { grant: await storeNew(fresh, parts) };
  }
  try {
    // A renewal in another window may have come first; a sign-out too, and then this is a new account.
    const replaced = await transaction.read().catch(() => undefined);
    if (replaced === undefined) {
      return { grant: await storeNew(fresh, parts) };
    }
    const others = parts.known().filter(({ id }) => id !== same.id);
    const grant: Grant = {
      ...fresh,
      id: same.id,
      generation: replaced.generation + 1,
      label: parts.labelFor(fresh.identity, new Set(others.map(({ label }) => label))),
      askedScopes: [...new Set([...replaced.askedScopes, ...fresh.askedScopes])],
      signedInAtMs: fresh.tokens.obtainedAtMs,
      ...(replaced.unknown && { unknown: replaced.unknown }),
    };
    await parts.store.store(grant, replaced);
    return { grant, replaced };
  } finally {
    await transaction.end();
  }
}

/** A version 4 UUID (RFC 9562). */
function uuid(randomness: Randomness): string {
  const bytes = randomness.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = toHex(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
