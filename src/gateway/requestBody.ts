import type { Readable } from 'node:stream';
import { HttpFailure } from '../http/errors.ts';

/** A request's body, kept so that it can be sent again, or the two ends of a body that is too large to keep. */
export type RequestBody =
  | { kind: 'whole'; bytes: Buffer<ArrayBuffer> }
  | { kind: 'tooLarge'; head: Uint8Array; tail: Uint8Array };

export const maxBodyBytes = 16 * 1024 * 1024;

const maxEndBytes = 4096;

/**
 * Reads a body to its end, even one longer than `limit` bytes, of which only the ends are kept: a caller that is still
 * writing would not see an early response.
 * @throws HttpFailure of kind `cancelled` if the caller disconnects
 */
export function readBody(request: Readable, limit = maxBodyBytes): Promise<RequestBody> {
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
        head = Buffer.from(tail.subarray(0, maxEndBytes));
        chunks = [];
      } else {
        tail = Buffer.concat([tail, chunk]);
      }
      tail = Buffer.from(tail.subarray(-maxEndBytes));
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
      // Every request emits `close`, and creating an error is slow.
      if (!request.readableEnded) {
        reject(new HttpFailure('cancelled', ''));
      }
    });
  });
}
