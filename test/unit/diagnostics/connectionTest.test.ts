import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallAccounts } from '../../../src/calls/accountCall.ts';
import { Secret } from '../../../src/core/secret.ts';
import { checkConnection, checkServer } from '../../../src/diagnostics/connectionTest.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Http } from '../../../src/http/client.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import { accessTo } from '../../../src/notion/toolAccess.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { FakeClock } from '../fakeClock.ts';

const url = new URL('https://mcp.example/mcp');
const tokens = { accessToken: new Secret('access'), obtainedAtMs: 0 };
const grant = { id: 'grant', serverUrl: url.href, tokens } as Grant;
/** Accounts that do not renew rejected tokens, as in a diagnostics report. */
const accounts: CallAccounts = { fresh: async () => grant };
const documents: Record<string, unknown> = {
  '/.well-known/oauth-protected-resource/mcp': { resource: url.href, authorization_servers: ['https://mcp.example'] },
  '/.well-known/oauth-authorization-server': {
    issuer: 'https://mcp.example',
    authorization_endpoint: 'https://mcp.example/authorize',
    token_endpoint: 'https://mcp.example/token',
    code_challenge_methods_supported: ['S256'],
  },
};

/** A server that publishes its metadata documents and takes 5 ms for each response. */
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

test('without an account, a connection test checks the server and discovery, and records each request with its time', async () => {
  const clock = new FakeClock();
  const { checks, requests } = await checkServer(url, { http: server(clock), clock });
  assert.deepEqual(checks, [
    { name: 'server', tookMs: 5 },
    { name: 'discovery', tookMs: 15 },
  ]);
  assert.deepEqual(
    requests.map(({ check, url: { pathname }, outcome, tookMs }) => [check, pathname, outcome, tookMs]),
    [
      ['server', '/.well-known/oauth-protected-resource/mcp', 200, 5],
      ['discovery', '/mcp', 404, 5],
      ['discovery', '/.well-known/oauth-protected-resource/mcp', 200, 5],
      ['discovery', '/.well-known/oauth-authorization-server', 200, 5],
    ],
  );
});

test('a connection test records why a request got no response', async () => {
  const http: Http = () => Promise.reject(new HttpFailure('certificate', 'mcp.example'));
  const { checks, requests } = await checkServer(url, { http, clock: new FakeClock() });
  assert.equal(checks[0]?.failure?.details.code, 'certificate');
  assert.deepEqual(
    requests.map(({ outcome }) => outcome),
    ['certificate'],
  );
});

