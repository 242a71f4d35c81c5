import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { catalogue } from '../../../../src/agents/catalogue.ts';
import { commandOf, removeServer, serversIn, setServer } from '../../../../src/agents/configuration/servers.ts';
import { ConnectionsUnderTest } from './connectionsUnderTest.ts';
import { recordedFiles } from './recordedFiles.ts';

const hostileTexts = {
  'quotes and backslashes': "/home/\"ada\"\\n'''/b",
  'line breaks': '/home/ada"\n[mcp_servers.evil]\ncommand = "sh',
  'control characters': '/home/\u0000\u0007\u007f\u2028/b',
  'what ends a JSON object': '/home/"}},"evil":{"command":"sh',
  'a comment': '/home/ // # /* */ $(touch evil) `touch evil` %PATH% $HOME',
};

for (const row of catalogue) {
  for (const [kind, hostile] of Object.entries(hostileTexts)) {
    test(`a path with ${kind} stays one text in the configuration of ${row.id}`, () => {
      const launch = { command: hostile, args: ['--account', 'notion-ada'], env: { NAME: hostile } };
      const [text = ''] = Object.values(recordedFiles[row.id] ?? {});
      const after = setServer(text, row, 'notion-ada', row.entry(launch));
      const servers = serversIn(after, row);
      assert.deepEqual([...servers.keys()], [...serversIn(text, row).keys(), 'notion-ada']);
      assert.deepEqual(commandOf(servers.get('notion-ada')), [hostile, '--account', 'notion-ada']);
      assert.deepEqual([...serversIn(removeServer(after, row, 'notion-ada'), row)], [...serversIn(text, row)]);
    });
  }
}

for (const kind of ['file', 'link'] as const) {
  test(`a named pipe in the place of a configuration is not opened, also not behind a ${kind}`, async (t) => {
    await isLeftAlone(t, kind, (path) => execFileSync('mkfifo', [path]));
  });

  test(`a folder in the place of a configuration is left alone, also behind a ${kind}`, async (t) => {
    await isLeftAlone(t, kind, (path) => mkdirSync(path));
  });
}

test('a device behind a link is not read', async (t) => {
  const under = new ConnectionsUnderTest(t);
  mkdirSync(dirname(under.pathOf('codex')));
  symlinkSync('/dev/zero', under.pathOf('codex'));
  await assert.rejects(under.connect('codex'), { kind: 'notAFile' });
});

test('a link to nothing, or to itself, is left alone', async (t) => {
  const under = new ConnectionsUnderTest(t);
  mkdirSync(dirname(under.pathOf('codex')));
  symlinkSync(join(under.home, 'nothing'), under.pathOf('codex'));
  await assert.rejects(under.connect('codex'), { kind: 'notAFile' });
  assert.ok(!existsSync(join(under.home, 'nothing')));
  symlinkSync('.claude.json', under.pathOf('claude-code'));
  await assert.rejects(under.connect('claude-code'), { kind: 'notAFile' });
});

test('a huge configuration is not read', async (t) => {
  const under = new ConnectionsUnderTest(t);
  under.write('cursor', '');
  truncateSync(under.pathOf('cursor'), 3 * 1024 ** 3);
  await assert.rejects(under.connect('cursor'), { kind: 'tooLarge' });
});

test('a configuration of another user of the computer is left alone', async (t) => {
  const { getuid } = process;
  if (getuid === undefined) {
    t.skip('Windows knows no user ids');
    return;
  }
  const under = new ConnectionsUnderTest(t);
  under.write('cursor', '{}');
  // Only the superuser could give a file away.
  process.getuid = () => getuid() + 1;
  t.after(() => {
    process.getuid = getuid;
  });
  await assert.rejects(under.connect('cursor'), { kind: 'ofAnotherUser' });
});

test('servers in a form that cannot be extended are left alone', async (t) => {
  const under = new ConnectionsUnderTest(t);
  for (const text of ['mcp_servers = { a = { command = "b" } }\n', 'mcp_servers = 1\n']) {
    under.write('codex', text);
    await assert.rejects(under.connect('codex'), { kind: 'unreadable' });
    assert.equal(under.read('codex'), text);
  }
  // Two readers may see two different ones.
  const twice = '{"mcpServers":{"a":{}},"mcpServers":{"b":{}}}';
  for (const text of [twice, '{"mcpServers":null}']) {
    under.write('cursor', text);
    await assert.rejects(under.connect('cursor'), { kind: 'unreadable' });
    assert.equal(under.read('cursor'), text);
  }
});

test('a record that leads elsewhere makes nothing but a bridge go', async (t) => {
  const under = new ConnectionsUnderTest(t);
  await under.connect('cursor');
  const victim = join(under.home, 'victim.json');
  writeFileSync(victim, '{"mcpServers":{"notion-ada":{"command":"mine"}}}');
  const [connection] = await under.connections.connected();
  await under.connections.disconnect({ ...(connection as NonNullable<typeof connection>), path: victim });
  assert.equal(readFileSync(victim, 'utf8'), '{"mcpServers":{"notion-ada":{"command":"mine"}}}');
});

async function isLeftAlone(t: TestContext, kind: 'file' | 'link', make: (path: string) => void): Promise<void> {
  const under = new ConnectionsUnderTest(t);
  const path = under.pathOf('codex');
  mkdirSync(dirname(path));
  if (kind === 'link') {
    symlinkSync(join(under.home, 'target'), path);
  }
  make(kind === 'link' ? join(under.home, 'target') : path);
  await assert.rejects(under.connect('codex'), { kind: 'notAFile' });
  assert.deepEqual(await under.connections.connected(), []);
}
