import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { failureKind, HttpFailure } from './errors.ts';
import type { Transport, TransportResponse } from './transport.ts';
import { isDirect, isPrivateAddress, isSecure, reachOf } from './url.ts';

export interface HttpParts {
  /** Carries requests to this computer; the host carries them where it is absent. Both give up connecting by themselves. */
  direct?: Transport;
  /** Carries everything else, with the editor's network settings. */
  host: Transport;
  /** The addresses of a name; absent where names cannot be looked up (a web worker). May reject. */
  lookup?: (hostname: string) => Promise<string[]>;
  /** Absent where the header is not ours to set (a web worker). */
  userAgent?: string;
  clock: Clock;
}

/**
 * The policy over the transports: what may be asked, how long an answer may take and be, and which redirects are
 * followed. Whichever transport carries a request, it is held to the same.
 */
export function createHttp(parts: HttpParts): Http {
  return async (request) => {
    const { url, signal, deadlineMs = 30_000 } = request;
    const ending = new AbortController();
    const end = (kind: 'cancelled' | 'timeout') => ending.abort(new HttpFailure(kind, url.host));
    const cancel = () => end('cancelled');
    const disarm = parts.clock.after(deadlineMs, () => end('timeout'));
    signal?.addEventListener('abort', cancel, { once: true });
    if (signal?.aborted) {
      cancel();
    }
    try {
      // Raced, because a transport that is still connecting, or a lookup, does not hear the signal.
      return await raceAbort(ending.signal, () => exchange(parts, request, ending.signal));
    } catch (error) {
      throw ending.signal.aborted ? ending.signal.reason : failureOf(error, url);
    } finally {
      disarm();
      signal?.removeEventListener('abort', cancel);
    }
  };
}

/** How many redirects are followed. */
const mostRedirects = 3;

/** How long a lookup may take, which is all that it delays where only the proxy can resolve names. */
const lookupLimitMs = 3_000;

async function exchange(parts: HttpParts, request: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  let { url } = request;
  for (let redirects = 0; ; redirects += 1) {
    await admit(parts, url, request);
    const answer = await send(parts, url, request, signal);
    const location = redirectOf(answer);
    if (location === undefined) {
      return { status: answer.status, headers: asHeaders(answer), body: await readBody(answer, url.host), url };
    }
    answer.cancel();
    const target = URL.canParse(location, url) ? new URL(location, url) : undefined;
    // A redirected POST would hand a code or a refresh token to whoever is named (librefang/librefang#6315).
    const follow = request.method === 'GET' && request.redirects === 'sameOrigin' && redirects < mostRedirects;
    if (!follow || target?.origin !== url.origin) {
      throw new HttpFailure('redirected', url.host);
    }
    url = target;
  }
}

/** Refuses a URL that must not be asked; each hop of a redirect is judged anew. */
async function admit({ lookup, clock }: HttpParts, url: URL, { privateAddresses }: HttpRequest): Promise<void> {
  if (!isSecure(url)) {
    throw new HttpFailure('insecure', url.host);
  }
  if (privateAddresses !== 'refuse') {
    return;
  }
  const reach = reachOf(url.hostname);
  // The limit of this check: the host resolves the name once more for itself and could be told another address then
  // (DNS rebinding). Where the lookup fails or takes long, a proxy resolves names, and it decides what it connects to.
  const addresses = reach === 'name' && lookup ? await inTime(clock, lookup(url.hostname)) : [];
  if (reach === 'private' || addresses.some(isPrivateAddress)) {
    throw new HttpFailure('privateAddress', url.host);
  }
}

async function send(
  { direct, host, userAgent }: HttpParts,
  url: URL,
  { method, headers, body }: HttpRequest,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const transport = direct && isDirect(url) ? direct : host;
  return transport.send({
    method,
    url,
    headers: sendable(headers, userAgent, url),
    signal,
    ...(body !== undefined && { body: new TextEncoder().encode(body) }),
  });
}

/** Refuses what cannot be sent before a transport does: `fetch` quotes the value, which may be a token, in its error. */
function sendable(headers: HttpRequest['headers'], userAgent: string | undefined, { host }: URL) {
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

function redirectOf({ status, headers: { location } }: TransportResponse): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) {
    return undefined;
  }
  return Array.isArray(location) ? location[0] : location;
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

function failureOf(error: unknown, url: URL): HttpFailure {
  if (error instanceof HttpFailure && error.kind !== 'unreachable') {
    return error;
  }
  const cause = error instanceof HttpFailure ? error.cause : error;
  return new HttpFailure(failureKind(cause, url), url.host, { cause });
}

/** What `lookup` finds, or nothing when it fails or takes too long. */
function inTime(clock: Clock, lookup: Promise<string[]>): Promise<string[]> {
  return new Promise((resolve) => {
    const disarm = clock.after(lookupLimitMs, () => resolve([]));
    lookup.then(resolve, () => resolve([])).finally(disarm);
  });
}

function raceAbort<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work().then(resolve, reject);
  });
}

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

/** Far more than any document or token answer, and little enough for memory. */
export const longestBody = 1_048_576;

/**
 * Reads a body to its end as UTF-8.
 * @throws HttpFailure of kind `tooLarge` as soon as more than `longestBody` bytes have come; the rest is not fetched
 */
export async function readBody(answer: TransportResponse, host: string): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let length = 0;
  for (let chunk = await answer.read(); chunk !== undefined; chunk = await answer.read()) {
    length += chunk.length;
    if (length > longestBody) {
      answer.cancel();
      throw new HttpFailure('tooLarge', host);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * `http` that tells `log`, for the details, of each request: method, host and path, how it ended and how long it took.
 * Never a query or a body, and of the headers only what helps whoever runs the server, in a form that no secret has.
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

/** By these a server's people find the request in their own log. */
function supportValues({ headers }: HttpResponse): Record<string, string> {
  const pairs = [...requestIds, ['retry-after', /^\d{1,9}$/] as const].flatMap(([name, form]) => {
    const value = headers.get(name);
    return value !== null && form.test(value) ? [[name, value] as const] : [];
  });
  return Object.fromEntries(pairs);
}
