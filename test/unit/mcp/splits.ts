/** The ways in which a text can arrive: whole, byte by byte, and in two pieces, split at each byte. */
export function splitsOf(text: string): Uint8Array[][] {
  const bytes = Buffer.from(text);
  const bytewise = Array.from(bytes, (byte) => Uint8Array.of(byte));
  const inTwo = bytewise.map((_byte, at) => [bytes.subarray(0, at), bytes.subarray(at)]);
  return [[bytes], bytewise, ...inTwo];
}
