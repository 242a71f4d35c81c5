import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from '../../../../src/http/transport.ts';
import { createPoolTransport } from '../../../../src/platform/node/pools.ts';
import { until } from '../../connections.ts';
import { ScriptedServer } from '../../gateway/scriptedServer.ts';

test('a connection is closed once it was idle for the given time, also if the server would keep it for longer', async (t) => {
  const server = await ScriptedServer.start();
  // undici's timers are not as fine as this.
  const transport = createPoolTransport({ idleMs: 10 });
  t.after(async () => {
    await transport.close();
    await server.stop();
  });
  server.script = (response) => response.setHeader('keep-alive', 'timeout=600').end('done');
  const { signal } = new AbortController();
  const response = await transport.send({ method: 'GET', url: new URL(server.url), headers: {}, signal });
  assert.equal(await readText(response, 100), 'done');
  assert.equal(server.openConnections, 1);
  await until(() => server.openConnections === 0);
});
