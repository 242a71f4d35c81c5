import type { Clock } from '../core/clock.ts';
import { failureKind } from './errors.ts';
import { type Http, HttpFailure, type HttpRequest, type HttpResponse } from './http.ts';
import { isPrivateAddress, reachOf } from './privateAddress.ts';
import { readBody } from './readBody.ts';
import type { Transport, TransportAnswer } from './transport.ts';
import { isDirect, isSecure } from './url.ts';

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
      return await orAborted(ending.signal, () => exchange(parts, request, ending.signal));
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
): Promise<TransportAnswer> {
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

function redirectOf({ status, headers: { location } }: TransportAnswer): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) {
    return undefined;
  }
  return Array.isArray(location) ? location[0] : location;
}

function asHeaders({ headers }: TransportAnswer): Headers {
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

function orAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    work().then(resolve, reject);
  });
}
