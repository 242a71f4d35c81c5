import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import { accountHttp } from '../../../src/calls/accountHttp.ts';
import { checkConnection } from '../../../src/diagnostics/connectionTest.ts';
import type { BearerHttp } from '../../../src/http/bearer.ts';
import { readIdentity } from '../../../src/notion/identity.ts';
import { mcpRequest } from '../../../src/notion/mcpClient.ts';
import { readToolAccess } from '../../../src/notion/toolAccess.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { openGateway, rpc } from '../gateway/gatewayUnderTest.ts';
import { type RouteResponse, startServer } from '../oauth/loopbackServer.ts';
import { PassingClock } from './passingClock.ts';
import { ScriptedAccounts } from './scriptedAccounts.ts';

const http = createPlatformHttp({ userAgent: 'test/1' });

interface Calling {
  accounts: ScriptedAccounts;
  clock: PassingClock;
  url: URL;
  signal: AbortSignal;
}

/** Returns `result`, or why there is none. */
type Way = (t: TestContext, calling: Calling) => Promise<string>;

/** Everything that sends a stored account's token to its MCP server. */
const ways: Record<string, Way> = {
  'a request through the gateway': async (t, { accounts, clock, url, signal }) => {
    const gateway = await openGateway(t, url.href, { clock });
    gateway.accounts.fresh = (grantId, waitMs) => accounts.fresh(grantId, waitMs);
    gateway.accounts.renew = (grantId, why) => accounts.renew(grantId, why);
    try {
      const response = await gateway.send({ body: JSON.stringify(rpc(1)), signal });
      const { error } = (await response.json()) as { error?: { data: { kind: string; retryAfterSeconds?: number } } };
      const { kind = 'result', retryAfterSeconds } = error?.data ?? {};
      return retryAfterSeconds === undefined ? kind : `wait ${retryAfterSeconds} s`;
    } catch (error) {
      assert.ok(signal.aborted, String(error));
      return 'cancelled';
    }
  },
  'a request for the identity': own((accountsHttp, { url, signal }) => readIdentity(accountsHttp, url, { signal })),
  'a request for the access to tools': own((accountsHttp, { url, signal }) =>
    readToolAccess(accountsHttp, url, { signal }),
  ),
  'a request that finds out whether scopes lack': own((accountsHttp, { url, signal }) =>
    mcpRequest(accountsHttp, url, 'tools/list', {}, { signal }),
  ),
  'Test Connection': async (_t, { accounts, clock, signal }) => {
    const grant = accounts.find('ada') ?? assert.fail();
    const { checks } = await checkConnection(grant, { http, accounts, clock, signal });
    const failed = checks.find(({ name, failure }) => failure !== undefined && name !== 'discovery');
    return failed?.failure === undefined ? 'result' : outcomeOf(failed.failure);
  },
};

function own(request: (accountsHttp: BearerHttp, calling: Calling) => Promise<unknown>): Way {
  return async (_t, calling) => {
    try {
      await request(accountHttp(calling, 'ada', http), calling);
      return 'result';
    } catch (error) {
      return outcomeOf(error);
    }
  };
}

function outcomeOf(error: unknown): string {
  assert.ok(error instanceof Failure, String(error));
  const { kind, details } = error;
  const kinds: Record<string, string> = { invalid_token: 'tokenRejected', ended: 'signInNeeded' };
  return details.retryAfterMs === undefined
    ? (kinds[details.code] ?? kind)
    : `wait ${Math.ceil(details.retryAfterMs / 1000)} s`;
}

const content = { self: { user: { id: 'u' }, workspace: { id: 'w' }, current_tool_access: {} } };
const limited = (seconds: number): RouteResponse => ({ status: 429, headers: { 'retry-after': String(seconds) } });
const rejected: RouteResponse = { status: 401 };

