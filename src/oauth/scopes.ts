/**
 * The scopes to request when a token's scopes were insufficient (A17): the union of the earlier and the challenged
 * scopes, so that the new token keeps the old one's permissions. Undefined if there are none.
 */
export function stepUpScopes(
  earlier: readonly string[] | undefined,
  challenged: readonly string[] | undefined,
): string[] | undefined {
  const union = [...new Set([...(earlier ?? []), ...(challenged ?? [])])];
  return union.length > 0 ? union : undefined;
}

/**
 * Adds `offline_access` to `scopes` if the server lists it, so that a refresh token is issued (A16). Nothing is added
 * if no scopes are requested: `offline_access` alone would replace the server's default scopes.
 */
export function withOfflineAccess(
  scopes: readonly string[] | undefined,
  scopesSupported: readonly string[] | undefined,
): string[] | undefined {
  const offline = scopesSupported?.includes('offline_access') ? ['offline_access'] : [];
  return scopes === undefined || scopes.length === 0 ? undefined : [...new Set([...scopes, ...offline])];
}

/** Parses a space-separated `scope` value; undefined if it is not a string or names no scope, as `""` does. */
export function parseScope(scope: unknown): string[] | undefined {
  if (typeof scope !== 'string') {
    return undefined;
  }
  const scopes = scope.split(/\s+/).filter((each) => each !== '');
  return scopes.length > 0 ? scopes : undefined;
}
