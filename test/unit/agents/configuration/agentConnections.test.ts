import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { agentName } from '../../../../src/agents/agentNames.ts';
import { launchOf } from '../../../../src/agents/bridgeCommand.ts';
import { catalogue } from '../../../../src/agents/catalogue.ts';
import { launches, planConnection } from '../../../../src/agents/configuration/plan.ts';
import { commandOf, serversIn } from '../../../../src/agents/configuration/servers.ts';
import { ConnectionsUnderTest } from './connectionsUnderTest.ts';
import { recordedFiles } from './recordedFiles.ts';

for (const row of catalogue) {
  const agent = row.id;
  const name = agentName(agent);

  for (const [kind, text] of Object.entries(recordedFiles[agent] ?? {})) {
    test(`${name} with ${kind}: connecting adds one server, and disconnecting restores each byte`, async (t) => {
      const under = new ConnectionsUnderTest(t);
      under.write(agent, text);
      const before = [...serversIn(text, row)];
      await under.connect(agent);
      const after = [...serversIn(under.read(agent), row)];
      assert.deepEqual(after.slice(0, -1), before);
      const [addedName, entry] = after.at(-1) ?? [];
      assert.equal(addedName, 'notion-ada');
      assert.deepEqual({ ...(entry as object) }, row.entry(under.launch('notion-ada', agent)));
      await under.disconnect(agent);
      assert.equal(under.read(agent), text);
    });

    test(`${name} with ${kind}: disconnecting keeps what others wrote after connecting`, async (t) => {
      const under = new ConnectionsUnderTest(t);
      under.write(agent, text);
      await under.connect(agent);
      const mark = row.format === 'json' ? '\n// changed' : '\n# changed';
      under.write(agent, under.read(agent) + mark);
      await under.disconnect(agent);
      assert.deepEqual([...serversIn(under.read(agent), row)], [...serversIn(text, row)]);
      assert.ok(under.read(agent).endsWith(mark));
      for (const line of text.split(/\r?\n/)) {
        const comment = /(\/\/|\/\*|#).*/.exec(line)?.[0] ?? '';
        assert.ok(under.read(agent).includes(comment), comment);
      }
    });

    test(`${name} with ${kind}: two accounts are removed in either order, and each byte is restored`, async (t) => {
      for (const order of [
        ['notion-ada', 'notion2-grace'],
        ['notion2-grace', 'notion-ada'],
      ]) {
        const under = new ConnectionsUnderTest(t);
        under.write(agent, text);
        await under.connect(agent, 'notion-ada');
        await under.connect(agent, 'notion2-grace');
        const names = [...serversIn(under.read(agent), row).keys()];
        assert.deepEqual(names.slice(-2), ['notion-ada', 'notion2-grace']);
        await under.disconnect(agent, order[0]);
        assert.deepEqual([...serversIn(under.read(agent), row).keys()].slice(-1), [order[1]]);
        await under.disconnect(agent, order[1]);
        assert.equal(under.read(agent), text);
      }
    });
  }

  test(`${name} without a configuration gets one, and it is gone after disconnecting`, async (t) => {
    const under = new ConnectionsUnderTest(t, { name: 'Дом ß' });
    await under.connect(agent);
    assert.deepEqual([...serversIn(under.read(agent), row).keys()], ['notion-ada']);
    await under.disconnect(agent);
    assert.deepEqual(readdirSync(under.home).sort(), ['.local', 'storage']);
  });

  test(`connecting ${name} twice changes nothing the second time`, async (t) => {
    const under = new ConnectionsUnderTest(t);
    const [text = ''] = Object.values(recordedFiles[agent] ?? {});
    under.write(agent, text);
    await under.connect(agent);
    const [connected, { ino }] = [under.read(agent), statSync(under.pathOf(agent))];
    await under.connect(agent);
    assert.equal(under.read(agent), connected);
    assert.equal(statSync(under.pathOf(agent)).ino, ino);
    await under.disconnect(agent);
    assert.equal(under.read(agent), text);
  });

  test(`where a link leads to the configuration of ${name}, the file behind it changes, and the link stays`, async (t) => {
    const under = new ConnectionsUnderTest(t);
    under.write(agent, '');
    const [path, target] = [under.pathOf(agent), join(under.home, 'dotfiles')];
    renameSync(path, target);
    symlinkSync(target, path);
    chmodSync(target, 0o640);
    await under.connect(agent);
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.ok(readFileSync(target, 'utf8').includes('notion-ada'));
    assert.equal(statSync(target).mode & 0o777, 0o640);
    await under.disconnect(agent);
    assert.ok(lstatSync(path).isSymbolicLink());
    assert.equal(readFileSync(target, 'utf8'), '');
  });

  test(`a read-only configuration of ${name} stays as it is`, async (t) => {
    const under = new ConnectionsUnderTest(t);
    const [text = ''] = Object.values(recordedFiles[agent] ?? {});
    under.write(agent, text);
    chmodSync(under.pathOf(agent), 0o444);
    await assert.rejects(under.connect(agent), { kind: 'readOnly' });
    assert.equal(under.read(agent), text);
    assert.deepEqual(
      readdirSync(dirname(under.pathOf(agent))).filter((each) => each.endsWith('.new')),
      [],
    );
    assert.deepEqual(await under.connections.connected(), []);
  });

  test(`the text to paste into a configuration of ${name} is what connecting writes into an empty one`, async (t) => {
    const under = new ConnectionsUnderTest(t);
    const launch = under.launch('notion-ada', agent);
    await under.connect(agent);
    assert.equal(under.connections.configurationText(agent, { handle: 'notion-ada', launch }), under.read(agent));
  });

  test(`a configuration of ${name} that cannot be parsed stays as it is`, async (t) => {
    const under = new ConnectionsUnderTest(t);
    for (const text of ['{ "a": ', 'a = = 1', '"mcpServers"', Buffer.from([0xff, 0xfe, 0x00])]) {
      under.write(agent, text);
      await assert.rejects(under.connect(agent), { kind: 'invalid' });
      assert.deepEqual(readFileSync(under.pathOf(agent)), Buffer.from(text));
    }
  });
}

describe('the backup of a configuration', () => {
  test('is the text before the first connection, in a file that only its user can read', async (t) => {
    const under = new ConnectionsUnderTest(t);
    under.write('codex', 'model = "x"\n');
    await under.connect('codex', 'notion-ada');
    await under.connect('codex', 'notion2-grace');
    const folder = join(under.home, 'storage', 'agents', 'configured');
    const [original = ''] = readdirSync(folder).filter((name) => name.endsWith('.original'));
    assert.equal(readFileSync(join(folder, original), 'utf8'), 'model = "x"\n');
    assert.equal(statSync(join(folder, original)).mode & 0o777, 0o600);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  test('goes with the last connection', async (t) => {
    const under = new ConnectionsUnderTest(t);
    under.write('codex', 'model = "x"\n');
    await under.connect('codex');
    await under.disconnect('codex');
    assert.deepEqual(readdirSync(join(under.home, 'storage', 'agents', 'configured')), []);
  });

  test('is not restored once the user has removed the server and gone on', async (t) => {
    const under = new ConnectionsUnderTest(t);
    under.write('codex', 'model = "x"\n');
    await under.connect('codex');
    under.write('codex', 'model = "newer"\n');
    await under.connect('codex');
    await under.disconnect('codex');
    assert.equal(under.read('codex'), 'model = "newer"\n');
  });

  test('is not made of a configuration that has a bridge already', async (t) => {
    const under = new ConnectionsUnderTest(t);
    await under.connect('codex', 'notion-ada');
    rmSync(join(under.home, 'storage'), { recursive: true });
    await under.connect('codex', 'notion2-grace');
    await under.disconnect('codex', 'notion2-grace');
    assert.deepEqual([...serversIn(under.read('codex'), under.row('codex')).keys()], ['notion-ada']);
  });
});

test('an agent is found by its program, its folder or its configuration', async (t) => {
  const bin = join(new ConnectionsUnderTest(t).home, 'bin');
  const under = new ConnectionsUnderTest(t, { path: `relative:${bin}` });
  assert.deepEqual(await under.connections.found(), []);
  mkdirSync(bin);
  writeFileSync(join(bin, 'codex'), '', { mode: 0o755 });
  writeFileSync(join(bin, 'gemini'), '');
  mkdirSync(join(under.home, '.cursor'));
  writeFileSync(join(under.home, '.claude.json'), '{}');
  assert.deepEqual(await under.connections.found(), ['claude-code', 'codex', 'cursor']);
});

test('opencode’s existing configuration is edited, whichever of its names it has', async (t) => {
  const under = new ConnectionsUnderTest(t);
  const path = join(dirname(under.pathOf('opencode')), 'opencode.jsonc');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '{ // mine\n}');
  await under.connect('opencode');
  assert.ok(readFileSync(path, 'utf8').includes('notion-ada'));
  assert.ok(!existsSync(under.pathOf('opencode')));
});

test('a server that the user put in the place of ours is not removed', async (t) => {
  const under = new ConnectionsUnderTest(t);
  await under.connect('cursor');
  under.write('cursor', '{"mcpServers":{"notion-ada":{"command":"mine"}}}');
  await under.disconnect('cursor');
  assert.equal(under.read('cursor'), '{"mcpServers":{"notion-ada":{"command":"mine"}}}');
  assert.deepEqual(await under.connections.connected(), []);
});

test('a configuration that another program changes at the same time stays as that program wrote it', async (t) => {
  const under = new ConnectionsUnderTest(t);
  under.write('cursor', '{}');
  const state = await under.connections.inspect('cursor');
  under.write('cursor', '{"theirs":1}');
  const launch = under.launch('notion-ada', 'cursor');
  const plan = planConnection(state, { handle: 'notion-ada', launch }, []);
  await assert.rejects(under.connections.connect(plan), { kind: 'changedMeanwhile' });
  assert.equal(under.read('cursor'), '{"theirs":1}');
  assert.deepEqual(await under.connections.connected(), []);
});

test('an entry of an older launcher is brought up to date in its place', async (t) => {
  const under = new ConnectionsUnderTest(t);
  await under.connect('cursor');
  under.write('cursor', under.read('cursor').replace('"cursor"', '"other"'));
  await under.connect('cursor');
  const servers = serversIn(under.read('cursor'), under.row('cursor'));
  assert.deepEqual([...servers.keys()], ['notion-ada']);
  assert.deepEqual(commandOf(servers.get('notion-ada')).slice(-2), ['--agent', 'cursor']);
});

test('where agents start the editor itself and that has moved, their configurations are brought up to date', async (t) => {
  const under = new ConnectionsUnderTest(t);
  const bridge = join(under.home, 'storage', 'agents', 'bridge.cjs');
  const installed = (command: string) => ({
    command,
    args: [bridge, '--directory', 'j'],
    env: { ELECTRON_RUN_AS_NODE: '1' },
  });
  for (const agent of ['codex', 'opencode']) {
    const launch = launchOf(installed('C:\\Old\\Code.exe'), 'notion-ada', agent);
    const plan = planConnection(await under.connections.inspect(agent), { handle: 'notion-ada', launch }, []);
    await under.connections.connect(plan);
  }
  under.write('codex', `${under.read('codex')}# mine\n`);
  await under.connections.refresh(installed('D:\\New\\Code.exe'));
  for (const agent of ['codex', 'opencode']) {
    const servers = serversIn(under.read(agent), under.row(agent));
    assert.deepEqual([...servers.keys()], ['notion-ada']);
    assert.ok(launches(servers.get('notion-ada'), launchOf(installed('D:\\New\\Code.exe'), 'notion-ada', agent)));
  }
  assert.ok(under.read('codex').endsWith('# mine\n'));
  const before = under.read('codex');
  await under.connections.refresh(installed('D:\\New\\Code.exe'));
  assert.equal(under.read('codex'), before);
});
