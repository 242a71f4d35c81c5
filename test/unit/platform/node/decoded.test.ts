import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  brotliCompressSync,
  createBrotliCompress,
  createDeflate,
  createGzip,
  deflateRawSync,
  deflateSync,
  gzipSync,
} from 'node:zlib';
import { createTransport } from '#platform/transport';
import { HttpFailure } from '../../../../src/http/errors.ts';
import { readText, type TransportResponse } from '../../../../src/http/transport.ts';
import { decoded } from '../../../../src/platform/node/decoded.ts';
import { ScriptedServer } from '../../gateway/scriptedServer.ts';

const text = '{"text":"ä€😀"}'.repeat(10_000);
const host = 'mcp.example';

const encodings: [title: string, encoding: string, body: Uint8Array][] = [
  ['gzip', 'gzip', gzipSync(text)],
  ['gzip by its older name and in capitals', ' X-GZIP ', gzipSync(text)],
  ['brotli', 'br', brotliCompressSync(text)],
  ['deflate', 'deflate', deflateSync(text)],
  ['deflate without the header of the zlib format', 'deflate', deflateRawSync(text)],
];

for (const [title, encoding, body] of encodings) {
  test(`${title}: a body is decoded in whatever pieces it arrives, and its headers describe the decoded body`, async () => {
    for (const size of [body.length, 1000, 1]) {
      const upstream = new Upstream(encoding, piecesOf(body, size));
      const response = decoded(upstream, host);
      assert.equal(await readText(response, 1e9), text);
      assert.deepEqual(response.headers, { 'content-type': 'application/json' });
      assert.equal(response.status, 200);
      assert.equal(upstream.isCancelled, false);
    }
  });
}

test('a body that is not encoded, or in a way that we do not know, is returned as it is', () => {
  for (const encoding of [undefined, 'identity', 'zstd', 'gzip, br', 'constructor']) {
    const upstream = new Upstream(encoding, []);
    assert.equal(decoded(upstream, host), upstream);
  }
});

test('an empty body stays empty, whatever its encoding is said to be', async () => {
  for (const encoding of ['gzip', 'deflate', 'br']) {
    assert.equal(await decoded(new Upstream(encoding, []), host).read(), undefined);
  }
});

test('an event is decoded as soon as it arrives, and the stream goes on', async () => {
  for (const [encoding, encoder] of [
    ['gzip', createGzip()],
    ['deflate', createDeflate()],
    ['br', createBrotliCompress()],
  ] as const) {
    const pieces: Uint8Array[] = [];
    encoder.on('data', (piece) => pieces.push(piece));
    encoder.write('data: {}\n\n');
    await promisify<void>((done) => encoder.flush(() => done(null, undefined)))();
    const upstream = new Upstream(encoding, pieces, 'silent');
    assert.equal(Buffer.from((await decoded(upstream, host).read()) ?? []).toString(), 'data: {}\n\n');
  }
});

const broken: [title: string, encoding: string, body: Uint8Array][] = [
  ['gzip that is cut off', 'gzip', gzipSync(text).subarray(0, -1)],
  ['gzip that is cut off in its head', 'gzip', gzipSync(text).subarray(0, 3)],
  ['brotli that is cut off', 'br', brotliCompressSync(text).subarray(0, -1)],
  ['deflate that is cut off', 'deflate', deflateSync(text).subarray(0, -1)],
  ['text that is said to be gzip', 'gzip', Buffer.from(text)],
];

for (const [title, encoding, body] of broken) {
  test(`${title}: reading fails as unreachable, with the host and the cause, and ends the request`, async () => {
    const upstream = new Upstream(encoding, piecesOf(body, 1000));
    await assert.rejects(
      readText(decoded(upstream, host), 1e9),
      (error) =>
        error instanceof HttpFailure &&
        error.kind === 'unreachable' &&
        error.host === host &&
        error.cause instanceof Error,
    );
    assert.ok(upstream.isCancelled);
  });
}

test('an encoded body that breaks off fails as the connection did', async () => {
  const failure = new HttpFailure('timeout', host);
  const upstream = new Upstream('gzip', [gzipSync(text).subarray(0, 100)], failure);
  await assert.rejects(readText(decoded(upstream, host), 1e9), (error) => error === failure);
});

test('cancelling ends the request, and a read that waits then fails', async () => {
  for (const isStarted of [false, true]) {
    const upstream = new Upstream('gzip', isStarted ? [gzipSync(text).subarray(0, 10)] : [], 'silent');
    const response = decoded(upstream, host);
    const reading = response.read();
    await upstream.waited;
    response.cancel();
    await assert.rejects(reading, (error) => error instanceof HttpFailure && error.kind === 'cancelled');
  }
});

test('a body is not read far ahead of its reader', async () => {
  const pieces = piecesOf(gzipSync(Buffer.alloc(100_000_000), { level: 0 }), 65_536);
  const upstream = new Upstream('gzip', pieces);
  const response = decoded(upstream, host);
  assert.equal(upstream.reads, 0);
  await response.read();
  for (let turns = 0; turns < 100; turns += 1) {
    await setImmediate();
  }
  assert.ok(upstream.reads < 20, `${upstream.reads} of ${pieces.length} pieces were read`);
  response.cancel();
});

test('a body from a server that is cut off fails, and the next request succeeds', async (t) => {
  const server = await ScriptedServer.start();
  const transport = createTransport({ hostFetch: fetch });
  t.after(async () => {
    await transport.close();
    await server.stop();
  });
  const bodies = [gzipSync(text).subarray(0, -10), gzipSync(text)];
  server.script = (response, _request, number) => {
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(bodies[number - 1]);
  };
  const read = async () => {
    const { signal } = new AbortController();
    return readText(await transport.send({ method: 'GET', url: new URL(server.url), headers: {}, signal }), 1e9);
  };
  await assert.rejects(read(), (error) => error instanceof HttpFailure && error.kind === 'unreachable');
  assert.equal(await read(), text);
});

/** A response that yields these pieces, and then ends, fails, or waits until it is cancelled. */
class Upstream implements TransportResponse {
  readonly status = 200;
  readonly headers: TransportResponse['headers'];
  reads = 0;
  isCancelled = false;
  readonly #pieces: Uint8Array[];
  readonly #end: 'ended' | 'silent' | HttpFailure;
  readonly #cancelled = Promise.withResolvers<never>();
  readonly #waited = Promise.withResolvers<void>();

  constructor(
    encoding: string | undefined,
    pieces: readonly Uint8Array[],
    end: 'ended' | 'silent' | HttpFailure = 'ended',
  ) {
    this.headers = { 'content-type': 'application/json', 'content-length': '7', 'content-encoding': encoding };
    this.#pieces = [...pieces];
    this.#end = end;
    this.#cancelled.promise.catch(() => undefined);
  }

  /** Resolves once all pieces were read and the reader waits. */
  get waited(): Promise<void> {
    return this.#waited.promise;
  }

  async read(): Promise<Uint8Array | undefined> {
    this.reads += 1;
    const piece = this.#pieces.shift();
    if (piece === undefined && this.#end === 'silent') {
      this.#waited.resolve();
      return this.#cancelled.promise;
    }
    if (piece === undefined && this.#end instanceof HttpFailure) {
      throw this.#end;
    }
    return piece;
  }

  cancel(): void {
    this.isCancelled = true;
    this.#cancelled.reject(new HttpFailure('cancelled', host));
  }
}

function piecesOf(body: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(body.length / size) }, (_, at) => body.subarray(at * size, (at + 1) * size));
}
