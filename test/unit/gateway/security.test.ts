import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { openGateway, rpc } from './gatewayUnderTest.ts';
import { ScriptedServer } from './scriptedServer.ts';

/** A request as it stands on the wire, before a test breaks it. */
interface Wire {
  requestLine: string;
  headers: [name: string, value: string][];
  body: string;
}

const body = JSON.stringify(rpc(1));

test('a request with path, host and secret as they should be is let in', async (t) => {
  const { ask, server } = await open(t);
  assert.match(await ask((wire) => wire), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(server.received.length, 1);
});

const attempts: Record<string, (wire: Wire, port: number) => Wire> = {
  'no secret': (wire) => without(wire, 'Authorization'),
  'another secret': (wire) => replaced(wire, 'Authorization', (value) => swapLast(value)),
  'a secret that is cut': (wire) => replaced(wire, 'Authorization', (value) => value.slice(0, -1)),
  'a secret that goes on': (wire) => replaced(wire, 'Authorization', (value) => `${value}A`),
  'the secret under another scheme': (wire) =>
    replaced(wire, 'Authorization', (value) => value.replace('Bearer', 'Basic')),
  'the secret and another one': (wire) => ({ ...wire, headers: [...wire.headers, ['Authorization', 'Bearer other']] }),
  'the secret in the query': (wire) => {
    const secret = wire.headers.find(([name]) => name === 'Authorization')?.[1].replace('Bearer ', '') ?? '';
    return without(
      { ...wire, requestLine: wire.requestLine.replace('/mcp', `/mcp?access_token=${secret}`) },
      'Authorization',
    );
  },
  'the secret of another account': (wire) => ({ ...wire, requestLine: wire.requestLine.replace('/ada/', '/grace/') }),
  'the origin of a web page': (wire) => ({ ...wire, headers: [...wire.headers, ['Origin', 'https://example.test']] }),
  'the origin of a page of this machine': (wire, port) => ({
    ...wire,
    headers: [...wire.headers, ['Origin', `http://127.0.0.1:${port}`]],
  }),
  'an empty origin': (wire) => ({ ...wire, headers: [...wire.headers, ['Origin', '']] }),
  'another host': (wire) => replaced(wire, 'Host', () => 'evil.example.test'),
  'the host by its name': (wire, port) => replaced(wire, 'Host', () => `localhost:${port}`),
  'the host without its port': (wire) => replaced(wire, 'Host', () => '127.0.0.1'),
  'no host': (wire) => without(wire, 'Host'),
  'two hosts': (wire) => ({ ...wire, headers: [...wire.headers, ['Host', 'evil.example.test']] }),
  'the root': (wire) => path(wire, '/'),
  'a path below': (wire) => path(wire, '/ada/mcp/'),
  'a query': (wire) => path(wire, '/ada/mcp?'),
  'a path with dots': (wire) => path(wire, '/grace/../ada/mcp'),
  'a path with encoded dots': (wire) => path(wire, '/grace/%2e%2e/ada/mcp'),
  'an encoded path': (wire) => path(wire, '/%61da/mcp'),
  'two slashes': (wire) => path(wire, '//ada/mcp'),
  'a well-known path': (wire) => path(wire, '/.well-known/oauth-protected-resource/ada/mcp'),
  'the name of a member of every object': (wire) => path(wire, '/__proto__/mcp'),
  'an absolute address': (wire, port) => path(wire, `http://127.0.0.1:${port}/ada/mcp`),
  'an absolute address of another host': (wire) => path(wire, 'http://mcp.notion.com/ada/mcp'),
  'an asterisk': (wire) => ({ ...wire, requestLine: 'OPTIONS * HTTP/1.1' }),
  'two lengths, one of them chunked': (wire) => ({
    ...wire,
    headers: [...wire.headers, ['Transfer-Encoding', 'chunked']],
    body: `0\r\n\r\nPOST /ada/mcp HTTP/1.1\r\n\r\n`,
  }),
  'two different lengths': (wire) => ({ ...wire, headers: [...wire.headers, ['Content-Length', '5']] }),
  'a length that is no number': (wire) => replaced(wire, 'Content-Length', (value) => `+${value}`),
  'chunked and more': (wire) => ({
    ...without(wire, 'Content-Length'),
    headers: [...without(wire, 'Content-Length').headers, ['Transfer-Encoding', 'chunked, identity']],
  }),
  'a header with a line break in its name': (wire) => ({ ...wire, headers: [...wire.headers, ['X\nY', 'z']] }),
  'a space before the colon': (wire) => ({ ...wire, headers: [...wire.headers, ['Transfer-Encoding ', 'chunked']] }),
  'headers of 20,000 bytes': (wire) => ({ ...wire, headers: [...wire.headers, ['X-Long', 'x'.repeat(20_000)]] }),
  'another protocol': (wire) => ({ ...wire, requestLine: '\x16\x03\x01' }),
};

for (const [name, change] of Object.entries(attempts)) {
  test(`${name}: an empty 404, and nothing goes to the server`, async (t) => {
    const { ask, server } = await open(t);
    const answer = await ask(change);
    const [head = '', ...rest] = answer.split('\r\n\r\n');
    assert.match(head, /^HTTP\/1\.1 404 Not Found\r\n/);
    assert.deepEqual(rest, ['']);
    assert.deepEqual(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(':')[0]?.toLowerCase())
        .filter((each) => each !== 'date')
        .sort(),
      ['connection', 'content-length'],
    );
    assert.deepEqual(server.received, []);
  });
}

