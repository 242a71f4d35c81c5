import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Transport } from '../../../src/http/transport.ts';
import { openGateway, rpc } from './gatewayUnderTest.ts';
import { respondWithResult, type Script, ScriptedServer } from './scriptedServer.ts';
import { upstreams } from './upstream.ts';

/** Closes the connections of the first requests without a response. */
function losing(count: number): Script {
  return (response, received, number) => {
    if (number > count) {
      respondWithResult(response, received);
    } else {
      response.destroy();
    }
  };
}

for (const { name: way, createTransport } of upstreams) {
  for (const method of ['initialize', 'tools/list', 'prompts/get', 'resources/read', 'ping']) {
    test(`a request with ${method} is sent again if its connection over ${way} is lost before the response`, async (t) => {
      const { server, call } = await open(t, createTransport(), losing(1));
      assert.deepEqual(await call(rpc(1, method)), {
        status: 200,
        body: { jsonrpc: '2.0', id: 1, result: { method } },
      });
      assert.equal(server.received.length, 2);
    });
  }

  test(`a request whose connection over ${way} is lost twice is not sent a third time`, async (t) => {
    const { server, call } = await open(t, createTransport(), losing(2));
    assert.deepEqual(dataOf(await call(rpc(1))), { kind: 'unreachable', reason: 'unreachable' });
    assert.equal(server.received.length, 2);
  });

  test(`a tool call is never sent again if its connection over ${way} is lost, and its caller learns that the outcome is unknown`, async (t) => {
    const { server, call } = await open(t, createTransport(), losing(1));
    assert.deepEqual(dataOf(await call(rpc(1, 'tools/call'))), { kind: 'outcomeUnknown', reason: 'unreachable' });
    assert.equal(server.received.length, 1);
  });

  test(`a tool call is never sent again if the server closes the connection over ${way} that it kept for it`, async (t) => {
    const { server, call } = await open(t, createTransport(), respondWithResult);
    await call(rpc(1, 'tools/call'));
    server.script = (response) => void response.destroy();
    assert.deepEqual(dataOf(await call(rpc(2, 'tools/call'))), { kind: 'outcomeUnknown', reason: 'unreachable' });
    assert.deepEqual(
      [server.received.length, server.connections],
      [2, 1],
      'the second call was sent on the kept connection',
    );
  });

  test(`a batch over ${way} is sent again only if each message in it may be`, async (t) => {
    for (const [methods, count] of [
      [['tools/list', 'ping'], 2],
      [['tools/list', 'tools/call'], 1],
    ] as const) {
      const { server, call } = await open(t, createTransport(), (response) => void response.destroy());
      const { body } = await call(methods.map((method, id) => rpc(id, method)));
      assert.equal((body as unknown[]).length, 2);
      assert.equal(server.received.length, count);
    }
  });

  test(`a request is not sent again over ${way} if no connection can be opened, and a tool call’s outcome is then known`, async (t) => {
    const transport = createTransport();
    const sent: string[] = [];
    const counting: Transport = {
      send: (request) => {
        sent.push(request.method);
        return transport.send(request);
      },
      close: () => transport.close(),
    };
    const { server, call } = await open(t, counting, respondWithResult);
    await server.stop();
    for (const method of ['tools/list', 'tools/call']) {
      assert.deepEqual(dataOf(await call(rpc(1, method))), { kind: 'unreachable', reason: 'unreachable' });
    }
    assert.equal(sent.length, 2);
  });

  test(`a stream and the end of a session are requested again if their connection over ${way} is lost`, async (t) => {
    for (const method of ['GET', 'DELETE']) {
      const { server, send } = await open(t, createTransport(), (response, _received, number) => {
        if (number === 1) {
          response.destroy();
        } else {
          response.writeHead(200, { 'content-type': 'text/event-stream' }).end();
        }
      });
      assert.equal((await send({ method })).status, 200);
      assert.deepEqual(
        server.received.map((received) => received.method),
        [method, method],
      );
    }
  });

  test(`a tool call that was rejected before its connection over ${way} failed has changed nothing`, async (t) => {
    const { server, call, accounts } = await open(t, createTransport(), (response) => response.writeHead(401).end());
    const { renew } = accounts;
    accounts.renew = async (...why) => {
      await server.stop();
      return renew(...why);
    };
    assert.deepEqual(dataOf(await call(rpc(1, 'tools/call'))), { kind: 'unreachable', reason: 'unreachable' });
  });
}

async function open(t: TestContext, transport: Transport, script: Script) {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  server.script = script;
  return { server, ...(await openGateway(t, server.url, { transport })) };
}

/** The `error.data` that the caller receives. */
function dataOf({ body }: { body: unknown }): unknown {
  return (body as { error: { data: unknown } }).error.data;
}
