/** One HTTP request. */
export interface TransportRequest {
  method: 'GET' | 'POST' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  /** Aborts the request, or the response while its body is being read. */
  signal: AbortSignal;
}

/** A response whose body is streamed. A caller that does not read it to the end must call `cancel`. */
export interface TransportResponse {
  status: number;
  /** By lowercase name. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * The next chunk of the body, decoded, undefined after the last. The body is not fetched far ahead of the reader.
   * @throws HttpFailure if the body breaks off
   */
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/**
 * Sends requests and streams their responses. Redirects are returned, never followed, and there is no time limit: such
 * policy is up to the caller.
 */
export interface Transport {
  /** Resolves once the response headers have arrived. @throws HttpFailure if none arrive */
  send(request: TransportRequest): Promise<TransportResponse>;
  /** Ends all requests, which fail as `cancelled`, and idle connections. Later requests open new ones. */
  close(): Promise<void>;
}

/** A transport that keeps connections open between requests. */
export interface PooledTransport extends Transport {
  /** Closes idle connections. Requests in progress go on; later ones use new connections, as the network is now. */
  reset(): void;
}

/** The value of a header, the first one if there are several; undefined if it is absent. */
export function headerOf({ headers }: Pick<TransportResponse, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'object' ? value[0] : value;
}

/** Reads the rest of the body, so that the connection can be reused; text beyond `limit` bytes is cut off. */
export async function readText(response: TransportResponse, limit: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let left = limit;
  for (let chunk = await response.read(); chunk !== undefined; chunk = await response.read()) {
    text += decoder.decode(chunk.subarray(0, left), { stream: true });
    left -= chunk.length;
    if (left < 0) {
      response.cancel();
      break;
    }
  }
  return text + decoder.decode();
}
