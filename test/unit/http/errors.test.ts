import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureKind, failureOf, HttpFailure } from '../../../src/http/errors.ts';

const url = new URL('https://mcp.example.test/token');

/** Errors of libraries that the other tests of this folder cannot provoke. Those that they can are tested there. */
const rows: [what: string, error: unknown, kind: string][] = [
  ['a revoked certificate', failed({ code: 'CERT_REVOKED' }), 'certificate'],
  [
    'a certificate chain that cannot be completed',
    failed({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }),
    'certificate',
  ],
  ['a certificate whose names cannot be read', failed({ code: 'ERR_TLS_CERT_ALTNAME_FORMAT' }), 'certificate'],
  ['a certificate that Electron rejects', new Error('net::ERR_CERT_AUTHORITY_INVALID'), 'certificate'],
  [
    'a proxy whose certificate is for another name',
    failed({ code: 'UND_ERR_PRX_TLS', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } }),
    'proxy',
  ],
  // nodejs/undici#5441
  ['a proxy that drops the tunnel before it is open', failed({ code: 'UND_ERR_PRX_CONN' }), 'proxy'],
  [
    'a timeout of connecting to the addresses of another port',
    connectTimeout('attempted addresses: 192.0.2.1:3128, fd00::1:3128, timeout: 10000ms'),
    'proxy',
  ],
  [
    'a timeout of connecting to the addresses of the requested port',
    connectTimeout('attempted addresses: 192.0.2.1:443, fd00::1:443, timeout: 10000ms'),
    'timeout',
  ],
  ['a SOCKS proxy that rejects the credentials', failed({ code: 'UND_ERR_SOCKS5_AUTH_FAILED' }), 'proxy'],
  ['a tunnel that Node’s built-in proxy support cannot open', failed({ code: 'ERR_PROXY_TUNNEL' }), 'proxy'],
  [
    'a tunnel refused with the message of VS Code’s patched fetch',
    failed({ code: 'UND_ERR_ABORTED', message: 'Proxy response (407) ?.== 200 when HTTP Tunneling' }),
    'proxy',
  ],
  ['a tunnel that Electron cannot open', new Error('net::ERR_TUNNEL_CONNECTION_FAILED'), 'proxy'],
  ['a proxy that Electron cannot reach', new Error('net::ERR_PROXY_CONNECTION_FAILED'), 'proxy'],
  [
    'a failed lookup of another host',
    failed({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'proxy.corp' }),
    'proxy',
  ],
  [
    'a failed lookup of the requested host',
    failed({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'mcp.example.test' }),
    'unreachable',
  ],
  ['a connection refused on another port', failed({ code: 'ECONNREFUSED', syscall: 'connect', port: 3128 }), 'proxy'],
  [
    'a connection refused on the requested port',
    failed({ code: 'ECONNREFUSED', syscall: 'connect', port: 443 }),
    'unreachable',
  ],
  ['a connection timeout', failed({ code: 'UND_ERR_CONNECT_TIMEOUT' }), 'timeout'],
  ['a timeout of the response headers', failed({ code: 'UND_ERR_HEADERS_TIMEOUT' }), 'timeout'],
  ['a timeout of the response body', failed({ code: 'UND_ERR_BODY_TIMEOUT' }), 'timeout'],
  [
    'a timeout of one of several addresses',
    failed(Object.assign(new AggregateError([{ code: 'ECONNREFUSED' }, { code: 'ETIMEDOUT' }]))),
    'timeout',
  ],
  ['a TimeoutError of the host’s fetch', new DOMException('', 'TimeoutError'), 'timeout'],
  ['a connection timeout in Electron', new Error('net::ERR_CONNECTION_TIMED_OUT'), 'timeout'],
  ['a redirect that Electron turns into an error', new Error('Redirect was cancelled'), 'redirected'],
  ['a reset connection', failed({ code: 'ECONNRESET' }), 'unreachable'],
  ['a server that does not speak TLS', failed({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), 'unreachable'],
  [
    'an abort that has nothing to do with a proxy',
    failed({ code: 'UND_ERR_ABORTED', message: 'Request aborted' }),
    'unreachable',
  ],
  ['a missing error', undefined, 'unreachable'],
  ['a thrown string', 'ETIMEDOUT', 'unreachable'],
];

