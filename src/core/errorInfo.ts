/** Describes an unexpected error by name, code and position, without its message, which may contain anything. */
export function errorInfo(error: unknown): { name: string; code?: string; at?: string } {
  if (!(error instanceof Error)) {
    return { name: typeof error };
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // The file name alone: the folders above it often contain the user's name.
  const at = /^\s+at .*?([\w.-]{1,60}:\d+:\d+)\)?$/m.exec(error.stack ?? '')?.[1];
  return { name: error.name, ...(code !== undefined && { code }), ...(at !== undefined && { at }) };
}

/** The code of a failed file or storage operation (`ENOSPC`); undefined if the error has none. */
export function systemErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
