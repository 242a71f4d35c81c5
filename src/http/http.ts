/** One request. Nothing is sent to a plain-http host that is not loopback. */
export interface HttpRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers?: Record<string, string>;
  body?: string;
  /** Cancels the request; the caller learns of it as an `HttpFailure` of kind `cancelled`. */
  signal?: AbortSignal;
  /** The limit for the whole answer, redirects and body included. Default 30 s. */
  deadlineMs?: number;
  /** `sameOrigin` follows up to three GET redirects within the origin (discovery only); default `refuse`. */
  redirects?: 'refuse' | 'sameOrigin';
  /**
   * `refuse` forbids every address that is not one of the public Internet, this computer's too (SSRF, A23), and names
   * that lead to one as far as can be told: see `createHttp` for the limits of that. Default `allow`.
   */
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
  /** No connection, or it broke off. */
  | 'unreachable'
  /** The deadline passed, or the one for connecting. */
  | 'timeout'
  /** The body is longer than 1 MiB. */
  | 'tooLarge'
  /** The answer is a redirect that is not followed. */
  | 'redirected'
  /** Not sent: http beyond this computer, a password in the address, or a header that would break the request. */
  | 'insecure'
  /** Not sent: the address is private and the request said `refuse`. */
  | 'privateAddress'
  /** The server's certificate is not trusted, expired or for another name. */
  | 'certificate'
  /** The proxy is not there, wants another password or does not get through. */
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