test('CONNECT and upgrades lead nowhere', async (t) => {
  const { ask, server } = await open(t);
  assert.equal(await ask((wire) => ({ ...wire, requestLine: 'CONNECT mcp.notion.com:443 HTTP/1.1' })), '');
  const upgrade = await ask((wire) => ({
    ...path(wire, '/else'),
    headers: [...wire.headers, ['Connection', 'upgrade'], ['Upgrade', 'websocket']],
  }));
  assert.match(upgrade, /^HTTP\/1\.1 404 /);
  assert.deepEqual(server.received, []);
});

test('a header that the caller declares to be for one hop does not reach the server', async (t) => {
  const { ask, server } = await open(t);
  await ask((wire) => ({
    ...wire,
    headers: [...wire.headers, ['Connection', 'Mcp-Session-Id'], ['Mcp-Session-Id', 's'], ['TE', 'trailers']],
  }));
  const { headers } = server.received[0] ?? assert.fail();
  assert.equal(headers['mcp-session-id'], undefined);
  assert.equal(headers.te, undefined);
});

test('the port answers on 127.0.0.1 and on no other address of this machine', async (t) => {
  const { port } = await open(t);
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const others = [
    '127.0.0.2',
    '::1',
    ...addresses.map(({ address }) => address).filter((each) => each !== '127.0.0.1'),
  ];
  for (const host of others) {
    const socket = connect({ host, port });
    const outcome = await Promise.race([
      once(socket, 'connect').then(() => 'connected'),
      once(socket, 'error').then(() => 'refused'),
    ]).catch(() => 'refused');
    socket.destroy();
    assert.equal(outcome, 'refused', host);
  }
});

test('each listen has other secrets, and each account its own', async (t) => {
  const { gateway } = await open(t);
  const secrets = [gateway.secretFor('ada').reveal(), gateway.secretFor('grace').reveal()];
  assert.equal(gateway.secretFor('ada').reveal(), secrets[0]);
  const { address } = gateway;
  await gateway.listen();
  assert.equal(gateway.address, address);
  await gateway.close();
  assert.equal(gateway.address, undefined);
  assert.throws(() => gateway.secretFor('ada'));
  assert.throws(() => gateway.urlFor('ada'));
  await gateway.listen();
  secrets.push(gateway.secretFor('ada').reveal(), gateway.secretFor('grace').reveal());
  assert.equal(new Set(secrets).size, 4);
  for (const secret of secrets) {
    assert.match(secret, /^[\w-]{43}$/);
  }
});

test('a gateway that was closed leaves its port and ends the calls that were under way', async (t) => {
  const { gateway, port, server } = await open(t);
  const arrived = new Promise<void>((resolve) => {
    server.script = () => resolve();
  });
  const secret = gateway.secretFor('ada').reveal();
  const call = fetch(gateway.urlFor('ada'), { method: 'POST', body, headers: { authorization: `Bearer ${secret}` } });
  const rejected = assert.rejects(call);
  await arrived;
  await gateway.close();
  await rejected;
  const socket = connect({ host: '127.0.0.1', port });
  await assert.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' });
});

async function open(t: TestContext) {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  const { gateway, accounts } = await openGateway(t, server.url);
  accounts.add('grace', server.url, 'other');
  gateway.secretFor('grace');
  const port = Number(new URL(gateway.urlFor('ada')).port);
  const ask = async (change: (wire: Wire, port: number) => Wire): Promise<string> => {
    const wire = change(
      {
        requestLine: 'POST /ada/mcp HTTP/1.1',
        headers: [
          ['Host', `127.0.0.1:${port}`],
          ['Authorization', `Bearer ${gateway.secretFor('ada').reveal()}`],
          ['Connection', 'close'],
          ['Content-Type', 'application/json'],
          ['Content-Length', String(Buffer.byteLength(body))],
        ],
        body,
      },
      port,
    );
    const socket = connect({ host: '127.0.0.1', port });
    const lines = [wire.requestLine, ...wire.headers.map(([name, value]) => `${name}: ${value}`)];
    socket.write(`${lines.join('\r\n')}\r\n\r\n${wire.body}`);
    let answer = '';
    try {
      for await (const chunk of socket) {
        answer += chunk;
      }
    } catch {
      // The gateway may reset a connection of which it has not read everything.
    }
    return answer;
  };
  return { ask, server, gateway, port };
}

function without(wire: Wire, name: string): Wire {
  return { ...wire, headers: wire.headers.filter(([each]) => each !== name) };
}

function replaced(wire: Wire, name: string, change: (value: string) => string): Wire {
  return { ...wire, headers: wire.headers.map(([each, value]) => [each, each === name ? change(value) : value]) };
}

function path(wire: Wire, target: string): Wire {
  return { ...wire, requestLine: `POST ${target} HTTP/1.1` };
}

/** Another secret that differs in its very last character. */
function swapLast(value: string): string {
  return value.slice(0, -1) + (value.endsWith('A') ? 'B' : 'A');
}