/** Lets an account call a server whose first responses are `script`, and the others good for every request. */
async function callBy(
  t: TestContext,
  way: Way,
  script: readonly RouteResponse[],
  prepare?: (calling: Calling, cancel: () => void) => void,
) {
  const server = await startServer(t);
  const sent: string[] = [];
  server.routes['POST /mcp'] = ({ headers, body }) => {
    if (headers.authorization === undefined) {
      // The discovery of Test Connection needs no token.
      return { status: 404 };
    }
    sent.push(headers.authorization.replace('Bearer ', ''));
    const result = { content: [], structuredContent: content, tools: [] };
    return script[sent.length - 1] ?? { body: { jsonrpc: '2.0', id: JSON.parse(body).id ?? 0, result } };
  };
  const url = new URL(`${server.origin}/mcp`);
  const accounts = new ScriptedAccounts();
  accounts.add('ada', url.href, 'token');
  const caller = new AbortController();
  const calling = { accounts, clock: new PassingClock(), url, signal: caller.signal };
  prepare?.(calling, () => caller.abort());
  const outcome = await way(t, calling);
  return { outcome, sent, pauses: calling.clock.pauses, renewed: accounts.rejected };
}

for (const [name, way] of Object.entries(ways)) {
  test(`${name} carries the account’s token`, async (t) => {
    const { outcome, sent, renewed } = await callBy(t, way, []);
    assert.deepEqual([outcome, [...new Set(sent)], renewed], ['result', ['token'], []]);
  });

  test(`${name} is repeated with the renewed token if the server rejects the token`, async (t) => {
    const { outcome, sent, renewed } = await callBy(t, way, [rejected]);
    assert.deepEqual([outcome, renewed], ['result', ['token']]);
    assert.deepEqual(sent.slice(0, 2), ['token', 'token+']);
    assert.ok(!sent.slice(1).includes('token'));
  });

  test(`${name} is repeated once if a very new token is rejected, and renews it only then`, async (t) => {
    const { outcome, sent } = await callBy(t, way, [rejected, rejected], ({ accounts }) => {
      const { renew } = accounts;
      let attempts = 0;
      accounts.renew = (grantId, why) => {
        attempts += 1;
        return attempts === 1 ? accounts.fresh(grantId, 0) : renew(grantId, why);
      };
    });
    assert.equal(outcome, 'result');
    assert.deepEqual(sent.slice(0, 3), ['token', 'token', 'token+']);
  });

  test(`${name} fails if the renewed token is rejected too`, async (t) => {
    const { outcome, sent, renewed } = await callBy(t, way, [rejected, rejected, rejected]);
    assert.deepEqual([outcome, sent, renewed], ['tokenRejected', ['token', 'token+'], ['token']]);
  });

  test(`${name} fails as the renewal of its rejected token does`, async (t) => {
    const { outcome, sent } = await callBy(t, way, [rejected], ({ accounts }) => {
      accounts.renew = () => Promise.reject(new Failure('invalidGrant', { step: 'token', code: 'ended' }));
    });
    assert.deepEqual([outcome, sent], ['signInNeeded', ['token']]);
  });

  test(`${name} waits for a pause of at most ten seconds that the server requests`, async (t) => {
    const { outcome, sent, pauses } = await callBy(t, way, [limited(10)]);
    assert.deepEqual([outcome, sent.slice(0, 2), pauses[0]], ['result', ['token', 'token'], 10_000]);
  });

  test(`${name} tells of a longer pause instead of waiting`, async (t) => {
    const { outcome, sent } = await callBy(t, way, [limited(11)]);
    assert.deepEqual([outcome, sent], ['wait 11 s', ['token']]);
  });

  test(`${name} waits only once`, async (t) => {
    const { outcome, sent, pauses } = await callBy(t, way, [limited(3), limited(4)]);
    assert.deepEqual([outcome, sent, pauses[0]], ['wait 4 s', ['token', 'token'], 3_000]);
  });

  test(`${name} is not repeated if it is cancelled while it waits`, async (t) => {
    const { outcome, sent } = await callBy(t, way, [limited(3)], ({ clock }, cancel) => {
      clock.onPause = cancel;
    });
    assert.deepEqual([outcome, sent], ['cancelled', ['token']]);
  });
}
