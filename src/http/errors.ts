/**
 * Why nothing came back from `url`, as far as an error tells. The codes of undici, Node and OpenSSL lie somewhere in its
 * chain of causes: `fetch` wraps them, and an attempt over several addresses collects them.
 */
export function failureKind(error: unknown, url: URL): HttpFailureKind {
  for (const each of chainOf(error)) {
    const kind = certificate(each) ?? proxy(each, url) ?? timeout(each) ?? redirected(each);
    if (kind !== undefined) {
      return kind;
    }
  }
  return 'unreachable';
}

/** What errors carry beyond their message; which of it is there differs from library to library. */
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
  return byCode || chromium(message)?.startsWith('CERT_') ? 'certificate' : undefined;
}

function proxy({ code, message, syscall, hostname, port }: Evidence, url: URL): 'proxy' | undefined {
  const byCode = typeof code === 'string' && /^(UND_ERR_PRX_TLS|UND_ERR_SOCKS5.*|ERR_PROXY_.+)$/.test(code);
  // undici gives a refused tunnel no code of its own.
  const refused = code === 'UND_ERR_ABORTED' && /^Proxy response \(\d+\)/.test(String(message));
  // Whoever could not be found or connected to, and is not the server, stands before it.
  const ourPort = url.port === '' ? defaultPorts[url.protocol] : url.port;
  const other =
    (syscall === 'getaddrinfo' && typeof hostname === 'string' && hostname !== url.hostname) ||
    (syscall === 'connect' && typeof port === 'number' && String(port) !== ourPort);
  return byCode || refused || other || /PROXY|TUNNEL/.test(chromium(message) ?? '') ? 'proxy' : undefined;
}

function timeout({ name, code, message }: Evidence): 'timeout' | undefined {
  const byCode = typeof code === 'string' && timeoutCodes.has(code);
  return byCode || name === 'TimeoutError' || chromium(message)?.endsWith('TIMED_OUT') ? 'timeout' : undefined;
}

/** Electron's `fetch` throws where others hand the redirect back (electron/electron#43715). */
function redirected({ message }: Evidence): 'redirected' | undefined {
  return message === 'Redirect was cancelled' ? 'redirected' : undefined;
}

/** Chromium's name for an error, which is all that there is where the editor is set to use Electron's `fetch`. */
function chromium(message: unknown): string | undefined {
  return /\bnet::ERR_([A-Z_]+)/.exec(String(message))?.[1];
}

/** An error, its causes and the errors it collects; a chain that bites its own tail ends. */
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

/** Node's names for what OpenSSL finds wrong with a certificate (`X509_V_ERR_…`). */
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
