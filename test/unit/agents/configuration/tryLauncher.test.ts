import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tryLauncher } from '../../../../src/agents/configuration/tryLauncher.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { FakeClock } from '../../fakeClock.ts';
import { temporaryFolder } from '../listenerUnderTest.ts';

/** A server of two pages of tools, which counts its environment as a third. */
const server = `
const respond = (id, result) => console.log(JSON.stringify({ jsonrpc: '2.0', id, result }));
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'initialize') respond(id, { protocolVersion: params.protocolVersion, capabilities: {} });
  if (method === 'tools/list' && params.cursor === undefined) respond(id, { tools: [{}, {}], nextCursor: 'next' });
  if (method === 'tools/list' && params.cursor === 'next') respond(id, { tools: [{}] });
});
if (process.env.SECRET !== undefined) process.exit(1);
`;

test('a launcher that is tried is asked for all of its tools, with hardly any environment', async (t) => {
  assert.equal(await start(t, server), 3);
});

test('a launcher that ends is told with its last words', async (t) => {
  await assert.rejects(start(t, "console.error('was moved'); process.exit(3);"), /it ended with code 3: was moved/);
});

test('a launcher that responds with an error is no success', async (t) => {
  const error = `console.log(JSON.stringify({ jsonrpc: '2.0', id: 1, error: { code: -1, message: '' } })); setInterval(() => 0, 1e3);`;
  await assert.rejects(start(t, error), /it responded with an error/);
});

test('a launcher that says nothing is ended after 20 seconds', async (t) => {
  const clock = new FakeClock();
  const trying = start(t, 'setInterval(() => 0, 1e3);', clock);
  clock.advance(20_000);
  await assert.rejects(trying, /it did not respond in time/);
});

test('a launcher that is not there is no success', async () => {
  const launch = { command: '/nowhere/notion-mcp-bridge', args: [], env: {} };
  await assert.rejects(tryLauncher(launch, { home: '/', environment: {}, system: 'linux' }, systemClock), /ENOENT/);
});

function start(t: TestContext, program: string, clock: typeof systemClock = systemClock): Promise<number> {
  const home = temporaryFolder(t);
  writeFileSync(join(home, 'program.cjs'), program);
  const launch = { command: process.execPath, args: [join(home, 'program.cjs')], env: {} };
  return tryLauncher(launch, { home, environment: { HOME: home, SECRET: 'x' }, system: 'linux' }, clock);
}
