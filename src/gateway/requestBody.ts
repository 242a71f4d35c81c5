import type { Readable } from 'node:stream';
import { HttpFailure } from '../http/errors.ts';

/** A request's body, kept for one replay, or the ends of one that is too large for that. */
export type RequestBody =
  | { kind: 'whole'; bytes: Buffer<ArrayBuffer> }
  | { kind: 'tooLarge'; head: Uint8Array; tail: Uint8Array };

export const longestBody = 16 * 1024 * 1024;

const longestEnd = 4096;

/**
 * Reads a body to its end: a caller who still writes would not see an early answer. What is too large is not kept.
 * @throws HttpFailure of kind `cancelled` when the caller goes away
 */
export function readBody(request: Readable, limit = longestBody): Promise<RequestBody> {
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let length = 0;
    let head: Buffer | undefined;
    let tail = Buffer.alloc(0);
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limit) {
        chunks.push(chunk);
        return;
      }
      if (head === undefined) {
        tail = Buffer.concat([...chunks, chunk]);
        head = Buffer.from(tail.subarray(0, longestEnd));
        chunks = [];
      } else {
        tail = Buffer.concat([tail, chunk]);
      }
      tail = Buffer.from(tail.subarray(-longestEnd));
    });
    request.on('end', () => {
      const [only = Buffer.alloc(0)] = chunks;
      resolve(
        head === undefined
          ? { kind: 'whole', bytes: (chunks.length > 1 ? Buffer.concat(chunks) : only) as Buffer<ArrayBuffer> }
          : { kind: 'tooLarge', head, tail },
      );
    });
    request.on('error', () => undefined);
    request.on('close', () => {
      // Every request is closed at some time, and making an error takes time.
      if (!request.readableEnded) {
        reject(new HttpFailure('cancelled', ''));
      }
    });
  });
}
