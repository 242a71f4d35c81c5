const bytesOfMark = [0xef, 0xbb, 0xbf];

/** The byte order mark at the beginning of a text, which readers ignore. The text comes in pieces. */
export class ByteOrderMark {
  #found = 0;

  /** @returns the index of the first byte of the next piece, from `start` to `end`, that is not part of the mark */
  skip(piece: Uint8Array, start = 0, end = piece.length): number {
    let at = start;
    while (at < end && piece[at] === bytesOfMark[this.#found]) {
      at += 1;
      this.#found += 1;
    }
    if (at < end) {
      this.#found = bytesOfMark.length;
    }
    return at;
  }
}
