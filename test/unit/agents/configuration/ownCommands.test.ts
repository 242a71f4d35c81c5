import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { serversIn } from '../../../../src/agents/configuration/servers.ts';
import { temporaryFolder } from '../listenerUnderTest.ts';
import { ConnectionsUnderTest } from './connectionsUnderTest.ts';

/**
 * Stands in for Claude Code, which `test/agents` runs, to fail on demand. It writes down how it was started, and changes
 * its configuration as Claude Code does.
 */
const program = `
const { readFileSync, writeFileSync, appendFileSync } = require('node:fs');
const [, , ...args] = process.argv;
const { HOME, VSCODE_PID, ELECTRON_RUN_AS_NODE, BEHAVIOUR } = process.env;
appendFileSync(HOME + '/started', JSON.stringify({ args, cwd: process.cwd(), leaked: [VSCODE_PID, ELECTRON_RUN_AS_NODE] }) + '\\n');
if (BEHAVIOUR === 'fails') process.exit(1);
if (BEHAVIOUR === 'does nothing') process.exit(0);
if (BEHAVIOUR === 'cannot add' && args[1] === 'add') process.exit(1);
const path = HOME + '/.claude.json';
const text = (() => { try { return readFileSync(path, 'utf8'); } catch { return '{}'; } })();
const configuration = { ...JSON.parse(text), numStartups: 1 };
configuration.mcpServers ??= {};
const [, verb, , , name] = args;
if (verb === 'remove') {
  if (!(name in configuration.mcpServers)) process.exit(1);
  delete configuration.mcpServers[name];
} else {
  if (name in configuration.mcpServers) process.exit(1);
  const [command, ...words] = args.slice(args.indexOf('--') + 1);
  configuration.mcpServers[name] = { type: 'stdio', command, args: words, env: {} };
}
writeFileSync(path, JSON.stringify(configuration, null, 2));
`;

test('Claude Code’s own commands are run where it is installed, in the home and as from a terminal', async (t) => {
  const { under, started } = withProgram(t);
  under.write('claude-code', '{"userID":"a"}');
  await under.connect('claude-code');
  const launch = under.launch('notion-ada', 'claude-code');
  const [add] = started();
  assert.deepEqual(add, {
    args: ['mcp', 'add', '--scope', 'user', 'notion-ada', '--', launch.command, ...launch.args],
    cwd: under.home,
    leaked: [null, null],
  });
  // It counts its starts there.
  const restored = () => JSON.parse(under.read('claude-code'));
  under.write('claude-code', under.read('claude-code').replace('"numStartups": 1', '"numStartups": 2'));
  await under.disconnect('claude-code');
  assert.deepEqual(started()[1]?.args, ['mcp', 'remove', '--scope', 'user', 'notion-ada']);
  assert.deepEqual(restored(), { userID: 'a', numStartups: 1, mcpServers: {} });
});

test('a configuration that only its own command has changed since gets each byte back', async (t) => {
  const { under, started } = withProgram(t);
  under.write('claude-code', '{"userID" :"a"}');
  await under.connect('claude-code');
  await under.disconnect('claude-code');
  assert.equal(under.read('claude-code'), '{"userID" :"a"}');
  assert.equal(started().length, 1);
});

test('with its own commands, a server of ours that is out of date is removed first', async (t) => {
  const { under, started } = withProgram(t);
  await under.connect('claude-code');
  under.write('claude-code', under.read('claude-code').replace('"claude-code"', '"other"'));
  await under.connect('claude-code');
  assert.deepEqual(
    started().map(({ args }) => args[1]),
    ['add', 'remove', 'add'],
  );
});

for (const behaviour of ['fails', 'does nothing']) {
  test(`an agent whose own command ${behaviour} is not connected, and its configuration stays as it was`, async (t) => {
    const { under } = withProgram(t, behaviour);
    under.write('claude-code', '{"userID":"a"}');
    await assert.rejects(under.connect('claude-code'), { kind: 'commandFailed' });
    assert.equal(under.read('claude-code'), '{"userID":"a"}');
    assert.deepEqual(await under.connections.connected(), []);
    const row = under.row('claude-code');
    assert.deepEqual([...serversIn(under.read('claude-code'), row)], []);
  });
}

test('a server of Notion’s is removed once ours is there, so it stays if its own command cannot add ours', async (t) => {
  const text = '{"mcpServers":{"notion":{"url":"https://mcp.notion.com/mcp"}}}';
  const { under } = withProgram(t, 'cannot add');
  under.write('claude-code', text);
  await assert.rejects(under.connect('claude-code', 'notion-ada', ['notion']), { kind: 'commandFailed' });
  assert.equal(under.read('claude-code'), text);
  const { under: working, started } = withProgram(t);
  working.write('claude-code', text);
  await working.connect('claude-code', 'notion-ada', ['notion']);
  assert.deepEqual(
    started().map(({ args }) => [args[1], args[4]]),
    [
      ['add', 'notion-ada'],
      ['remove', 'notion'],
    ],
  );
});

/** A home with a Claude Code on the search path, which behaves as it does or in another way. */
function withProgram(t: TestContext, behaviour = '') {
  const bin = join(temporaryFolder(t), 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'program.cjs'), program);
  writeFileSync(join(bin, 'claude'), `#!/bin/sh\nexec '${process.execPath}' '${join(bin, 'program.cjs')}' "$@"\n`, {
    mode: 0o755,
  });
  const variables = { BEHAVIOUR: behaviour, VSCODE_PID: '1', ELECTRON_RUN_AS_NODE: '1' };
  const under = new ConnectionsUnderTest(t, { path: bin, variables });
  const started = (): { args: string[] }[] =>
    readFileSync(join(under.home, 'started'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  return { under, started };
}
