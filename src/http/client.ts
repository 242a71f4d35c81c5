import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { HttpFailure } from './errors.ts';
import { headerOf, type Transport, type TransportResponse } from './transport.ts';
import { isPrivateAddress, isSecure, reachOf } from './url.ts';

/** Resolves a name to its addresses. May reject. */
export type Lookup = (hostname: string) => Promise<string[]>;

export interface HttpParts {
  transport: Transport;
  /** Absent where names cannot be looked up (in a web worker). */
  lookup?: Lookup | undefined;
  /** Absent where the header cannot be set (in a web worker). */
  userAgent?: string;
  clock: Clock;
}

/**
 * Applies one policy to a transport: which URLs may be requested, how long a response may take, how large it may be and
 * which redirects are followed.
 */
export function createHttp(parts: HttpParts): Http {
  return async (request) => {
    const { url, signal, deadlineMs = 30_000 } = request;
    const controller = new AbortController();
    const abort = (kind: 'cancelled' | 'timeout') => controller.abort(new HttpFailure(kind, url.host));
    const cancel = () => abort('cancelled');
    const disarm = parts.clock.after(deadlineMs, () => abort('timeout'));
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) {
      cancel();
    }
    try {
      // Raced, because neither a lookup nor a transport that is still connecting reacts to the signal.
      return await raceAbort(controller.signal, () => exchange(parts, request, controller.signal));
    } finally {
      disarm();
      signal?.removeEventListener('abort', cancel);
    }
  };
}

const maxRedirects = 3;

/** The time limit of a lookup. Where only the proxy can resolve names, a request is delayed by no more than this. */
const lookupLimitMs = 3_000;

async function exchange(parts: HttpParts, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  let { url } = request;
  for (let redirects = 0; ; redirects += 1) {
    await assertAllowed(parts, url, request);
    const response = await send(parts, url, request, signal);
    const location = redirectOf(response);
    if (location === undefined) {
      return {
        status: response.status,
        headers: asHeaders(response),
        body: await readBody(response, { ...request, url }),
        url,
      };
    }
    response.cancel();
    const target = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    // A redirected POST would hand a code or a refresh token to the target (librefang/librefang#6315).
    const follow = request.method === 'GET' && request.redirects === 'sameOrigin' && redirects < maxRedirects;
    if (!follow || target?.origin !== url.origin) {
      throw new HttpFailure('redirected', url.host);
    }
    url = target;
  }
}

/** Rejects a URL that must not be requested. Each hop of a redirect is checked again. */
async function assertAllowed(parts: HttpParts, url: URL, { privateAddresses }: HttpRequest): Promise<void> {
  if (!isSecure(url)) {
    throw new HttpFailure('insecure', url.host);
  }
  if (privateAddresses === 'refuse') {
    await assertPublic(parts, url);
  }
}

/**
 * Rejects a URL whose host is a private address or a name that resolves to one.
 * @throws HttpFailure of kind `privateAddress`
 */
export async function assertPublic({ lookup, clock }: Pick<HttpParts, 'lookup' | 'clock'>, url: URL): Promise<void> {
  const reach = reachOf(url.hostname);
  // The limits of this check: the host resolves the name again for itself and may get another address (DNS rebinding).
  // If the lookup fails or takes too long, a proxy presumably resolves names and decides which address it connects to.
  const addresses = reach === 'name' && lookup ? await orTimeout(clock, lookup(url.hostname)) : [];
  if (reach === 'private' || addresses.some(isPrivateAddress)) {
    throw new HttpFailure('privateAddress', url.host);
  }
}

async function send(
  { transport, userAgent }: HttpParts,
  url: URL,
  { method, headers, body }: HttpRequest,
  signal: AbortSignal,
): Promise<TransportResponse> {
  return transport.send({
    method,
    url,
    headers: validHeaders(headers, userAgent, url),
    signal,
    ...(body !== undefined && { body: new TextEncoder().encode(body) }),
  });
}

/** Rejects invalid headers before a transport does: the error of `fetch` quotes the value, which may be a token. */
function validHeaders(headers: HttpRequest['headers'], userAgent: string | undefined, { host }: URL) {
  try {
    const result = new Headers(headers);
    if (userAgent !== undefined) {
      result.set('user-agent', userAgent);
    }
    return Object.fromEntries(result);
  } catch {
    throw new HttpFailure('insecure', host);
  }
}

