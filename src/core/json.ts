/** Parses a body as a JSON object, regardless of its content type; undefined if it is not one. */
export function jsonObject(body: string): Record<string, unknown> | undefined {
  const value = parseJson(body.replace(/^\uFEFF/, ''));
  return isObject(value) ? value : undefined;
}

/** The value; undefined if `text` is not JSON. */
export function parseJson(text: string): unknown {
  if (text === '') {
    // Exceptions are slow.
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
