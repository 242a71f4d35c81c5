import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConnection, checkServer } from '../../../src/editor/connectionReport.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { type Http, HttpFailure } from '../../../src/http/http.ts';
import { Secret } from '../../../src/secret.ts';
import { FakeClock } from '../fakeClock.ts';

const url = new URL('https://mcp.example/mcp');
const tokens = { accessToken: new Secret('access'), obtainedAtMs: 0 };
const grant = { id: 'grant', serverUrl: url.href, tokens } as Grant;
const documents: Record<string, unknown> = {
  '/.well-known/oauth-protected-resource/mcp': { resource: url.href, authorization_servers: ['https://mcp.example'] },
  '/.well-known/oauth-authorization-server': {
    issuer: 'https://mcp.example',
    authorization_endpoint: 'https://mcp.example/authorize',
    token_endpoint: 'https://mcp.example/token',
    code_challenge_methods_supported: ['S256'],
  },
};

/** A server that answers with its documents, each after 5 ms. */
function server(clock: FakeClock): Http {
  return async (request) => {
    clock.advance(5);
    const document = documents[request.url.pathname];
    return {
      status: document === undefined ? 404 : 200,
      headers: new Headers(),
      body: JSON.stringify(document ?? {}),
      url: request.url,
    };
  };
}

test('without an account the chain goes as far as to where to sign in, with each request and its time', async () => {
  const clock = new FakeClock();
  const { checks, requests } = await checkServer(url, { http: server(clock), clock });
  assert.deepEqual(checks, [
    { name: 'server', tookMs: 5 },
    { name: 'discovery', tookMs: 10 },
  ]);
  assert.deepEqual(
    requests.map(({ check, url: { pathname }, outcome, tookMs }) => [check, pathname, outcome, tookMs]),
    [
      ['server', '/.well-known/oauth-protected-resource/mcp', 200, 5],
      ['discovery', '/.well-known/oauth-protected-resource/mcp', 200, 5],
      ['discovery', '/.well-known/oauth-authorization-server', 200, 5],
    ],
  );
});

test('a request without an answer is noted by why', async () => {
  const http: Http = () => Promise.reject(new HttpFailure('certificate', 'mcp.example'));
  const { checks, requests } = await checkServer(url, { http, clock: new FakeClock() });
  assert.equal(checks[0]?.failure?.details.code, 'certificate');
  assert.deepEqual(
    requests.map(({ outcome }) => outcome),
    ['certificate'],
  );
});

test('a renewal that hangs does not hold up who ends the walk', { timeout: 5_000 }, async () => {
  const clock = new FakeClock();
  const end = new AbortController();
  const { checks } = await checkConnection(grant, {
    http: server(clock),
    fresh: () => {
      end.abort();
      return new Promise(() => undefined);
    },
    clock,
    signal: end.signal,
  });
  assert.deepEqual(
    checks.map(({ name, failure }) => [name, failure?.kind]),
    [
      ['server', undefined],
      ['discovery', undefined],
      ['token', 'cancelled'],
    ],
  );
});
