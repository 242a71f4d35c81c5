import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Clock, systemClock } from '../../../../src/core/clock.ts';
import { checkServer } from '../../../../src/diagnostics/connectionTest.ts';
import type { Grant } from '../../../../src/grants/grant.ts';
import { createHttp } from '../../../../src/http/client.ts';
import type { Transport } from '../../../../src/http/transport.ts';
import { discover } from '../../../../src/oauth/discovery.ts';
import { Failure } from '../../../../src/oauth/errors.ts';
import { createGrantRequests } from '../../../../src/renewal/grantRequests.ts';
import { ScriptedAccounts } from '../../calls/scriptedAccounts.ts';
import { FakeClock } from '../../fakeClock.ts';
import { openGateway, rpc } from '../../gateway/gatewayUnderTest.ts';
import {
  badNetworks,
  badProxies,
  overHost,
  resetInHandshake,
  type Target,
  transports,
} from '../../http/badNetworks.ts';
import { startServer } from '../../oauth/loopbackServer.ts';
import '../vscode.ts';

const { problemSentence } = await import('../../../../src/editor/messages/callProblem.ts');
const { messageFor } = await import('../../../../src/editor/messages/failure.ts');

/** What a user is told, and the reason that programs get. */
type Told = [sentence: unknown, reason: unknown];

/** How the failure of one network is told on each way. */
async function toldOnEachWay(
  t: TestContext,
  url: URL,
  transport: Transport,
  { clock = systemClock, method = 'tools/call' }: { clock?: Clock; method?: string } = {},
): Promise<Record<string, Told>> {
  const http = createHttp({ transport, clock });
  const requests = createGrantRequests(http, clock);
  const accounts = new ScriptedAccounts();
  accounts.add('ada', url.href, 'token');
  const { authorizationServer, tokens, ...account } = accounts.find('ada') ?? assert.fail();
  const grant: Grant = {
    ...account,
    authorizationServer: { ...authorizationServer, onPrivateNetwork: true },
    tokens: { ...tokens, refreshToken: tokens.accessToken },
  };
  const call = async (fresh?: ScriptedAccounts['fresh']): Promise<Told> => {
    const gateway = await openGateway(t, url.href, { transport, clock, sentence: problemSentence });
    gateway.accounts.fresh = fresh ?? gateway.accounts.fresh;
    const { body } = await gateway.call(rpc(1, method));
    const { error } = body as { error: { message: string; data: { kind: string; reason: string } } };
    assert.equal(error.data.kind, 'unreachable');
    return [error.message, error.data.reason];
  };
  const ways: Record<string, Promise<Told>> = {
    'a sign-in': toldOf(discover(http, url)),
    'a renewal': toldOf(requests.refresh(grant)),
    'the probe before a renewal': toldOf(requests.probe(grant)),
    'a connection test': toldOf(
      checkServer(url, { http, clock }).then(({ checks }) => Promise.reject(checks[0]?.failure)),
    ),
    'a call': call(),
    'a call whose access token has expired': call(async () => {
      await requests.refresh(grant);
      return grant;
    }),
  };
  const told = await Promise.all(Object.values(ways));
  return Object.fromEntries(Object.keys(ways).map((way, index) => [way, told[index] ?? assert.fail()]));
}

async function toldOf(work: Promise<unknown>): Promise<Told> {
  const error = await work.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof Failure, String(error));
  return [messageFor(error)?.sentence, error.details.code];
}

function assertAllEqual(told: Record<string, Told>, expected: Told): void {
  assert.deepEqual(told, Object.fromEntries(Object.keys(told).map((way) => [way, expected])));
}

const sentences: Record<string, (host: string) => string> = {
  unreachable: (host) => `${host} cannot be reached. Check your network and the server URL, and try again.`,
  timeout: (host) => `${host} did not respond in time. Check your network and the server URL, and try again.`,
  certificate: (host) =>
    `The certificate of ${host} is not trusted on this computer. If your company issued it, add its authority to the system’s certificates, then try again.`,
  proxy: (host) => `The proxy did not let the request to ${host} through. Check the proxy setting, then try again.`,
};

const told = (kind: string, { host }: URL): Told => [sentences[kind]?.(host), kind];

for (const [name, create] of Object.entries(transports)) {
  for (const row of badNetworks) {
    const [what, kind, begin] = row;
    test(`${name}: a call, a sign-in, a renewal and a connection test tell ${what} in the same sentence`, async (t) => {
      const target: Target = await begin(t);
      // Only a request that can be repeated is told as not sent if that is not known.
      const method = row === resetInHandshake ? 'tools/list' : 'tools/call';
      assertAllEqual(await toldOnEachWay(t, target.url, create(t, target), { method }), told(kind, target.url));
    });
  }

  if (name === overHost) {
    // The server below speaks plain http, and after the handshake all pools are the same.
    continue;
  }
  test(`${name}: a call, a sign-in, a renewal and a connection test tell a server that never responds in the same sentence`, async (t) => {
    const { origin, routes } = await startServer(t);
    const clock = new FakeClock();
    const url = new URL('/mcp', origin);
    for (const path of ['/mcp', '/token', '/.well-known/oauth-authorization-server']) {
      routes[path] = () => {
        setImmediate(() => clock.advance(90_000));
        return undefined;
      };
    }
    routes['/.well-known/oauth-protected-resource/mcp'] = routes['/mcp'] ?? {};
    routes['/.well-known/openid-configuration'] = routes['/mcp'] ?? {};
    const transport = create(t, { url });
    assertAllEqual(await toldOnEachWay(t, url, transport, { clock, method: 'tools/list' }), told('timeout', url));
  });
}

for (const [what, transport] of badProxies) {
  test(`a call, a sign-in, a renewal and a connection test tell a proxy ${what} in the same sentence`, async (t) => {
    const url = new URL('https://mcp.example.test/mcp');
    assertAllEqual(await toldOnEachWay(t, url, await transport(t)), told('proxy', url));
  });
}

test('a call whose access token cannot be renewed names the authorization server if that cannot be reached', () => {
  const failure = new Failure('transient', { step: 'token', code: 'certificate', host: 'auth.example.test' });
  const sentence = problemSentence({ kind: 'unreachable', host: 'mcp.example.test', failure });
  assert.equal(sentence, sentences.certificate?.('auth.example.test'));
});
