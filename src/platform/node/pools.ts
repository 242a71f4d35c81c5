import type { Dispatcher, Pool } from 'undici';
import { failureOf, HttpFailure } from '../../http/errors.ts';
import type { Transport, TransportRequest, TransportResponse } from '../../http/transport.ts';
import { decoded } from './decoded.ts';

/**
 * A transport over our own connections, which are pooled and ignore the editor's network settings. A connection must be
 * established, including TLS, within `connectTimeoutMs`.
 */
export function createPoolTransport({ connectTimeoutMs = 10_000 } = {}): Transport {
  const pools = new Map<string, Pool>();
  return {
    send: async (request) => {
      const { origin } = request.url;
      // undici is loaded on first use: most of the extension works without it.
      const { default: Pool } = await loadPool();
      let pool = pools.get(origin);
      if (pool === undefined) {
        pool = new Pool(origin, {
          // Else `NODE_TLS_REJECT_UNAUTHORIZED=0` would switch the verification of certificates off (A26).
          connect: { rejectUnauthorized: true },
          // An event stream may be silent for any length of time; the caller decides how long to wait.
          bodyTimeout: 0,
          headersTimeout: 0,
          connectTimeout: connectTimeoutMs,
          keepAliveTimeout: idleConnectionMs,
        });
        dropAborted(pool);
        pools.set(origin, pool);
      }
      return new Promise((resolve, reject) => {
        const { url, method, headers, body = null } = request;
        pool.dispatch(
          { path: url.pathname + url.search, method, headers, body },
          new Exchange(request, resolve, reject),
        );
      });
    },
    close: async () => {
      const open = [...pools.values()];
      pools.clear();
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}

/**
 * After a request was aborted, undici connects again in vain (nodejs/undici#5845) and keeps that connection. So the
 * client whose connection carried the request, one at a time, is removed.
 */
function dropAborted(pool: Pool): void {
  pool.on('disconnect', (origin, [, client], error) => {
    if (error.message === 'aborted' && client !== undefined) {
      // This is how a pool forgets a client.
      pool.emit('connectionError', origin, [pool, client], error);
      // It may already have another request, which must not be lost.
      client.close().catch(() => undefined);
    }
  });
}

const idleConnectionMs = 60_000;

let loading: Promise<typeof import('undici/lib/dispatcher/pool.js')> | undefined;

function loadPool(): Promise<typeof import('undici/lib/dispatcher/pool.js')> {
  loading ??= import('undici/lib/dispatcher/pool.js');
  return loading;
}

/** The connection is paused when more bytes than this are waiting to be read. */
const maxQueuedBytes = 65_536;

/** A request in progress: undici pushes chunks, `read` pulls them. */
class Exchange implements Dispatcher.DispatchHandler, TransportResponse {
  status = 0;
  headers: TransportResponse['headers'] = {};
  readonly #request: TransportRequest;
  readonly #resolve: (response: TransportResponse) => void;
  readonly #reject: (failure: HttpFailure) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #end: 'open' | 'ended' | HttpFailure = 'open';
  #wake: (() => void) | undefined;

  constructor(
    request: TransportRequest,
    resolve: (response: TransportResponse) => void,
    reject: (failure: HttpFailure) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    request.signal.addEventListener('abort', this.cancel, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#request.signal.aborted) {
      this.cancel();
    }
  }

  onResponseStart(_controller: unknown, status: number, headers: TransportResponse['headers']): void {
    // Informational responses (RFC 9110, section 15.2) precede the final one.
    if (status >= 200) {
      this.status = status;
      this.headers = headers;
      this.#resolve(decoded(this, this.#request.url.host));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes > maxQueuedBytes) {
      controller.pause();
    }
    this.#wake?.();
  }

  onResponseEnd(): void {
    this.#settle('ended');
  }

  onResponseError(_controller: unknown, cause: Error): void {
    const failure = failureOf(cause, this.#request, { isConnecting: this.#controller === undefined });
    this.#settle(failure);
    this.#reject(failure);
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#chunks.length === 0 && this.#end === 'open') {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#queuedBytes -= chunk.length;
      if (this.#queuedBytes === 0) {
        this.#controller?.resume();
      }
      return chunk;
    }
    if (this.#end instanceof HttpFailure) {
      throw this.#end;
    }
    return undefined;
  }

  /** Bound, because it also listens to the signal. */
  readonly cancel = (): void => {
    this.#controller?.abort(new Error('cancelled'));
  };

  #settle(end: 'ended' | HttpFailure): void {
    this.#end = end;
    this.#request.signal.removeEventListener('abort', this.cancel);
    this.#wake?.();
  }
}
