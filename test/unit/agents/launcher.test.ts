import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type InstallOptions, installBridge } from '../../../src/agents/installBridge.ts';
import { stablePath } from '../../../src/agents/launcher.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { files, temporaryFolder } from './listenerUnderTest.ts';

/** Stands in for the bridge: prints what it was started with. */
const program = `console.log(JSON.stringify({
  executable: process.env.STARTED_AS,
  args: process.argv.slice(2),
  env: [process.env.ELECTRON_RUN_AS_NODE, process.env.NOTION_MCP_EDITOR, process.env.NODE_OPTIONS],
}));`;

const names: Record<string, string> = {
  'plain names': 'plain',
  spaces: 'a b  c',
  quotes: `it's "quoted" and \`ticked\``,
  'a command substitution': '$(touch injected) $HOME \\',
  'a line break': 'one\ntwo\n',
  'a leading dash': '-rf',
};

for (const [kind, name] of Object.entries(names)) {
  test(`the launcher starts the bridge where paths and the editor’s name have ${kind}`, async (t) => {
    const { options, home, start } = installation(t, name);
    const { command, args, env } = await installBridge({ ...options, editor: name });
    assert.deepEqual([args, env], [[], {}]);
    assert.deepEqual(start(command, ['--account', name, '--agent', 'editor']), {
      executable: options.executable,
      args: ['--directory', options.directory, '--account', name, '--agent', 'editor'],
      env: ['1', name],
    });
    assert.ok(!readdirSync(home).includes('injected'));
  });
}

test('the launcher needs nothing of the environment, and passes no options for Node on', async (t) => {
  const { options, start } = installation(t);
  const { command } = await installBridge(options);
  const variables = { NODE_OPTIONS: '--require /nowhere.cjs', PATH: '' };
  assert.deepEqual(start(command, [], variables).env, ['1', 'VS Code']);
});

test('where the recorded executable was removed, the launcher starts a Node of the recorded search path', async (t) => {
  const { options, home, start } = installation(t);
  const folders = ['relative', 'manager', 'missing', 'plain', 'linked'].map((each) => join(home, each));
  const [relativeOne = '', manager = '', , plain = '', linked = ''] = folders;
  for (const folder of [relativeOne, manager, plain, linked]) {
    mkdirSync(folder);
  }
  // Version managers put a link to themselves in the place of Node.
  writeFileSync(join(home, 'version-manager'), '#!/bin/sh\nexit 3\n', { mode: 0o755 });
  symlinkSync(join(home, 'version-manager'), join(manager, 'node'));
  // Relative to the folder in which the editor was started.
  writeFileSync(join(relativeOne, 'node'), '#!/bin/sh\nexit 4\n', { mode: 0o755 });
  // Not executable.
  writeFileSync(join(plain, 'node'), '');
  const node = join(home, 'versions', 'node');
  mkdirSync(join(home, 'versions'));
  renameSync(options.executable, node);
  symlinkSync(node, join(linked, 'node'));
  const searchPath = [relative(process.cwd(), relativeOne), ...folders.slice(1)].join(':');
  const { command } = await installBridge({ ...options, searchPath });
  // Some links last only as long as the terminal that made them.
  rmSync(linked, { recursive: true });
  assert.equal(start(command).executable, node);
});

