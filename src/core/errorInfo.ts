/** What an error of nobody's foresight says without its message, which may hold anything: name, code and place. */
export function errorInfo(error: unknown): { name: string; code?: string; at?: string } {
  if (!(error instanceof Error)) {
    return { name: typeof error };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // The file without its folders, which hold the name of whoever is at home there.
  const at = /^\s+at .*?([\w.-]{1,60}:\d+:\d+)\)?$/m.exec(error.stack ?? '')?.[1];
  return { name: error.name, ...(code !== undefined && { code }), ...(at !== undefined && { at }) };
}

/** For a log line: what the disk or the storage calls its refusal. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
