import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { forward } from '../../../src/calls/forward.ts';
import { OpenCalls } from '../../../src/calls/openCalls.ts';
import { systemClock as clock } from '../../../src/core/clock.ts';
import { createHttp } from '../../../src/http/client.ts';
import { HttpFailure, type HttpFailureKind } from '../../../src/http/errors.ts';
import { NetworkWatch } from '../../../src/http/networkWatch.ts';
import { readText, type Transport } from '../../../src/http/transport.ts';
import { ScriptedAccounts } from '../calls/scriptedAccounts.ts';
import { startServer } from '../oauth/loopbackServer.ts';
import { badNetworks, badProxies, overHost, resetInHandshake, type Target, transports } from './badNetworks.ts';
import { httpFailureOf } from './transports.ts';

interface Exchange extends Target {
  /** Aborted by the server of the request, if at all. */
  signal?: AbortSignal;
}

/** Failures after which the server may have acted on the request. */
const possiblySent: [what: string, kind: HttpFailureKind, begin: (t: TestContext) => Promise<Exchange>][] = [
  ['a connection that breaks before the response', 'unreachable', (t) => target(t, (response) => response.destroy())],
  [
    'a connection that breaks within the response',
    'unreachable',
    (t) => target(t, (response) => startBody(response, () => response.destroy())),
  ],
  ['a request that is cancelled before the response', 'cancelled', (t) => target(t, (_response, cancel) => cancel())],
  ['a request that is cancelled within the response', 'cancelled', (t) => target(t, startBody)],
];

const users = { client: kindOfClient, gateway: kindOfGateway };

for (const [name, create] of Object.entries(transports)) {
  for (const [user, kindOf] of Object.entries(users)) {
    for (const [what, kind, begin] of [...badNetworks, ...(name === overHost ? [] : possiblySent)]) {
      test(`${name}: the ${user} reports ${what} as ${kind}`, async (t) => {
        const where = await begin(t);
        assert.equal(await kindOf(create(t, where), where), kind);
      });
    }
  }
}

for (const [name, create] of Object.entries(transports)) {
  for (const row of [...badNetworks, ...(name === overHost ? [] : possiblySent)]) {
    const [what, , begin] = row;
    const isSent =
      possiblySent.some((each) => each === row) || (row === resetInHandshake && name === 'the host’s fetch');
    test(`${name}: after ${what}, the request counts as ${isSent ? 'possibly sent' : 'not sent'}`, async (t) => {
      const where = await begin(t);
      assert.equal((await failureOfClient(create(t, where), where)).wasSent, isSent);
    });
  }
}

for (const [user, kindOf] of Object.entries(users)) {
  for (const [what, transport] of badProxies) {
    test(`the ${user} reports a proxy ${what}, as proxy`, async (t) => {
      assert.equal(await kindOf(await transport(t), { url: new URL('https://mcp.example.test/mcp') }), 'proxy');
    });
  }
}

/** The kind of failure that users of `Http` see. */
async function kindOfClient(transport: Transport, target: Exchange): Promise<HttpFailureKind> {
  return (await failureOfClient(transport, target)).kind;
}

function failureOfClient(transport: Transport, { url, signal }: Exchange): Promise<HttpFailure> {
  return httpFailureOf(createHttp({ transport, clock }), {
    method: 'POST',
    url,
    body: '{}',
    ...(signal && { signal }),
  });
}

/** The kind of failure that a call through the gateway sees, until its response has been read. */
async function kindOfGateway(transport: Transport, { url, signal }: Exchange): Promise<string> {
  const accounts = new ScriptedAccounts();
  accounts.add('ada', url.href, 'token');
  const calls = new OpenCalls({ clock, network: new NetworkWatch({ clock, addresses: () => new Set() }) });
  const options = { method: 'POST', messages: new Set(['tools/list']) } as const;
  const call = calls.open({ grantId: 'ada', agent: 'editor', host: url.host, isLocal: true, ...options });
  signal?.addEventListener('abort', () => call.cancel());
  const request = { method: 'POST', headers: {}, body: Buffer.from('{}') } as const;
  try {
    const outcome = await forward({ accounts, transport, clock }, call, request);
    const problem =
      'problem' in outcome
        ? outcome.problem
        : await readText(outcome.response, 1000).then(
            (text) => assert.fail(`got a response: ${text}`),
            (error: unknown) => call.problemOf(error),
          );
    assert.ok(problem.kind === 'unreachable', problem.kind);
    return problem.failure.details.code;
  } catch (error) {
    // The caller is gone.
    assert.ok(error instanceof HttpFailure, String(error));
    return error.kind;
  } finally {
    call.close();
  }
}

/** A server that responds with `respond`, which may cancel the request. */
async function target(
  t: TestContext,
  respond: (response: ServerResponse, cancel: () => void) => void,
): Promise<Exchange> {
  const { origin, routes } = await startServer(t);
  const caller = new AbortController();
  routes['/'] = (_received, response) => {
    respond(response, () => caller.abort());
    return undefined;
  };
  return { url: new URL(origin), signal: caller.signal };
}

function startBody(response: ServerResponse, begun: () => void): void {
  response.writeHead(200, { 'content-length': 100 }).write('{', () => begun());
}
