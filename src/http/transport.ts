export interface TransportRequest {
  method: 'GET' | 'POST';
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
  /** The next chunk of the body, undefined after the last. Rejects if the body breaks off. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/** Sends one request. The policy is up to `createHttp`; redirects, for example, are returned and never followed. */
export interface Transport {
  /** Resolves once the response headers have arrived; rejects with the underlying error. */
  send(request: TransportRequest): Promise<TransportResponse>;
}

/** One request to an MCP server. */
export interface UpstreamRequest {
  method: 'POST' | 'GET' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  /** Aborts the request, or the response while its body is being read. */
  signal: AbortSignal;
}

/** A response whose body is streamed. A caller that does not read it to the end must call `cancel`. */
export interface UpstreamResponse {
  status: number;
  /** By lowercase name. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /**
   * The next chunk of the body, undefined after the last. The body is not fetched far ahead of the reader. Rejects if
   * it breaks off.
   */
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/**
 * Sends requests to MCP servers and streams their responses. Redirects are returned, never followed; there is no time
 * limit.
 */
export interface Upstream {
  /** Resolves once the response headers have arrived. @throws HttpFailure if none arrive */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Ends all requests and idle connections. */
  close(): Promise<void>;
}

/**
 * Sends requests over our own connections (`direct`) if `isDirect` says so, and all others through the `host`, with the
 * editor's network settings.
 */
export function chooseUpstream(
  isDirect: (url: URL) => boolean,
  { direct, host }: { direct: Upstream; host: Upstream },
): Upstream {
  return {
    send: (request) => (isDirect(request.url) ? direct : host).send(request),
    close: async () => {
      await Promise.all([direct.close(), host.close()]);
    },
  };
}

/** The value of a header, the first one if there are several; undefined if it is absent. */
export function headerOf({ headers }: Pick<UpstreamResponse, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'object' ? value[0] : value;
}

/** Reads the rest of the body, so that the connection can be reused; text beyond `limit` bytes is cut off. */
export async function readText(response: UpstreamResponse, limit: number): Promise<string> {
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
