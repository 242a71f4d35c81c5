/**
 * Whether a tool's error is one of the serialization faults of Notion's own server, which are not a caller's mistake
 * and may be gone the next time.
 */
export function isSerializationFault(text: string): boolean {
  return /Expected (array|object), received string|should be defined, instead was `?undefined`?/.test(text);
}
