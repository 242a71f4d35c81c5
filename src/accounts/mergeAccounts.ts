import type { Log } from '../core/log.ts';
import { allowsMore, type Grant } from '../grants/grant.ts';
import type { Identity } from '../notion/identity.ts';
import type { GrantStore } from '../storage/grantStore.ts';

export interface MergeParts {
  store: GrantStore;
  log: Log;
}

/** The merged account, and the grant that it no longer uses. */
export interface MergedAccount {
  merged: Grant;
  unused: Grant;
}

const lockWaitMs = 15_000;

/**
 * Merges two accounts that turned out to be of the same user and workspace: `account`, whose id and label stay, and
 * `duplicate`, which was signed in while its identity was unknown. The grant that can be used survives, or else the
 * newer one, unless the older one allows more. One record, stored first, replaces both: a crash leaves either both
 * accounts or the merged one.
 * @returns undefined if another window holds one of the accounts; try again later
 * @throws the storage's error; Failure if one of them was signed out
 */
export async function mergeAccounts(
  account: Grant,
  duplicate: Grant,
  identity: Identity,
  { store, log }: MergeParts,
): Promise<MergedAccount | undefined> {
  // In the order of ids, so that two windows that merge at the same time do not wait for each other.
  const [first, second] = account.id < duplicate.id ? [account, duplicate] : [duplicate, account];
  const outer = await store.begin(first, lockWaitMs);
  try {
    const inner = outer && (await store.begin(second, lockWaitMs));
    if (outer === undefined || inner === undefined) {
      return undefined;
    }
    try {
      const [one, other] = [await outer.read(), await inner.read()];
      const [current, currentDuplicate] = one.id === account.id ? [one, other] : [other, one];
      const survivor = survivorOf(current, currentDuplicate);
      const merged: Grant = {
        ...survivor,
        id: current.id,
        generation: Math.max(current.generation, currentDuplicate.generation) + 1,
        label: current.label,
        ...(current.accountId !== undefined && { accountId: current.accountId }),
        ...(current.serverNames && { serverNames: current.serverNames }),
        identity,
        askedScopes: [...new Set([...current.askedScopes, ...currentDuplicate.askedScopes])],
        mergedFrom: currentDuplicate.id,
      };
      await store.store(merged);
      await store.remove(currentDuplicate.id);
      log.info('Two accounts of the same user and workspace were merged.', {
        account: merged,
        duplicate: currentDuplicate,
      });
      return { merged, unused: survivor === current ? currentDuplicate : current };
    } finally {
      await inner.end().catch(() => undefined);
    }
  } finally {
    await outer?.end().catch(() => undefined);
  }
}

function survivorOf(account: Grant, duplicate: Grant): Grant {
  const isUsable = ({ needsSignIn, refusal }: Grant): boolean => needsSignIn === undefined && refusal === undefined;
  if (isUsable(account) !== isUsable(duplicate)) {
    return isUsable(account) ? account : duplicate;
  }
  const isNewer = account.signedInAtMs > duplicate.signedInAtMs;
  const [older, newer] = isNewer ? [duplicate, account] : [account, duplicate];
  return isUsable(older) && allowsMore(older, newer) ? older : newer;
}
