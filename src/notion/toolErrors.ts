/**
 * Whether a tool's error comes from a serialization bug in Notion's own server. Such an error is not the caller's
 * fault, and the next call may succeed.
 */
export function isSerializationFault(text: string): boolean {
  return /Expected (array|object), received string|should be defined, instead was `?undefined`?/.test(text);
}
