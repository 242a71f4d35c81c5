/** A web worker does not know the computer's addresses, and a browser manages its connections itself. */
export function ownAddresses(): ReadonlySet<string> {
  return new Set();
}
