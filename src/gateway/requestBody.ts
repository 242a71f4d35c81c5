import type { Readable } from 'node:stream';
import { HttpFailure } from '../http/errors.ts';
import { OpenRequests, unknownId } from '../mcp/jsonRpc.ts';
import { MessageReader } from '../mcp/messageReader.ts';

/** A request's body, kept so that it can be sent again, and what its messages ask for. */
export interface RequestBody {
  /** Absent if there are more than `maxBodyBytes`. */
  bytes?: Buffer<ArrayBuffer>;
  /** The requests in it, each of which needs a response. A body that is not JSON-RPC needs one of unknown id. */
  requests: OpenRequests;
  /** Whether it is an array, so that the response must be one. */
  isBatch: boolean;
  /** The methods of its messages. */
  methods: ReadonlySet<string>;
}

/** The body of a request that has none. */
export function emptyRequestBody(): RequestBody {
  return { requests: new OpenRequests(), isBatch: false, methods: new Set() };
}

export const maxBodyBytes = 16 * 1024 * 1024;

/**
 * Reads a body to its end, also if it is too large to be kept: a caller that is still writing would not see an early
 * response.
 * @throws HttpFailure of kind `cancelled` if the caller disconnects
 */
export function readBody(request: Readable, limit = maxBodyBytes): Promise<RequestBody> {
  return new Promise((resolve, reject) => {
    const messages = new MessageReader();
    const requests = new OpenRequests();
    const methods = new Set<string>();
    let chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > limit) {
        chunks = [];
      }
      for (const { kind, id = unknownId, method } of messages.push(chunk)) {
        if (kind === 'request' || kind === 'invalid') {
          requests.add(id);
        }
        if (method !== undefined) {
          methods.add(method);
        }
      }
    });
    request.on('end', () => {
      if (!messages.isComplete && requests.count === 0) {
        requests.add(unknownId);
      }
      const [only = Buffer.alloc(0)] = chunks;
      const bytes = (chunks.length > 1 ? Buffer.concat(chunks) : only) as Buffer<ArrayBuffer>;
      resolve({ ...(length <= limit && { bytes }), requests, isBatch: messages.isBatch, methods });
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
