import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { HttpFailure } from '../../http/errors.ts';
import { headerOf, type TransportResponse } from '../../http/transport.ts';

type CreateDecoder = (firstChunk: Uint8Array) => Transform;

const decoders: ReadonlyMap<string, CreateDecoder> = new Map<string, CreateDecoder>([
  ['gzip', () => createGunzip()],
  ['x-gzip', () => createGunzip()],
  // Some servers leave out the header of the zlib format (RFC 9110 section 8.4.1.2).
  ['deflate', ([firstByte = 0]) => ((firstByte & 0x0f) === 8 ? createInflate() : createInflateRaw())],
  ['br', () => createBrotliDecompress()],
]);

/**
 * A response whose body is decoded as `fetch` decodes it (RFC 9110 section 8.4), so that it can be read. One with an
 * encoding that we do not know is returned as it is.
 */
export function decoded(response: TransportResponse, host: string): TransportResponse {
  const createDecoder = decoders.get(headerOf(response, 'content-encoding')?.trim().toLowerCase() ?? '');
  if (createDecoder === undefined) {
    return response;
  }
  const { 'content-encoding': _encoding, 'content-length': _length, ...headers } = response.headers;
  const chunks = decodedChunks(response, createDecoder);
  return {
    status: response.status,
    headers,
    read: async () => {
      try {
        return (await chunks.next()).value;
      } catch (cause) {
        if (cause instanceof HttpFailure) {
          throw cause;
        }
        // What follows cannot be decoded.
        response.cancel();
        throw new HttpFailure('unreachable', host, { cause });
      }
    },
    cancel: () => response.cancel(),
  };
}

async function* decodedChunks(
  response: TransportResponse,
  createDecoder: CreateDecoder,
): AsyncGenerator<Uint8Array, undefined> {
  const first = await response.read();
  if (first !== undefined) {
    const encoded = Readable.from(chunksOf(first, response), { objectMode: false });
    // The iteration reports how the pipeline ends.
    yield* pipeline(encoded, createDecoder(first), () => undefined);
  }
}

async function* chunksOf(first: Uint8Array, response: TransportResponse): AsyncGenerator<Uint8Array> {
  for (let chunk: Uint8Array | undefined = first; chunk !== undefined; chunk = await response.read()) {
    yield chunk;
  }
}
