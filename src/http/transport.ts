export interface TransportRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  /** Ends the request, and the answer while it is being read. */
  signal: AbortSignal;
}

/** An answer whose body is read as it arrives. Who does not read it to its end calls `cancel`. */
export interface TransportResponse {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The next piece of the body, undefined after the last. Rejects when the body breaks off. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/** Carries one request and judges nothing: `createHttp` holds the policy. Redirects are handed back, never followed. */
export interface Transport {
  /** Resolves with the head of the answer; rejects with whatever stood in the way. */
  send(request: TransportRequest): Promise<TransportResponse>;
}

/** One request to an MCP server. */
export interface UpstreamRequest {
  method: 'POST' | 'GET' | 'DELETE';
  url: URL;
  headers: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  /** Ends the request, and the answer while it is being read. */
  signal: AbortSignal;
}

/** An answer whose body is read as it arrives. Who does not read it to its end calls `cancel`. */
export interface UpstreamResponse {
  status: number;
  /** By lower-case name. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The next piece of the body, undefined after the last. Nothing is fetched far ahead of the reader. Rejects when the body breaks off. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/** Sends requests to MCP servers and streams their answers. Redirects are handed back, never followed; there is no time limit. */
export interface Upstream {
  /** Resolves with the head of the answer. @throws HttpFailure when there is none */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Ends all requests and idle connections. */
  close(): Promise<void>;
}

/** Sends what `isDirect` says over our own connections and the rest through the host, with the editor's network settings. */
export function chooseUpstream(isDirect: (url: URL) => boolean, ways: { direct: Upstream; host: Upstream }): Upstream {
  return {
    send: (request) => (isDirect(request.url) ? ways.direct : ways.host).send(request),
    close: async () => {
      await Promise.all([ways.direct.close(), ways.host.close()]);
    },
  };
}

/** The one header of that name, or its first. */
export function headerOf({ headers }: Pick<UpstreamResponse, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'object' ? value[0] : value;
}

/** Reads what is left, so that the connection can be used again; what is longer than `limit` bytes is cut off. */
export async function readText(answer: UpstreamResponse, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (let chunk = await answer.read(); chunk !== undefined; chunk = await answer.read()) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > limit) {
      answer.cancel();
      break;
    }
  }
  return Buffer.concat(chunks).subarray(0, limit).toString();
}
