/**
 * The failure of a request: `cancelled` if its signal was aborted, else of the kind that its error indicates. An error
 * that is a failure already is returned as it is. Where the caller does not know whether there was a connection yet (`isConnecting`), the error decides.
 */
export function failureOf(
  cause: unknown,
  { url, signal }: { url: URL; signal: AbortSignal },
  { isConnecting = [...chainOf(cause)].some(failedToConnect) } = {},
): HttpFailure {
  if (cause instanceof HttpFailure && !signal.aborted) {
    return cause;
  }
  const kind = signal.aborted ? 'cancelled' : failureKind(cause, url);
  return new HttpFailure(kind, url.host, { cause, ...(isConnecting && { wasSent: false }) });
}

/**
 * Classifies the error of a request to `url`. The codes of undici, Node and OpenSSL are somewhere in its chain of
 * causes: `fetch` wraps them, and connecting to several addresses aggregates them.
 */
export function failureKind(error: unknown, url: URL): HttpFailureKind {
  for (const each of chainOf(error)) {
    const kind = certificate(each) ?? proxy(each, url) ?? timeout(each) ?? redirected(each) ?? cancelled(each);
    if (kind !== undefined) {
      return kind;
    }
  }
  return 'unreachable';
}

/** The properties that identify an error. Libraries differ in which of them they set. */
interface Evidence {
  name?: unknown;
  code?: unknown;
  message?: unknown;
  syscall?: unknown;
  hostname?: unknown;
  port?: unknown;
}

function certificate({ code, message }: Evidence): 'certificate' | undefined {
  const byCode = typeof code === 'string' && (verifyCodes.has(code) || code.startsWith('ERR_TLS_CERT_'));
  return byCode || chromiumCode(message)?.startsWith('CERT_') ? 'certificate' : undefined;
}

function proxy({ code, message, syscall, hostname, port }: Evidence, url: URL): 'proxy' | undefined {
  const byCode = typeof code === 'string' && /^(UND_ERR_PRX_.+|UND_ERR_SOCKS5.*|ERR_PROXY_.+)$/.test(code);
  // undici has no specific code for a refused tunnel.
  const refused = code === 'UND_ERR_ABORTED' && /^Proxy response \(\d+\)/.test(String(message));
  // A host that could not be resolved or connected to, and is not the server, must be the proxy.
  const serverPort = url.port === '' ? defaultPorts[url.protocol] : url.port;
  const otherHost =
    (syscall === 'getaddrinfo' && typeof hostname === 'string' && hostname !== url.hostname) ||
    (syscall === 'connect' && typeof port === 'number' && String(port) !== serverPort) ||
    (code === 'UND_ERR_CONNECT_TIMEOUT' && attemptedPorts(message).some((attempted) => attempted !== serverPort));
  return byCode || refused || otherHost || /PROXY|TUNNEL/.test(chromiumCode(message) ?? '') ? 'proxy' : undefined;
}

