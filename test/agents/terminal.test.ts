import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { finishSignIn } from '../e2e/signIn.ts';
import { useTestbed } from '../e2e/testbed.ts';
import { startNotionServer } from '../notion/server.ts';
import { ModelApis, type Turn } from './modelApis.ts';
import {
  agentEnvironment,
  configurations,
  installAgents,
  readConfiguration,
  runAgent,
  type TerminalAgent,
  terminalAgents,
} from './terminalAgents.ts';

const handle = 'notion-engineering-wiki';
const names = terminalAgents.map(({ name }) => name);
const list = new Intl.ListFormat('en', { type: 'conjunction' }).format(names);

/** Agents change dashes in the names of tools. */
const fetchTool = /notion[-_]fetch$/;

describe('agents of terminals that are connected', { timeout: 1_500_000 }, async () => {
  const models = await ModelApis.start();
  const home = await mkdtemp(join(tmpdir(), 'terminal-'));
  await installAgents(home, models.url);
  const testbed = await useTestbed({
    notion: await startNotionServer({ version: 'today', profile: { readOnlyHints: true } }),
    environment: agentEnvironment(home),
    cleanup: async () => {
      await models.close();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  });
  const { consumer, notion, openWindow } = testbed;
  let { window } = testbed;
  let prompts = 0;

  /** Runs an agent whose model calls the tool that tells the user. */
  async function askWhoIsSignedIn({ program, run }: TerminalAgent): Promise<Turn> {
    prompts += 1;
    const prompt = `Prompt ${prompts}.`;
    const turn = models.nextTurn({ prompt, tool: fetchTool, input: { id: 'self' } });
    const [{ output }, result] = await Promise.all([
      runAgent(home, models.url, program, run(prompt)),
      turn.catch((error: unknown) => error),
    ]);
    if (result instanceof Error) {
      throw new Error(`${result.message}: ${output}`);
    }
    return result as Turn;
  }

  async function assertFetched(agent: TerminalAgent): Promise<void> {
    const { offered, results } = await askWhoIsSignedIn(agent);
    assert.match(results.join(), /Ada Lovelace/, `results: ${results}; offered: ${offered}`);
    assert.equal(offered.filter((name) => fetchTool.test(name)).length, 1, offered.join());
    assert.ok(
      offered.some((name) => /notion[-_]search$/.test(name)),
      offered.join(),
    );
  }

  test('all are connected by one command, without a sign-in at Notion of their own', async () => {
    await window.runCommand('Notion MCP: Sign In');
    await finishSignIn(window);
    notion.log.clear();
    await window.runCommand('Notion MCP: Connect an Agent');
    await window.quickInput.waitFor('Codex');
    assert.deepEqual(await window.quickInput.items(), [...names, 'Copy Configuration']);
    await window.quickInput.accept();
    await window.quickInput.choose('Connect');
    const { message } = await window.notifications.take('can use Notion');
    assert.match(message, new RegExp(`^${list} can use Notion: \\d+ tools of Engineering Wiki\\.`));
    assert.deepEqual(notion.requests({ path: '/register' }), []);
  });

  for (const { name, program, list: listing } of terminalAgents) {
    if (listing !== undefined) {
      test(`${name} lists the server as connected`, async () => {
        const { output } = await runAgent(home, models.url, program, listing);
        assert.match(output, new RegExp(`${handle}.*(connected|✓|✔)`, 'i'), output);
      });
    }
  }

  for (const agent of terminalAgents) {
    test(`${agent.name} offers the tools to its model, and calls one`, () => assertFetched(agent));
  }

  test('all call tools after a renewal', async () => {
    const { sessionChanges } = await consumer.history();
    await window.runCommand('Notion MCP: Refresh Session');
    await consumer.waitForSessionChangesBeyond(sessionChanges);
    for (const agent of terminalAgents) {
      await assertFetched(agent);
    }
  });

  test('while no window is open, all offer the tools, and a call says what to do', async () => {
    await window.close();
    for (const agent of terminalAgents) {
      const { offered, results } = await askWhoIsSignedIn(agent);
      assert.ok(
        offered.some((name) => fetchTool.test(name)),
        offered.join(),
      );
      assert.match(results.join(), /[Oo]pen/, agent.name);
      assert.doesNotMatch(results.join(), /Ada Lovelace/);
    }
    ({ window } = await openWindow());
    for (const agent of terminalAgents) {
      await assertFetched(agent);
    }
  });

  test('after a sign-out and a sign-in of the same workspace, all call tools again', async () => {
    await window.runCommand('Notion MCP: Sign Out');
    await window.dialog.click('Sign Out');
    await window.notifications.take('Signed out of');
    await window.runCommand('Notion MCP: Sign In');
    await finishSignIn(window);
    for (const agent of terminalAgents) {
      await assertFetched(agent);
    }
  });

  test('after disconnecting, no agent offers tools, and no configuration has the server', async () => {
    for (const { name } of terminalAgents) {
      await window.runCommand('Notion MCP: Disconnect an Agent');
      await window.quickInput.choose(name);
      await window.dialog.click('Disconnect');
      await window.notifications.take(`Disconnected ${name}`);
    }
    for (const agent of terminalAgents) {
      const { offered } = await askWhoIsSignedIn(agent);
      assert.deepEqual(
        offered.filter((name) => /notion/.test(name)),
        [],
        agent.name,
      );
    }
    for (const [path, text] of Object.entries(configurations(models.url))) {
      // Byte by byte, although Gemini CLI and opencode have run meanwhile.
      assert.equal(await readConfiguration(home, path), text, path);
    }
    assert.doesNotMatch((await readConfiguration(home, '.claude.json')) ?? '', new RegExp(handle));
  });
});
