import assert from 'node:assert/strict';
import { chmodSync, existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { planConnection } from '../../../../src/agents/configuration/plan.ts';
import { serversIn } from '../../../../src/agents/configuration/servers.ts';
import { ConnectionsUnderTest } from './connectionsUnderTest.ts';
import { DocumentedCursor } from './documentedCursor.ts';

const entry = { command: 'npx', args: ['their-server'] };
const theirs = `{\n  // mine\n  "mcpServers": { "theirs": ${JSON.stringify(entry)} }\n}\n`;

test('inside Cursor an account is registered with the editor, and its file stays as it is', async (t) => {
  const { cursor, under } = inCursor(t);
  under.write('cursor', theirs);
  await under.connect('cursor');
  assert.deepEqual(cursor.servers, new Map([['notion-ada', under.launch('notion-ada', 'cursor')]]));
  assert.equal(under.read('cursor'), theirs);
  assert.deepEqual(await under.connections.connected(), [
    {
      ...{ agent: 'cursor', path: under.pathOf('cursor') },
      ...{ handle: 'notion-ada', name: 'notion-ada', isRegistered: true },
    },
  ]);
  // Nothing has to be restored in it.
  chmodSync(under.pathOf('cursor'), 0o444);
  await under.disconnect('cursor');
  assert.deepEqual(cursor.servers, new Map());
  assert.equal(under.read('cursor'), theirs);
  assert.deepEqual(await under.connections.connected(), []);
});

test('inside Cursor an account is connected where Cursor has no file yet, and none is made', async (t) => {
  const { cursor, under } = inCursor(t);
  assert.deepEqual(await under.connections.found(), ['cursor']);
  await under.connect('cursor');
  await under.disconnect('cursor');
  assert.ok(!existsSync(under.pathOf('cursor')));
  assert.deepEqual(cursor.calls, ['register notion-ada', 'unregister notion-ada']);
});

test('an empty file that appears while Cursor is connected stays when it is disconnected', async (t) => {
  const { under } = inCursor(t);
  await under.connect('cursor');
  under.write('cursor', '');
  await under.disconnect('cursor');
  assert.equal(under.read('cursor'), '');
});

test('a window registers again what was connected before, and once however often it looks', async (t) => {
  const { under } = inCursor(t);
  await under.connect('cursor');
  const later = under.inside(new DocumentedCursor());
  for (let count = 0; count < 2; count += 1) {
    await later.connections.register();
  }
  assert.deepEqual(later.registry.calls, ['register notion-ada']);
  await under.connect('cursor', 'notion2-grace');
  await under.disconnect('cursor', 'notion-ada');
  await later.connections.register();
  assert.deepEqual(later.registry.calls.slice(1), ['unregister notion-ada', 'register notion2-grace']);
  await later.connections.close();
  assert.deepEqual(later.registry.servers, new Map());
});

test('connecting again inside Cursor changes nothing', async (t) => {
  const { cursor, under } = inCursor(t);
  await under.connect('cursor');
  await under.connect('cursor');
  assert.deepEqual(cursor.calls, ['register notion-ada']);
  assert.equal((await under.connections.connected()).length, 1);
});

test('inside Cursor an account that was in its file is listed once, and the file is restored in the end', async (t) => {
  const outside = new ConnectionsUnderTest(t);
  outside.write('cursor', theirs);
  await outside.connect('cursor');
  const { registry: cursor, connections } = outside.inside(new DocumentedCursor());
  const launch = outside.launch('notion-ada', 'cursor');
  const plan = planConnection(await connections.inspect('cursor'), { handle: 'notion-ada', launch }, []);
  assert.equal(plan.after, theirs);
  await connections.connect(plan);
  assert.deepEqual([...serversIn(outside.read('cursor'), outside.row('cursor')).keys()], ['theirs']);
  assert.deepEqual([...cursor.servers.keys()], ['notion-ada']);
  const [connection] = await connections.connected();
  await connections.disconnect(connection ?? assert.fail());
  assert.equal(outside.read('cursor'), theirs);
});

test('a server of Notion’s that an account replaces inside Cursor is in the file again once it is disconnected', async (t) => {
  const { cursor, under } = inCursor(t);
  const before = '{"mcpServers":{"notion":{"url":"https://mcp.notion.com/mcp"}}}';
  under.write('cursor', before);
  await under.connect('cursor', 'notion-ada', ['notion']);
  assert.equal(under.read('cursor'), '{"mcpServers":{}}');
  assert.deepEqual([...cursor.servers.keys()], ['notion-ada']);
  await under.disconnect('cursor');
  assert.equal(under.read('cursor'), before);
});

test('another editor’s entry of the same name stays in Cursor’s file when the account is disconnected', async (t) => {
  const { under } = inCursor(t);
  const other =
    '{"mcpServers":{"notion-ada":{"command":"/other/notion-mcp-bridge","args":["--account","notion-ada"]}}}';
  under.write('cursor', other);
  await under.connect('cursor');
  await under.disconnect('cursor');
  assert.equal(under.read('cursor'), other);
});

test('an account that Cursor refuses is not connected', async (t) => {
  const { cursor, under } = inCursor(t);
  cursor.refuses = true;
  await assert.rejects(under.connect('cursor'), { kind: 'commandFailed' });
  assert.deepEqual(await under.connections.connected(), []);
});

test('the name in Cursor leaves room for Notion’s longest tool in the 60 characters that Cursor allows', async (t) => {
  const { cursor, under } = inCursor(t);
  await under.connect('cursor', 'notion-engineering-wiki2');
  assert.deepEqual([...cursor.servers.keys()], ['notion-engineering']);
  await under.disconnect('cursor', 'notion-engineering-wiki2');
  assert.deepEqual(cursor.servers, new Map());
});

test('inside Cursor other agents are connected by their files', async (t) => {
  const { cursor, under } = inCursor(t);
  await under.connect('codex');
  assert.match(under.read('codex'), /notion-mcp-bridge/);
  assert.deepEqual(cursor.calls, []);
});

function inCursor(t: TestContext) {
  const cursor = new DocumentedCursor();
  const under = new ConnectionsUnderTest(t, { registry: cursor });
  return { cursor, under };
}