test('a cancelled connection test ends at once, even if a renewal hangs', { timeout: 5_000 }, async () => {
  const clock = new FakeClock();
  const cancel = new AbortController();
  const { checks } = await checkConnection(grant, {
    http: server(clock),
    accounts: {
      fresh: () => {
        cancel.abort();
        return new Promise(() => undefined);
      },
    },
    clock,
    signal: cancel.signal,
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

/** An MCP server that accepts only the tokens in `accepted`, publishes the documents and has the results of `tools`. */
function mcpServer(clock: FakeClock, accepted: readonly string[], tools: Record<string, object> = {}): Http {
  const publish = server(clock);
  return async (request) => {
    if (request.method === 'GET') {
      return publish(request);
    }
    const { id, params } = JSON.parse(String(request.body));
    const isAccepted = accepted.some((token) => request.headers?.authorization === `Bearer ${token}`);
    return {
      status: isAccepted ? 200 : 401,
      headers: new Headers(),
      body: JSON.stringify({ jsonrpc: '2.0', id, result: tools[params.name] ?? { tools: [{ name: 'notion-fetch' }] } }),
      url: request.url,
    };
  };
}

async function checkWith(accepted: readonly string[], renewed: readonly string[] | undefined) {
  const clock = new FakeClock();
  const rejected: string[] = [];
  let current = grant;
  const renew: CallAccounts['renew'] = async (id, { accessToken }) => {
    assert.equal(id, grant.id);
    rejected.push(accessToken.reveal());
    const next = renewed?.[rejected.length - 1];
    if (next === undefined) {
      throw new Failure('invalidGrant', { step: 'token', code: 'ended' });
    }
    current = withToken(next);
    return current;
  };
  const report = await checkConnection(grant, {
    http: mcpServer(clock, accepted),
    accounts: { fresh: async () => current, ...(renewed && { renew }) },
    clock,
  });
  return { ...report, rejected };
}

function withToken(accessToken: string): Grant {
  return { ...grant, tokens: { ...tokens, accessToken: new Secret(accessToken) } };
}

test('a connection test renews a rejected token, as any other call does, and continues with the new one', async () => {
  const { checks, tools, wasRenewed, notTried, rejected } = await checkWith(['second'], ['access', 'second']);
  assert.deepEqual(
    checks.filter(({ name, failure }) => failure !== undefined && name !== 'identity'),
    [],
    'only the identity check may fail, as this server does not identify the user',
  );
  assert.deepEqual(tools, ['notion-fetch']);
  assert.deepEqual(rejected, ['access', 'access']);
  assert.equal(wasRenewed, true);
  assert.deepEqual(notTried, ['access']);
});

test('a connection test does not renew a token that the server accepts', async () => {
  const { wasRenewed, rejected } = await checkWith(['access'], ['second']);
  assert.deepEqual(rejected, []);
  assert.equal(wasRenewed, false);
});

for (const [condition, renewed, code] of [
  ['if the server has ended the grant', [], 'ended'],
  ['if the renewed token is rejected too', ['second', 'third', 'fourth'], 'invalid_token'],
  ['if it must not renew the token', undefined, 'invalid_token'],
] as const) {
  test(`a connection test stops at a rejected token ${condition}, and names the checks that it skipped`, async () => {
    const { checks, wasRenewed, notTried } = await checkWith([], renewed);
    assert.deepEqual(
      checks.flatMap(({ name, failure }) => (failure === undefined ? [] : [[name, failure.details.code]])),
      [['initialize', code]],
    );
    assert.deepEqual(notTried, ['tools', 'identity', 'access']);
    assert.equal(wasRenewed, false);
  });
}

test('a connection test that must not renew a rejected token sends it once', async () => {
  const { requests, rejected } = await checkWith([], undefined);
  assert.deepEqual(
    requests.filter(({ check }) => check === 'initialize').map(({ outcome }) => outcome),
    [401],
  );
  assert.deepEqual(rejected, []);
});

test('a connection test renews a token that the server rejects only later, and says so', async () => {
  const clock = new FakeClock();
  const http = mcpServer(clock, ['second'], identified);
  const { accounts: renewing, rejected } = renewingTo('second');
  const { checks, wasRenewed } = await checkConnection(grant, {
    // The server lists its tools to anybody.
    http: (request) =>
      http(
        /discover|tools\/list/.test(request.body ?? '')
          ? { ...request, headers: { ...request.headers, authorization: 'Bearer second' } }
          : request,
      ),
    accounts: renewing,
    clock,
  });
  assert.deepEqual(
    checks.filter(({ failure }) => failure !== undefined),
    [],
  );
  assert.deepEqual([wasRenewed, rejected], [true, ['access']]);
});

test('a connection test does not say that it renewed a very new token that is accepted at the second attempt', async () => {
  const clock = new FakeClock();
  const http = mcpServer(clock, ['access'], identified);
  const { accounts: renewing, rejected } = renewingTo('access');
  let isKnown = false;
  const { checks, wasRenewed } = await checkConnection(grant, {
    http: async (request) => {
      const response = await http(request);
      const status = isKnown || !request.headers?.authorization ? response.status : 401;
      isKnown = request.headers?.authorization !== undefined;
      return { ...response, status };
    },
    accounts: renewing,
    clock,
  });
  assert.deepEqual(
    checks.filter(({ failure }) => failure !== undefined),
    [],
  );
  assert.deepEqual([wasRenewed, rejected], [false, ['access']]);
});

test('a connection test whose token another window renews meanwhile does not say that it was rejected', async () => {
  const clock = new FakeClock();
  const { accounts: renewing, renewNow } = renewingTo('second');
  const http = mcpServer(clock, ['access', 'second'], identified);
  const { wasRenewed } = await checkConnection(grant, {
    http: (request) => {
      if (request.body?.includes('tools/list')) {
        renewNow();
      }
      return http(request);
    },
    accounts: renewing,
    clock,
  });
  assert.equal(wasRenewed, false);
});

/** Accounts whose token becomes `next` once it is rejected, or when `renewNow` is called. */
function renewingTo(next: string) {
  const rejected: string[] = [];
  let current = grant;
  const renewNow = (): void => {
    current = withToken(next);
  };
  const renewing: CallAccounts = {
    fresh: async () => current,
    renew: async (_id, { accessToken }) => {
      rejected.push(accessToken.reveal());
      renewNow();
      return current;
    },
  };
  return { accounts: renewing, rejected, renewNow };
}

const current_tool_access = { fetch: { status: 'available_with_limit' } };
const wrapped = { self: { user: { id: 'u', name: 'Ada' }, workspace: { id: 'w', name: 'Wiki' }, current_tool_access } };
const identified = { 'notion-fetch': { structuredContent: wrapped } };

test('a connection test reports the user, the workspace and the access to the tools', async () => {
  const clock = new FakeClock();
  const http = mcpServer(clock, ['access'], identified);
  const { checks, identity, access } = await checkConnection(grant, { http, accounts, clock });
  assert.deepEqual(
    checks.map(({ name, failure }) => [name, failure]),
    ['server', 'discovery', 'token', 'initialize', 'tools', 'identity', 'access'].map((name) => [name, undefined]),
  );
  assert.equal(identity?.workspaceName, 'Wiki');
  assert.equal(accessTo(access, 'notion-fetch')?.status, 'available_with_limit');
});

for (const [title, tool, names] of [
  ['identity', 'notion-fetch', ['identity']],
  ['access', 'notion-get-tool-access', ['access']],
] as const) {
  test(`a connection test fails at ${title} with the pause that Notion’s tool requests`, async () => {
    const clock = new FakeClock();
    const error = { code: 'rate_limited', retry_after_seconds: 20 };
    const http = mcpServer(clock, ['access'], {
      ...identified,
      [tool]: { isError: true, structuredContent: { error } },
    });
    const { checks, tools } = await checkConnection(grant, { http, accounts, clock });
    const failed = checks.filter(({ failure }) => failure !== undefined);
    assert.deepEqual(
      failed.map(({ name }) => name),
      names,
    );
    assert.deepEqual(
      failed.map(({ failure }) => failure?.details.retryAfterMs),
      [20_000],
    );
    assert.deepEqual(tools, ['notion-fetch']);
  });
}
