import type { TLSSocket } from 'node:tls';
import type { buildConnector, Dispatcher, Pool } from 'undici';
import { failureOf, HttpFailure } from '../../http/errors.ts';
import type { PooledTransport, TransportRequest, TransportResponse } from '../../http/transport.ts';
import { decoded } from './decoded.ts';
import { NoHostSocket, type SocketTarget } from './hostSocket.ts';

export interface PoolTransportOptions {
  /** Opens the connection to a server. Default: directly, ignoring the editor's network settings. */
  openSocket?: (target: SocketTarget) => Promise<TLSSocket>;
  /** A direct connection must be established, including TLS, within this time. */
  connectTimeoutMs?: number;
  /** Connections that were idle for this long are closed. */
  idleMs?: number;
}

/** A transport over connections that we keep open between requests. `send` also throws what `openSocket` throws. */
export function createPoolTransport({
  openSocket,
  connectTimeoutMs = 10_000,
  idleMs = 30_000,
}: PoolTransportOptions = {}): PooledTransport {
  const options: Pool.Options = {
    // Else `NODE_TLS_REJECT_UNAUTHORIZED=0` would switch the verification of certificates off (A26).
    connect: openSocket === undefined ? { rejectUnauthorized: true } : connector(openSocket),
    // An event stream may be silent for any length of time; the caller decides how long to wait.
    bodyTimeout: 0,
    headersTimeout: 0,
    connectTimeout: connectTimeoutMs,
    keepAliveTimeout: idleMs,
    // For servers that offer more.
    keepAliveMaxTimeout: idleMs,
  };
  const pools = new Map<string, Pool>();
  /** Pools that get no more requests, but still have some in progress. */
  const draining = new Set<Pool>();
  const drain = (origin: string): void => {
    const pool = pools.get(origin);
    if (pool !== undefined) {
      pools.delete(origin);
      draining.add(pool);
      void pool.close().finally(() => draining.delete(pool));
    }
  };
  return {
    send: async (request) => {
      const { origin } = request.url;
      // undici is loaded on first use: most of the extension works without it.
      const { default: Pool } = await loadPool();
      let pool = pools.get(origin);
      if (pool === undefined) {
        pool = new Pool(origin, options);
        dropAborted(pool);
        pools.set(origin, pool);
      }
      try {
        return await dispatch(pool, request);
      } catch (error) {
        // What closed this connection has probably closed the others too, so the next request gets a new one.
        if (error instanceof HttpFailure && error.kind === 'unreachable' && pools.get(origin) === pool) {
          drain(origin);
        }
        throw error;
      }
    },
    reset: () => {
      for (const origin of pools.keys()) {
        drain(origin);
      }
    },
    close: async () => {
      const open = [...pools.values(), ...draining];
      pools.clear();
      await Promise.all(open.map((pool) => pool.destroy()));
    },
  };
}

function dispatch(pool: Pool, request: TransportRequest): Promise<TransportResponse> {
  return new Promise((resolve, reject) => {
    const { url, method, headers, body = null } = request;
    pool.dispatch({ path: url.pathname + url.search, method, headers, body }, new Exchange(request, resolve, reject));
  });
}

/** undici's `connect` over `openSocket`. */
function connector(openSocket: NonNullable<PoolTransportOptions['openSocket']>): buildConnector.connector {
  return ({ host = '', hostname, port }, callback) => {
    openSocket({ host, hostname, port: Number(port) || 443 }).then(
      // undici would wait for ever on a connection that has closed already.
      (socket) => (socket.destroyed ? callback(new HttpFailure('unreachable', host), null) : callback(null, socket)),
      (error: Error) => callback(error, null),
    );
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
  readonly #reject: (failure: HttpFailure | NoHostSocket) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #chunks: Uint8Array[] = [];
  #queuedBytes = 0;
  #end: 'open' | 'ended' | HttpFailure = 'open';
  #wake: (() => void) | undefined;

  constructor(
    request: TransportRequest,
    resolve: (response: TransportResponse) => void,
    reject: (failure: HttpFailure | NoHostSocket) => void,
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
    // No byte of a request is written before it starts.
    const failure = failureOf(cause, this.#request, { isConnecting: this.#controller === undefined });
    this.#settle(failure);
    this.#reject(cause instanceof NoHostSocket ? cause : failure);
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