for (const [what, error, kind] of rows) {
  test(`${what} is reported as ${kind}`, () => assert.equal(failureKind(error, url), kind));
}

test('an error whose causes form a cycle is reported as unreachable', () => {
  const error: { cause?: unknown } = {};
  error.cause = { cause: error };
  assert.equal(failureKind(error, url), 'unreachable');
});

const unsent: [what: string, error: unknown][] = [
  ['an unknown host name', failed({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'mcp.example.test' })],
  ['a name server that does not respond', failed({ code: 'EAI_AGAIN', syscall: 'getaddrinfo' })],
  ['a refused connection', failed(new AggregateError([{ code: 'ECONNREFUSED' }]))],
  ['a host without a route', failed({ code: 'EHOSTUNREACH' })],
  ['a network without a route', failed({ code: 'ENETUNREACH' })],
  ['a connection timeout of the system', failed({ code: 'ETIMEDOUT', syscall: 'connect', port: 443 })],
  ['a connection timeout of undici', failed({ code: 'UND_ERR_CONNECT_TIMEOUT' })],
  ['a connection that a firewall forbids', failed({ code: 'EACCES', syscall: 'connect', port: 443 })],
  ['a server that does not speak TLS', failed({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' })],
  ['an untrusted certificate', failed({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })],
  ['a proxy that opens no tunnel', failed({ code: 'ERR_PROXY_TUNNEL' })],
  ['a host name that Electron cannot resolve', new Error('net::ERR_NAME_NOT_RESOLVED')],
  ['a connection that is refused in Electron', new Error('net::ERR_CONNECTION_REFUSED')],
];

const possiblySent: [what: string, error: unknown][] = [
  ['a reset connection', failed({ code: 'ECONNRESET' })],
  ['a connection that the server closed', failed({ code: 'UND_ERR_SOCKET', message: 'other side closed' })],
  ['a lost route of an open connection', failed({ code: 'EHOSTUNREACH', syscall: 'read' })],
  ['a timeout of an open connection', failed({ code: 'ETIMEDOUT', syscall: 'read' })],
  ['a timeout of the response headers', failed({ code: 'UND_ERR_HEADERS_TIMEOUT' })],
  ['a connection that is reset in Electron', new Error('net::ERR_CONNECTION_RESET')],
  ['an error without a code, as a browser reports it', new TypeError('Failed to fetch')],
];

const signal = new AbortController().signal;

for (const [what, error] of unsent) {
  test(`a request that fails because of ${what} was not sent`, () => {
    assert.equal(failureOf(error, { url, signal }).wasSent, false);
  });
}

for (const [what, error] of possiblySent) {
  test(`a request that fails because of ${what} may have been sent`, () => {
    assert.equal(failureOf(error, { url, signal }).wasSent, true);
  });
}

test('a request that is refused by our own policy was not sent; one that is cancelled, late or redirected may have been', () => {
  const wasSent = (kind: HttpFailure['kind']) => new HttpFailure(kind, url.host).wasSent;
  assert.deepEqual((['insecure', 'privateAddress'] as const).map(wasSent), [false, false]);
  assert.ok((['cancelled', 'timeout', 'redirected', 'tooLarge', 'unreachable'] as const).every(wasSent));
});

/** An error as `fetch` wraps it. */
function failed(cause: unknown): Error {
  return new TypeError('fetch failed', { cause });
}

/** A connection timeout of undici. */
function connectTimeout(details: string): Error {
  return failed({ code: 'UND_ERR_CONNECT_TIMEOUT', message: `Connect Timeout Error (${details})` });
}
