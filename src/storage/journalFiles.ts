/**
 * Where the journal lies: in the extension's own storage of the default profile, so that all profiles of one
 * user-data folder share it. `globalStorageUri` is `…/User/globalStorage/<id>`, or in a profile
 * `…/User/profiles/<profile>/globalStorage/<id>`.
 */
export function journalDirectory(globalStoragePath: string): string {
  const shared = globalStoragePath.replace(
    /[\\/]profiles[\\/][^\\/]+[\\/](globalStorage[\\/][^\\/]+)[\\/]?$/,
    (_, own: string) => `/${own}`,
  );
  return `${shared.replace(/[\\/]$/, '')}/journal`;
}
