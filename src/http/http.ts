/** One request. Nothing is sent to a plain-http host that is not loopback. */
export interface HttpRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers?: Record<string, string>;
  body?: string;
  /** Cancels the request; the caller learns of it as an `HttpFailure` of kind `cancelled`. */
  signal?: AbortSignal;
  /** The limit for the whole answer, body included. Default 30 s. */
  deadlineMs?: number;
  /** `sameOrigin` follows up to three GET redirects within the origin (discovery only); default `refuse`. */
  redirects?: 'refuse' | 'sameOrigin';
  /** `refuse` forbids private and link-local addresses (SSRF, A23). Loopback is judged with them. Default `allow`. */
  privateAddresses?: 'allow' | 'refuse';
}

/** An answer, whatever its status, read to its end (at most 1 MiB). */
export interface HttpResponse {
  status: number;
  headers: Headers;
  body: string;
  /** Where the answer came from, after redirects. */
  url: URL;
}

/**
 * Sends one request and reads the whole answer.
 * @throws HttpFailure and nothing else
 */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

export type HttpFailureKind =
  | 'unreachable'
  | 'timeout'
  | 'tooLarge'
  | 'redirected'
  | 'insecure'
  | 'privateAddress'
  | 'certificate'
  | 'proxy'
  | 'cancelled';

/** Why there is no answer. The message names the host and never a path, a query, a header or a body. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly kind: HttpFailureKind;
  readonly host: string;

  constructor(kind: HttpFailureKind, host: string, options?: ErrorOptions) {
    super(`${kind}: ${host}`, options);
    this.kind = kind;
    this.host = host;
  }
}