/** The ports of the addresses that undici attempted, which only its text holds: `(attempted address: proxy:3128, …`. */
function attemptedPorts(message: unknown): string[] {
  const addresses = /\(attempted address(?:es)?: (.+), timeout:/.exec(String(message))?.[1]?.split(',') ?? [];
  return addresses.map((address) => address.slice(address.lastIndexOf(':') + 1).trim());
}

function timeout({ name, code, message }: Evidence): 'timeout' | undefined {
  const byCode = typeof code === 'string' && timeoutCodes.has(code);
  return byCode || name === 'TimeoutError' || chromiumCode(message)?.endsWith('TIMED_OUT') ? 'timeout' : undefined;
}

/** Electron's `fetch` throws where other implementations return the redirect (electron/electron#43715). */
function redirected({ message }: Evidence): 'redirected' | undefined {
  return message === 'Redirect was cancelled' ? 'redirected' : undefined;
}

/** undici's code for the requests of a pool that was closed. */
function cancelled({ code }: Evidence): 'cancelled' | undefined {
  return code === 'UND_ERR_DESTROYED' ? 'cancelled' : undefined;
}

/** Whether the error occurred before there was a connection. A reset or a lost route can also end an open connection. */
function failedToConnect({ code, message, syscall }: Evidence): boolean {
  if (syscall !== undefined) {
    return syscall === 'getaddrinfo' || syscall === 'connect';
  }
  // Node's text for a reset in the TLS handshake, which has the same code as any other.
  const inHandshake = String(message).includes('before secure TLS connection was established');
  return inHandshake || connectCodes.has(code) || connectCodes.has(chromiumCode(message));
}

/** Chromium's code for an error, the only information if the editor is configured to use Electron's `fetch`. */
function chromiumCode(message: unknown): string | undefined {
  return /\bnet::ERR_([A-Z_]+)/.exec(String(message))?.[1];
}

/** The error, its causes and the errors it aggregates. The chain may contain a cycle. */
function chainOf(error: unknown): Set<Evidence> {
  const seen = new Set<Evidence>();
  const waiting = [error];
  while (waiting.length > 0) {
    const next = waiting.shift();
    if (typeof next === 'object' && next !== null && !seen.has(next)) {
      seen.add(next);
      const { cause, errors } = next as { cause?: unknown; errors?: unknown };
      waiting.push(cause, ...(Array.isArray(errors) ? errors : []));
    }
  }
  return seen;
}

const defaultPorts: Record<string, string> = { 'https:': '443', 'http:': '80' };

const timeoutCodes: ReadonlySet<unknown> = new Set([
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** The codes of Node, undici and Chromium for a name without address and a connection that cannot be established. */
const connectCodes: ReadonlySet<unknown> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'NAME_NOT_RESOLVED',
  'NAME_RESOLUTION_FAILED',
  'INTERNET_DISCONNECTED',
  'ADDRESS_UNREACHABLE',
  'CONNECTION_REFUSED',
  'CONNECTION_FAILED',
  'CONNECTION_TIMED_OUT',
]);

/** Node's names for OpenSSL's certificate verification errors (`X509_V_ERR_…`). */
const verifyCodes: ReadonlySet<unknown> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_CRL',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'CERT_SIGNATURE_FAILURE',
  'CRL_SIGNATURE_FAILURE',
  'CERT_NOT_YET_VALID',
  'CERT_HAS_EXPIRED',
  'CRL_NOT_YET_VALID',
  'CRL_HAS_EXPIRED',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'ERROR_IN_CRL_LAST_UPDATE_FIELD',
  'ERROR_IN_CRL_NEXT_UPDATE_FIELD',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'INVALID_CA',
  'PATH_LENGTH_EXCEEDED',
  'INVALID_PURPOSE',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'HOSTNAME_MISMATCH',
]);

export type HttpFailureKind =
  /** The connection failed or broke off. */
  | 'unreachable'
  /** The deadline or the connection timeout passed. */
  | 'timeout'
  /** The body is larger than 1 MiB. */
  | 'tooLarge'
  /** The response is a redirect that must not be followed. */
  | 'redirected'
  /** Not sent: plain http to another machine, credentials in the URL, or an invalid header. */
  | 'insecure'
  /** Not sent: the address is private and the request's `privateAddresses` is `refuse`. */
  | 'privateAddress'
  /** The server's certificate is untrusted, expired or issued for another name. */
  | 'certificate'
  /** Not sent: the environment switches the verification of certificates off (`NODE_TLS_REJECT_UNAUTHORIZED=0`). */
  | 'unverified'
  /** The network of this computer changed, or the computer slept, before the response was complete. */
  | 'interrupted'
  /** The proxy is unreachable, rejects the password or cannot open a tunnel. */
  | 'proxy'
  /** The request's signal was aborted, or its transport was closed. */
  | 'cancelled';

/** The kinds of failure that mean that the network does not lead to the server at the moment. */
const networkKinds = ['unreachable', 'timeout', 'certificate', 'unverified', 'interrupted', 'proxy'] as const;

export type NetworkFailureKind = (typeof networkKinds)[number];

/** Whether a kind or code of failure means that the network does not lead to the server at the moment. */
export function isNetworkFailure(kind: string): kind is NetworkFailureKind {
  return networkKinds.some((each) => each === kind);
}

/** The kinds of failure that occur before a request is sent. */
const unsentKinds: readonly HttpFailureKind[] = ['insecure', 'privateAddress', 'certificate', 'unverified', 'proxy'];

/** Why a request failed. The message names the host, and never a path, a query, a header or a body. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  readonly kind: HttpFailureKind;
  readonly host: string;
  /** Whether any byte of the request may have reached the server; true if that is not known. */
  readonly wasSent: boolean;

  constructor(
    kind: HttpFailureKind,
    host: string,
    { wasSent = !unsentKinds.includes(kind), ...options }: ErrorOptions & { wasSent?: boolean } = {},
  ) {
    super(`${kind}: ${host}`, options);
    this.kind = kind;
    this.host = host;
    this.wasSent = wasSent;
  }
}
