import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type TestContext, test } from 'node:test';
import { openGateway, rpc } from './gatewayUnderTest.ts';
import { ScriptedServer } from './scriptedServer.ts';

/** An HTTP request in its parts, for a test to corrupt. */
interface RawRequest {
  requestLine: string;
  headers: [name: string, value: string][];
  body: string;
}

const body = JSON.stringify(rpc(1));

test('a request with the correct path, host and secret is forwarded', async (t) => {
  const { sendRaw, server } = await open(t);
  assert.match(await sendRaw((raw) => raw), /^HTTP\/1\.1 200 OK\r\n/);
  assert.equal(server.received.length, 1);
});

const attempts: Record<string, (raw: RawRequest, port: number) => RawRequest> = {
  'no secret': (raw) => without(raw, 'Authorization'),
  'a wrong secret': (raw) => withHeader(raw, 'Authorization', (value) => swapLast(value)),
  'a truncated secret': (raw) => withHeader(raw, 'Authorization', (value) => value.slice(0, -1)),
  'an extra character after the secret': (raw) => withHeader(raw, 'Authorization', (value) => `${value}A`),
  'the secret under a wrong scheme': (raw) =>
    withHeader(raw, 'Authorization', (value) => value.replace('Bearer', 'Basic')),
  'two secrets, one of them wrong': (raw) => ({ ...raw, headers: [...raw.headers, ['Authorization', 'Bearer other']] }),
  'the secret in the query': (raw) => {
    const secret = raw.headers.find(([name]) => name === 'Authorization')?.[1].replace('Bearer ', '') ?? '';
    return without(
      { ...raw, requestLine: raw.requestLine.replace('/mcp', `/mcp?access_token=${secret}`) },
      'Authorization',
    );
  },
  'the secret of another account': (raw) => ({ ...raw, requestLine: raw.requestLine.replace('/ada/', '/grace/') }),
  'the origin of a web page': (raw) => ({ ...raw, headers: [...raw.headers, ['Origin', 'https://example.test']] }),
  'the origin of a web page on this machine': (raw, port) => ({
    ...raw,
    headers: [...raw.headers, ['Origin', `http://127.0.0.1:${port}`]],
  }),
  'an empty origin': (raw) => ({ ...raw, headers: [...raw.headers, ['Origin', '']] }),
  'a wrong host': (raw) => withHeader(raw, 'Host', () => 'evil.example.test'),
  'localhost as its host': (raw, port) => withHeader(raw, 'Host', () => `localhost:${port}`),
  'a host without a port': (raw) => withHeader(raw, 'Host', () => '127.0.0.1'),
  'no host': (raw) => without(raw, 'Host'),
  'two hosts': (raw) => ({ ...raw, headers: [...raw.headers, ['Host', 'evil.example.test']] }),
  'the root as its path': (raw) => withTarget(raw, '/'),
  'a trailing slash in its path': (raw) => withTarget(raw, '/ada/mcp/'),
  'an empty query': (raw) => withTarget(raw, '/ada/mcp?'),
  'dot segments in its path': (raw) => withTarget(raw, '/grace/../ada/mcp'),
  'encoded dot segments in its path': (raw) => withTarget(raw, '/grace/%2e%2e/ada/mcp'),
  'an encoded character in its path': (raw) => withTarget(raw, '/%61da/mcp'),
  'a double slash in its path': (raw) => withTarget(raw, '//ada/mcp'),
  'a well-known path': (raw) => withTarget(raw, '/.well-known/oauth-protected-resource/ada/mcp'),
  '__proto__ as the account in its path': (raw) => withTarget(raw, '/__proto__/mcp'),
  'an absolute URL as its target': (raw, port) => withTarget(raw, `http://127.0.0.1:${port}/ada/mcp`),
  'an absolute URL of another host as its target': (raw) => withTarget(raw, 'http://mcp.notion.com/ada/mcp'),
  'an asterisk as its target': (raw) => ({ ...raw, requestLine: 'OPTIONS * HTTP/1.1' }),
  'both a length and chunked encoding': (raw) => ({
    ...raw,
    headers: [...raw.headers, ['Transfer-Encoding', 'chunked']],
    body: `0\r\n\r\nPOST /ada/mcp HTTP/1.1\r\n\r\n`,
  }),
  'two different lengths': (raw) => ({ ...raw, headers: [...raw.headers, ['Content-Length', '5']] }),
  'a length that is not a plain number': (raw) => withHeader(raw, 'Content-Length', (value) => `+${value}`),
  'a further encoding after chunked': (raw) => ({
    ...without(raw, 'Content-Length'),
    headers: [...without(raw, 'Content-Length').headers, ['Transfer-Encoding', 'chunked, identity']],
  }),
  'a header with a line break in its name': (raw) => ({ ...raw, headers: [...raw.headers, ['X\nY', 'z']] }),
  'a space before a header’s colon': (raw) => ({
    ...raw,
    headers: [...raw.headers, ['Transfer-Encoding ', 'chunked']],
  }),
  'headers of 20,000 bytes': (raw) => ({ ...raw, headers: [...raw.headers, ['X-Long', 'x'.repeat(20_000)]] }),
  'an expectation of 100-continue': (raw) => ({ ...raw, headers: [...raw.headers, ['Expect', '100-continue']] }),
  'an unknown expectation': (raw) => ({ ...raw, headers: [...raw.headers, ['Expect', 'tea']] }),
  'an upgrade to a WebSocket': (raw) => upgradeTo(raw, 'websocket'),
  'an upgrade to HTTP/2': (raw) => upgradeTo(raw, 'h2c'),
  'CONNECT as its method': (raw) => ({ ...raw, requestLine: 'CONNECT mcp.notion.com:443 HTTP/1.1' }),
  'a TLS handshake as its first line': (raw) => ({ ...raw, requestLine: '\x16\x03\x01' }),
};

