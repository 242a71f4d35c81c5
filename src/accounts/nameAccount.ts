import type { Grant } from '../grants/grant.ts';
import { codeOf, identityKey } from '../grants/identityKey.ts';
import { codedLabel, fallbackLabel } from '../grants/names.ts';
import type { GrantStore } from '../storage/grantStore.ts';

/** The fields of a grant that name its account. */
export type AccountNames = Pick<Grant, 'accountId' | 'label' | 'serverNames'>;

const lockWaitMs = 5_000;

/**
 * Names an account: by its identity, and for ever, or with a fallback label while its identity is unknown. An account
 * that has a label keeps it. If the registry of names cannot be used now, the label carries a code, so that it is no
 * other account's, and the names of its MCP server follow later. Never rejects.
 */
export async function nameAccount(
  grant: Pick<Grant, 'id' | 'identity' | 'authorizationServer' | 'serverUrl'> & { label?: string },
  others: readonly Grant[],
  store: GrantStore,
): Promise<AccountNames> {
  const { identity, label } = grant;
  if (identity === undefined) {
    return { label: fallbackLabel(await codeOf(grant.id)) };
  }
  const accountId = await identityKey(grant, identity);
  const code = await codeOf(accountId);
  const request = {
    ...{ identity, accountId, code },
    ...(label !== undefined && { label }),
    others: others.filter((other) => other.accountId !== accountId),
  };
  const names = await store.assignNames(request, lockWaitMs).catch(() => undefined);
  return { accountId, label: label ?? codedLabel(identity, code), ...names };
}
