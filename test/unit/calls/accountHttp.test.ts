import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { accountHttp } from '../../../src/calls/accountHttp.ts';
import { readIdentity } from '../../../src/notion/identity.ts';
import { mcpRequest } from '../../../src/notion/mcpClient.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { createGrantRequests } from '../../../src/renewal/grantRequests.ts';
import { Machine } from '../accounts/machine.ts';
import { toolError, toolResult } from '../notion/toolServer.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import { type Received, type RouteResponse, startServer } from '../oauth/loopbackServer.ts';
import { PassingClock } from './passingClock.ts';
import { ScriptedAccounts } from './scriptedAccounts.ts';

/** An MCP server that responds as `respond` says, and what its requests carried. */
async function startMcpServer(t: TestContext, respond: (token: string, received: Received) => RouteResponse) {
  const server = await startServer(t);
  const sent: string[] = [];
  server.routes['POST /mcp'] = (received) => {
    const token = String(received.headers.authorization).replace('Bearer ', '');
    sent.push(token);
    return respond(token, received);
  };
  return { url: new URL(`${server.origin}/mcp`), sent };
}

const rpc = ({ body }: Received, response: object): RouteResponse => ({
  body: { jsonrpc: '2.0', id: JSON.parse(body).id, ...response },
});

test('an account’s token is sent to its own MCP server, and to no other URL', async (t) => {
  const { url, sent } = await startMcpServer(t, (_token, received) => rpc(received, { result: {} }));
  const accounts = new ScriptedAccounts();
  accounts.add('ada', url.href, 'token');
  const http = accountHttp({ accounts, clock: new PassingClock() }, 'ada', fetchHttp);
  await mcpRequest(http, url, 'tools/list', {});
  for (const other of [new URL('/other', url), new URL('https://mcp.example/mcp')]) {
    await assert.rejects(mcpRequest(http, other, 'tools/list', {}), { kind: 'unsafe' });
  }
  assert.deepEqual(sent, ['token']);
});

const quotes = 'ada:grant:first ada:grant:first+';
for (const [where, respond] of Object.entries<(received: Received) => RouteResponse>({
  'a JSON-RPC error': (received) => rpc(received, { error: { code: -32600, message: quotes } }),
  'a tool’s error': (received) => rpc(received, toolError({ code: 'restricted_resource', message: quotes })),
  'the text of a tool’s error': (received) => rpc(received, toolResult(quotes, { isError: true })),
  'an OAuth error': () => ({ status: 403, body: { error: 'access_denied', error_description: quotes } }),
  // Only a server of sessions gets `initialize`.
  'an OAuth error in response to initialize': ({ body }) =>
    JSON.parse(body).method === 'initialize'
      ? { status: 403, body: { error: 'access_denied', error_description: quotes } }
      : { status: 400 },
})) {
  test(`neither the rejected token nor the renewed one is shown if the server quotes both in ${where}`, async (t) => {
    const { url } = await startMcpServer(t, (token, received) =>
      token === 'ada:grant:first' ? { status: 401 } : respond(received),
    );
    const accounts = new ScriptedAccounts();
    accounts.add('ada', url.href, 'ada:grant:first');
    const http = accountHttp({ accounts, clock: new PassingClock() }, 'ada', fetchHttp);
    const error = await readIdentity(http, url).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof Failure);
    assert.match(error.details.serverReason ?? '', /^\[secret\]/);
    assert.doesNotMatch(JSON.stringify([error, error.message, error.details]), /grant:first/);
  });
}

/** Instead of a log line that never comes. */
const limited = { timeout: 10_000 };

const identity = { user: { id: 'ada', name: 'ada' }, workspace: { id: 'wiki', name: 'wiki' } };

/** A window with an account that was signed in ten minutes ago without its identity, which the MCP server now tells. */
async function signedInUnknown(
  t: TestContext,
  respond: (token: string, received: Received) => RouteResponse,
  { hasRefreshToken = true } = {},
) {
  const { url, sent } = await startMcpServer(t, respond);
  const machine = await Machine.start(t);
  const clock = new PassingClock();
  const window = await machine.open({
    serverUrl: url.href,
    requests: { ...machine.server.requests, identify: createGrantRequests(fetchHttp, machine.clock).identify },
    identify: (accounts, { id, serverUrl }) =>
      readIdentity(accountHttp({ accounts, clock }, id, fetchHttp), new URL(serverUrl)),
  });
  const { tokens, ...signIn } = machine.server.signIn(undefined, 'wiki', url.href);
  const { refreshToken, ...others } = tokens;
  const { grant } = await window.accounts.storeSignIn({
    ...signIn,
    tokens: { ...others, ...(hasRefreshToken && refreshToken && { refreshToken }) },
  });
  machine.clock.aheadMs = 10 * 60_000;
  /** Lets the account learn its identity, and waits for what is logged then. */
  const learn = async (line: RegExp) => {
    machine.logLines.length = 0;
    await window.accounts.fresh(grant.id, 1_000);
    while (!t.signal.aborted && !machine.logLines.some((each) => line.test(each))) {
      await new Promise(setImmediate);
    }
  };
  return { machine, window, learn, sent, pauses: clock.pauses, first: tokens.accessToken.reveal() };
}

test(
  'a stored account whose token is rejected as it learns its identity renews it and learns its identity',
  limited,
  async (t) => {
    const { machine, window, learn, sent, first } = await signedInUnknown(t, (token, received) =>
      token === first ? { status: 401 } : rpc(received, toolResult(identity)),
    );
    await learn(/has its names/);
    assert.deepEqual(window.labels, ['ada (wiki)']);
    assert.equal(machine.server.refreshes.length, 1);
    assert.deepEqual(sent, [first, window.only().grant.tokens.accessToken.reveal()]);
    assert.notEqual(sent[1], first);
  },
);

test(
  'a stored account waits for a short pause that the server requests as it learns its identity',
  limited,
  async (t) => {
    const { window, learn, sent, pauses } = await signedInUnknown(t, (_token, received) =>
      sent.length === 1 ? { status: 429, headers: { 'retry-after': '5' } } : rpc(received, toolResult(identity)),
    );
    await learn(/has its names/);
    assert.deepEqual(window.labels, ['ada (wiki)']);
    assert.deepEqual([sent.length, pauses], [2, [5_000]]);
  },
);

test(
  'a stored account that would have to wait long for its identity stays unnamed, and the log says why',
  limited,
  async (t) => {
    const { machine, window, learn, sent, pauses } = await signedInUnknown(t, () => ({
      status: 429,
      headers: { 'retry-after': '60' },
    }));
    await learn(/still unknown/);
    assert.match(machine.logLines.join('\n'), /still unknown.*kind=transient code=http_429/);
    assert.deepEqual([window.labels, sent.length, pauses], [['Notion account'], 1, []]);
  },
);

test(
  'a renewal that confirms a rejected token by a request for the identity does not start another renewal',
  limited,
  async (t) => {
    const rejecting = () => ({ status: 401 });
    const { machine, window, learn, sent, first } = await signedInUnknown(t, rejecting, { hasRefreshToken: false });
    await learn(/still unknown/);
    assert.equal(window.only().state, 'healthy');
    assert.deepEqual(sent, [first]);
    machine.clock.aheadMs += 91_000;
    await learn(/still unknown/);
    assert.equal(window.only().grant.needsSignIn?.reason, 'noRefreshToken');
    assert.deepEqual(sent, [first, first, first]);
  },
);