for (const [name, change] of Object.entries(attempts)) {
  test(`a request with ${name} gets an empty 404 and is not forwarded`, async (t) => {
    const { sendRaw, server } = await open(t);
    const response = await sendRaw(change);
    const [head = '', ...rest] = response.split('\r\n\r\n');
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

test('a header that the caller declares to be hop-by-hop does not reach the server', async (t) => {
  const { sendRaw, server } = await open(t);
  await sendRaw((raw) => ({
    ...raw,
    headers: [...raw.headers, ['Connection', 'Mcp-Session-Id'], ['Mcp-Session-Id', 's'], ['TE', 'trailers']],
  }));
  const { headers } = server.received[0] ?? assert.fail();
  assert.equal(headers['mcp-session-id'], undefined);
  assert.equal(headers.te, undefined);
});

test('the gateway listens on 127.0.0.1 and on no other address of this machine', async (t) => {
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

test('each account has its own secret, and the gateway creates new ones each time it listens', async (t) => {
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

test('closing the gateway releases its port and ends the calls in progress', async (t) => {
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
  const sendRaw = async (change: (raw: RawRequest, port: number) => RawRequest): Promise<string> => {
    const raw = change(
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
    const lines = [raw.requestLine, ...raw.headers.map(([name, value]) => `${name}: ${value}`)];
    socket.write(`${lines.join('\r\n')}\r\n\r\n${raw.body}`);
    let response = '';
    try {
      for await (const chunk of socket) {
        response += chunk;
      }
    } catch {
      // The gateway may reset a connection whose request it did not read completely.
    }
    return response;
  };
  return { sendRaw, server, gateway, port };
}

function without(raw: RawRequest, name: string): RawRequest {
  return { ...raw, headers: raw.headers.filter(([each]) => each !== name) };
}

function upgradeTo(raw: RawRequest, protocol: string): RawRequest {
  return { ...raw, headers: [...without(raw, 'Connection').headers, ['Connection', 'Upgrade'], ['Upgrade', protocol]] };
}

function withHeader(raw: RawRequest, name: string, change: (value: string) => string): RawRequest {
  return { ...raw, headers: raw.headers.map(([each, value]) => [each, each === name ? change(value) : value]) };
}

function withTarget(raw: RawRequest, target: string): RawRequest {
  return { ...raw, requestLine: `POST ${target} HTTP/1.1` };
}

/** Returns the same value with another last character. */
function swapLast(value: string): string {
  return value.slice(0, -1) + (value.endsWith('A') ? 'B' : 'A');
}