test('where nothing can run the bridge, the launcher says so in one line', async (t) => {
  const { options } = installation(t);
  const { command } = await installBridge({ ...options, editor: "Ada's Code" });
  rmSync(options.executable);
  mkdirSync(options.executable);
  const { status, stdout, stderr } = spawnSync(command, { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.equal(stderr, "Notion’s tools cannot start: Ada's Code was moved or removed. Open it once, then try again.\n");
});

test('only the user can read and start what is installed', async (t) => {
  const { options } = installation(t);
  const { command } = await installBridge(options);
  const folder = join(command, '..');
  const modes = ['', 'bridge.cjs', 'notion-mcp-bridge'].map((name) => statSync(join(folder, name)).mode & 0o777);
  assert.deepEqual(modes, [0o700, 0o600, 0o700]);
});

test('what is installed already is not written again, so that a read-only home does no harm', async (t) => {
  const { options, start } = installation(t);
  const { command } = await installBridge(options);
  const folder = join(command, '..');
  const written = () => readdirSync(folder).map((name) => [name, statSync(join(folder, name)).ino]);
  const before = written();
  for (const each of [folder, options.directory]) {
    chmodSync(each, 0o500);
  }
  try {
    // The superuser could write there nevertheless.
    const randomness = { ...systemRandomness, bytes: () => assert.fail('something is written') };
    assert.equal((await installBridge({ ...options, randomness })).command, command);
    assert.deepEqual(written(), before);
    assert.deepEqual(start(command).env, ['1', 'VS Code']);
  } finally {
    for (const each of [folder, options.directory]) {
      chmodSync(each, 0o700);
    }
  }
});

test('a newer bridge replaces the older one at the same path, at once and without leftovers', async (t) => {
  const { options, start } = installation(t);
  const { command } = await installBridge(options);
  writeFileSync(options.bridgeFile, `${program}\n// newer`);
  chmodSync(command, 0o600);
  assert.equal((await installBridge(options)).command, command);
  assert.deepEqual(readdirSync(join(command, '..')).sort(), ['bridge.cjs', 'notion-mcp-bridge']);
  assert.deepEqual(start(command).env, ['1', 'VS Code']);
});

test('of an AppImage on a computer without Node, nothing lasts that could run the bridge', async (t) => {
  const { options } = installation(t);
  const executable = '/tmp/.mount_VSCodeA1b2C3/usr/share/code/code';
  assert.equal((await installBridge({ ...options, executable })).isLasting, false);
  assert.equal((await installBridge(options)).isLasting, true);
});

test('on Windows the executable itself starts the bridge', async (t) => {
  const { options } = installation(t);
  const { command, args, env } = await installBridge({ ...options, system: 'win32' });
  assert.equal(command, options.executable);
  assert.deepEqual(args, [join(options.directory, '..', 'agents', 'bridge.cjs'), '--directory', options.directory]);
  assert.deepEqual(env, { ELECTRON_RUN_AS_NODE: '1', NOTION_MCP_EDITOR: 'VS Code' });
});

const executables: Record<string, string | undefined> = {
  '/usr/share/code/code': '/usr/share/code/code',
  '/snap/code/171/usr/share/code/code': '/snap/code/current/usr/share/code/code',
  '/var/lib/snapd/snap/code/171/usr/share/code/code': '/var/lib/snapd/snap/code/current/usr/share/code/code',
  '/tmp/.mount_VSCodeA1b2C3/usr/share/code/code': undefined,
  '/home/ada/.vscode-server/cli/servers/Stable-0a1b/server/node':
    '/home/ada/.vscode-server/cli/servers/Stable-0a1b/server/node',
};

for (const [executable, expected] of Object.entries(executables)) {
  test(`the executable ${executable} is recorded ${expected === undefined ? 'nowhere' : `as ${expected}`}`, () => {
    assert.equal(stablePath(executable), expected);
  });
}

/** A home with a journal, an executable of the editor and the bridge of its extension. */
function installation(t: TestContext, name = 'home') {
  const home = join(temporaryFolder(t), name);
  const directory = join(home, 'journal');
  mkdirSync(directory, { recursive: true });
  const executable = join(home, 'code');
  writeFileSync(executable, `#!/bin/sh\nSTARTED_AS="$0" exec '${process.execPath}' "$@"\n`, { mode: 0o755 });
  const bridgeFile = join(home, 'shipped.cjs');
  writeFileSync(bridgeFile, program);
  const options: InstallOptions = {
    directory,
    bridgeFile,
    editor: 'VS Code',
    system: 'linux',
    executable,
    searchPath: '',
    files,
    randomness: systemRandomness,
  };
  const start = (command: string, args: string[] = [], env: Record<string, string> = {}) => {
    const { stdout, stderr } = spawnSync(command, args, { cwd: home, env, encoding: 'utf8' });
    assert.equal(stderr, '');
    const { env: variables, ...others } = JSON.parse(stdout);
    return { ...others, env: variables.filter((value: string | null) => value !== null) };
  };
  return { options, home, start };
}
