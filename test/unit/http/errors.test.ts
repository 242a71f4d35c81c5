import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureKind } from '../../../src/http/errors.ts';

const url = new URL('https://mcp.example.test/token');

/** What libraries throw that the tests beside this one cannot make happen; what they can, they do. */
const rows: [what: string, error: unknown, kind: string][] = [
  ['a revoked certificate', failed({ code: 'CERT_REVOKED' }), 'certificate'],
  [
    'a certificate chain that cannot be completed',
    failed({ code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }),
    'certificate',
  ],
  ['a certificate whose names cannot be read', failed({ code: 'ERR_TLS_CERT_ALTNAME_FORMAT' }), 'certificate'],
  ['a certificate that Electron refuses', new Error('net::ERR_CERT_AUTHORITY_INVALID'), 'certificate'],
  [
    'a proxy whose certificate is for another name',
    failed({ code: 'UND_ERR_PRX_TLS', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } }),
    'proxy',
  ],
  ['a SOCKS proxy that refuses', failed({ code: 'UND_ERR_SOCKS5_AUTH_FAILED' }), 'proxy'],
  ['a tunnel that Node’s own proxy support does not get', failed({ code: 'ERR_PROXY_TUNNEL' }), 'proxy'],
  [
    'a tunnel refused in the words of VS Code’s patched fetch',
    failed({ code: 'UND_ERR_ABORTED', message: 'Proxy response (407) ?.== 200 when HTTP Tunneling' }),
    'proxy',
  ],
  ['a tunnel that Electron does not get', new Error('net::ERR_TUNNEL_CONNECTION_FAILED'), 'proxy'],
  ['a proxy that Electron does not reach', new Error('net::ERR_PROXY_CONNECTION_FAILED'), 'proxy'],
  [
    'another host that has no address',
    failed({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'proxy.corp' }),
    'proxy',
  ],
  [
    'the host itself that has no address',
    failed({ code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname: 'mcp.example.test' }),
    'unreachable',
  ],
  [
    'another port that refuses the connection',
    failed({ code: 'ECONNREFUSED', syscall: 'connect', port: 3128 }),
    'proxy',
  ],
  [
    'the host’s own port that refuses the connection',
    failed({ code: 'ECONNREFUSED', syscall: 'connect', port: 443 }),
    'unreachable',
  ],
  ['a connection that takes too long', failed({ code: 'UND_ERR_CONNECT_TIMEOUT' }), 'timeout'],
  ['a head that takes too long', failed({ code: 'UND_ERR_HEADERS_TIMEOUT' }), 'timeout'],
  ['a body that takes too long', failed({ code: 'UND_ERR_BODY_TIMEOUT' }), 'timeout'],
  [
    'one of several addresses that takes too long',
    failed(Object.assign(new AggregateError([{ code: 'ECONNREFUSED' }, { code: 'ETIMEDOUT' }]))),
    'timeout',
  ],
  ['a time limit of the host', new DOMException('', 'TimeoutError'), 'timeout'],
  ['a connection that takes too long in Electron', new Error('net::ERR_CONNECTION_TIMED_OUT'), 'timeout'],
  ['a redirect that Electron does not hand back', new Error('Redirect was cancelled'), 'redirected'],
  ['a reset connection', failed({ code: 'ECONNRESET' }), 'unreachable'],
  ['a server that does not speak TLS', failed({ code: 'ERR_SSL_WRONG_VERSION_NUMBER' }), 'unreachable'],
  ['an abort that is not ours', failed({ code: 'UND_ERR_ABORTED', message: 'Request aborted' }), 'unreachable'],
  ['nothing known', undefined, 'unreachable'],
  ['a text', 'ETIMEDOUT', 'unreachable'],
];

for (const [what, error, kind] of rows) {
  test(`${what} is ${kind}`, () => assert.equal(failureKind(error, url), kind));
}

test('a chain of causes that bites its own tail ends', () => {
  const error: { cause?: unknown } = {};
  error.cause = { cause: error };
  assert.equal(failureKind(error, url), 'unreachable');
});

/** As `fetch` wraps it. */
function failed(cause: unknown): Error {
  return new TypeError('fetch failed', { cause });
}