function redirectOf(response: TransportResponse): string | undefined {
  return [301, 302, 303, 307, 308].includes(response.status) ? headerOf(response, 'location') : undefined;
}

function asHeaders({ headers }: TransportResponse): Headers {
  const result = new Headers();
  for (const [name, values = []] of Object.entries(headers)) {
    for (const value of [values].flat()) {
      result.append(name, value);
    }
  }
  return result;
}

/** The addresses that `lookup` finds; none if it fails or takes too long. */
function orTimeout(clock: Clock, lookup: Promise<string[]>): Promise<string[]> {
  return new Promise((resolve) => {
    const disarm = clock.after(lookupLimitMs, () => resolve([]));
    lookup.then(resolve, () => resolve([])).finally(disarm);
  });
}

/** Settles like `work`, or rejects with the signal's reason as soon as it is aborted, as not all work heeds a signal. */
export function raceAbort<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

/** One request. Plain http is allowed only to loopback. */
export interface HttpRequest {
  method: 'GET' | 'POST';
  url: URL;
  headers?: Record<string, string>;
  body?: string;
  /** Cancels the request, which then fails with an `HttpFailure` of kind `cancelled`. */
  signal?: AbortSignal;
  /** The time limit for the whole response, including redirects and the body. Default 30 s. */
  deadlineMs?: number;
  /** The size limit of the body. Default `longestBody`. */
  maxBytes?: number;
  /** `sameOrigin` follows up to three GET redirects within the origin (for discovery only). Default `refuse`. */
  redirects?: 'refuse' | 'sameOrigin';
  /**
   * `refuse` rejects every address outside the public Internet, including this machine's (SSRF, A23), and names that
   * resolve to one, as far as that can be checked: see `assertPublic` for the limits. Default `allow`.
   */
  privateAddresses?: 'allow' | 'refuse';
}

/** A response of any status, with its whole body. */
export interface HttpResponse {
  status: number;
  headers: Headers;
  body: string;
  /** Where the response came from, after redirects. */
  url: URL;
}

/**
 * Sends one request and reads the whole response.
 * @throws HttpFailure and nothing else
 */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

/** In bytes: far more than any metadata document or token response needs, and small enough for memory. */
export const longestBody = 1_048_576;

/**
 * Reads a body to the end as UTF-8.
 * @throws HttpFailure of kind `tooLarge` once more than `maxBytes` have arrived; the rest is not fetched
 */
async function readBody(
  response: TransportResponse,
  { url, maxBytes = longestBody }: Pick<HttpRequest, 'url' | 'maxBytes'>,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for (let chunk = await response.read(); chunk !== undefined; chunk = await response.read()) {
    length += chunk.length;
    if (length > maxBytes) {
      response.cancel();
      throw new HttpFailure('tooLarge', url.host);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * Wraps `http` so that each request is logged at debug level: method, host and path, outcome and duration. Queries and
 * bodies are never logged; of the headers, only those that help the server's operators, in a form that no secret has.
 */
export function withLogging(http: Http, log: Log, clock: Clock): Http {
  return async (request) => {
    const { method, url } = request;
    const startMs = clock.monotonicMs();
    const tookMs = (): number => Math.round(clock.monotonicMs() - startMs);
    try {
      const response = await http(request);
      log.debug(method, { url, status: response.status, ms: tookMs(), ...supportValues(response) });
      return response;
    } catch (error) {
      log.debug(method, { url, failed: error instanceof HttpFailure ? error.kind : 'unknown', ms: tookMs() });
      throw error;
    }
  };
}

const requestIds = [
  ['x-request-id', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i],
  ['cf-ray', /^[0-9a-f]{16}(-[A-Z]{3})?$/],
] as const;

/** The header values with which the server's operators can find the request in their own log. */
function supportValues({ headers }: HttpResponse): Record<string, string> {
  const pairs = [...requestIds, ['retry-after', /^\d{1,9}$/] as const].flatMap(([name, form]) => {
    const value = headers.get(name);
    return value !== null && form.test(value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(pairs);
}
