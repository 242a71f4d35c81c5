const bytesOfMark = [0xef, 0xbb, 0xbf];

/** The byte order mark at the beginning of a text, which readers ignore. The text comes in pieces. */
export class ByteOrderMark {
  #found = 0;

  /** @returns the index of the first byte in the next piece that is not part of the mark */
  skip(piece: Uint8Array): number {
    let at = 0;
    while (at < piece.length && piece[at] === bytesOfMark[this.#found]) {
      at += 1;
      this.#found += 1;
    }
    if (at < piece.length) {
      this.#found = bytesOfMark.length;
    }
    return at;
  }
}
