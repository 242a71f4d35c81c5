import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { waitInFolder } from '../e2e/driver/waitInFolder.ts';
import { type Agent, type AgentChat, agents } from './agentChat.ts';
import { endProcesses } from './agentHome.ts';
import { signIn, signOut, useAgentTestbed } from './agentHosts.ts';
import { assertNoAgentLeaks } from './agentLeaks.ts';
import type { Turn } from './modelApis.ts';

/** The agents of terminals whose configuration those of the editor may read too, with its path in the home. */
const configurations: Record<Agent, { agentOfUser: string; path: string }> = {
  claude: { agentOfUser: 'Claude Code', path: '.claude.json' },
  codex: { agentOfUser: 'Codex', path: '.codex/config.toml' },
  copilotcli: { agentOfUser: 'Copilot CLI', path: '.copilot/mcp-config.json' },
};

/** Codex offers names with underscores in place of dashes. */
const fetchTool = /notion[-_]fetch$/;
const self = { tool: fetchTool, input: { id: 'self' } };

const maxTries = 5;

/** Sends a prompt again until so many of the offered tools fetch, because agents learn of an account some time later. */
async function sendUntilOffered(chat: AgentChat, count: number): Promise<Turn> {
  for (let tries = 1; ; tries += 1) {
    const turn = await chat.send(self);
    if (tries === maxTries || turn.offered.filter((name) => fetchTool.test(name)).length === count) {
      return turn;
    }
  }
}

async function contains(file: string, text: string): Promise<true | undefined> {
  const content = await readFile(file, 'utf8').catch(() => '');
  return content.includes(text) || undefined;
}

function assertFetched({ offered, results }: Turn): void {
  assert.match(results.join(), /Ada Lovelace/, `results: ${results}; offered: ${offered}`);
}

/** The tests that pass with each of the agents. */
export function testHarness(agent: Agent): void {
  const title = agents[agent];
  describe(`Notion’s tools in a chat with ${title}`, { timeout: 600_000 }, async () => {
    const testbed = await useAgentTestbed();
    const { notion, editor, window, consumer, chat, home } = testbed;
    await signIn(testbed);

    test(`${title} offers the tools of a new account to its model, and calls one without another sign-in`, async () => {
      notion.log.clear();
      await chat.open(agent);
      const { offered, results } = await sendUntilOffered(chat, 1);
      assert.ok(
        offered.some((name) => /notion[-_]search$/.test(name)),
        offered.join(),
      );
      assert.match(results.join(), /Ada Lovelace/);
      assert.deepEqual(notion.requests({ path: '/register' }), []);
    });

    test(`an account that is also in the user’s own configuration of ${title} is offered once`, async () => {
      const { agentOfUser, path } = configurations[agent];
      const file = join(home.directory, path);
      await mkdir(dirname(file), { recursive: true });
      await window.runCommand('Notion MCP: Connect an Agent');
      await window.quickInput.waitFor(agentOfUser);
      const found = (await window.quickInput.items()).slice(0, -1);
      await window.quickInput.accept();
      await window.quickInput.choose('Connect');
      assert.ok(await waitInFolder(dirname(file), () => contains(file, 'notion-mcp-bridge')));
      await chat.open(agent);
      const { offered, results } = await sendUntilOffered(chat, 1);
      assert.equal(offered.filter((name) => fetchTool.test(name)).length, 1, offered.join());
      assert.match(results.join(), /Ada Lovelace/);
      for (const name of found) {
        await window.runCommand('Notion MCP: Disconnect an Agent');
        await window.quickInput.choose(name);
        await window.dialog.click('Disconnect');
      }
      assert.ok(
        await waitInFolder(dirname(file), async () => !(await contains(file, 'notion-mcp-bridge')) || undefined),
      );
    });

    test(`a session with ${title} goes on to call tools after a renewal`, async () => {
      const { sessionChanges } = await consumer.history();
      await window.runCommand('Notion MCP: Refresh Session');
      await consumer.waitForSessionChangesBeyond(sessionChanges);
      assertFetched(await chat.send(self));
    });

    test(`a session with ${title} goes on to call tools after the server has dropped all access tokens`, async () => {
      await notion.expireAccessTokens();
      assertFetched(await chat.send(self));
    });

    test(`${title} calls tools in a session that is opened as soon as the window has been reloaded`, async () => {
      await window.reload();
      await consumer.waitForRestart();
      await chat.open(agent);
      assertFetched(await chat.send(self));
    });

    test(`${title} calls tools in a session that is opened as soon as the editor has been restarted`, async () => {
      const agentHosts = (await home.processes()).filter(({ commandLine }) => commandLine.includes('--type=agentHost'));
      await editor.restartServer();
      // They outlive this server, but not a desktop editor.
      endProcesses(agentHosts);
      await window.reload();
      await consumer.waitForRestart();
      await chat.open(agent);
      assertFetched(await chat.send(self));
    });

    test(`a second account adds its tools to a session with ${title}, and each tool uses its own account`, async () => {
      await signIn(testbed, { user: 'Ada Lovelace', workspace: 'Team Notes' });
      const { offered, results } = await sendUntilOffered(chat, 2);
      assert.equal(offered.filter((name) => fetchTool.test(name)).length, 2, offered.join());
      assert.deepEqual(results.map((text) => /Engineering Wiki|Team Notes/.exec(text)?.[0]).sort(), [
        'Engineering Wiki',
        'Team Notes',
      ]);
    });

    test(`a sign-out removes the tools of its account from a session with ${title}, and no other tools`, async () => {
      await signOut(testbed, 'Ada Lovelace (Engineering Wiki)');
      const { offered, results } = await sendUntilOffered(chat, 1);
      assert.equal(offered.filter((name) => fetchTool.test(name)).length, 1, offered.join());
      assert.match(results.join(), /Team Notes/);
    });

    test(`no secret is in a file of the editor or of ${title}, or in a command line or environment`, async () => {
      await assertNoAgentLeaks(editor, home);
    });

    test(`after the last sign-out, ${title} offers no tools of Notion in a session that had some`, async () => {
      await signOut(testbed);
      const { offered } = await sendUntilOffered(chat, 0);
      assert.deepEqual(
        offered.filter((name) => name.includes('notion')),
        [],
      );
    });
  });
}
