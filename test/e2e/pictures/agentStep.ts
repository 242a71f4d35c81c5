import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BridgeProcess } from '../../unit/agents/bridge/bridgeProcess.ts';
import { ada, beginning, captureNote, codexConfiguration, quickInput, type Scene, toast } from './steps.ts';

const workspace = 'Engineering Wiki';

/** Lets another agent ask, disconnects the one that is connected, and meets what can hinder a connection. */
export async function agents(scene: Scene): Promise<void> {
  await ask(scene);
  await disconnect(scene);
  await connectWithTrouble(scene);
}

/** Another agent that was given the same program asks the user at its first call. */
async function ask(scene: Scene): Promise<void> {
  const { editor, window, say, capture } = scene;
  const storage = join(editor.directory, 'data/User/globalStorage/seedling.notion-mcp-auth');
  const cleanups: (() => Promise<void>)[] = [];
  const t = { after: (cleanup: () => Promise<void>) => void cleanups.push(cleanup) };
  const agent = BridgeProcess.launch(t, join(storage, 'agents/notion-mcp-bridge'), 'gemini');
  try {
    await agent.request({ id: 'open', method: 'initialize', params: { protocolVersion: '2025-11-25' } });
    agent.send({ method: 'notifications/initialized' });
    await agent.request({
      id: 'call',
      method: 'tools/call',
      params: { name: 'notion-fetch', arguments: { id: 'self' } },
    });
    const question = beginning(
      say('{0} wants to use the Notion account {1} through {2}. Allow it?', 'Gemini CLI', ada),
    );
    await window.notifications.waitFor(question);
    await capture('agent-asks', { frame: [toast(scene, question)] });
    await window.notifications.click(question, say('Don’t Allow'));
    await window.notifications.waitForNone(question);
  } finally {
    await Promise.all(cleanups.map((cleanUp) => cleanUp()));
  }
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.choose(ada);
  await window.quickInput.waitFor(say('Sign out'));
  await capture('manage-agents', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
}

async function disconnect(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  await window.runCommand(`Notion MCP: ${say('Disconnect an Agent')}`);
  await window.quickInput.choose('Codex');
  await window.dialog.waitFor(say('Disconnect {0} from {1}?', 'Codex', workspace));
  await capture('agent-disconnect', { frame: [window.page.locator('.monaco-dialog-box')] });
  await window.dialog.click(say('Disconnect'));
  await captureNote(scene, 'agent-disconnected', say('Disconnected {0} from {1}.', 'Codex', workspace));
  await window.runCommand(`Notion MCP: ${say('Disconnect an Agent')}`);
  await captureNote(scene, 'no-agent-connected', say('No agent is connected.'));
}

/** Codex has a server of Notion's already, and its configuration cannot be changed. */
async function connectWithTrouble(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  const path = codexConfiguration(scene);
  await writeFile(path, '[mcp_servers.notion]\nurl = "https://mcp.notion.com/mcp"\n');
  await chmod(path, 0o444);
  await window.runCommand(`Notion MCP: ${say('Connect an Agent')}`);
  await window.quickInput.waitFor('Codex');
  await window.quickInput.accept();
  await window.quickInput.waitFor(say('Replace {0}', 'notion'));
  await capture('agent-replace', { frame: [quickInput(scene)] });
  await window.quickInput.choose(say('Replace {0}', 'notion'));
  await window.quickInput.waitFor(say('Connect'));
  await window.page.locator('.monaco-diff-editor').getByText('mcp.notion.com').first().waitFor();
  await capture('agent-replace-preview');
  await window.quickInput.choose(say('Connect'));
  const readOnly = say('{1} is read-only, so {0} was not changed. Make it writable and try again.', 'Codex', path);
  await window.notifications.waitFor(readOnly);
  await capture('agent-read-only', { frame: [toast(scene, readOnly)] });
  await window.notifications.click(readOnly, say('Copy Configuration'));
  const copied = 'Configuration copied. Paste it where the agent keeps its MCP servers; it contains no secrets.';
  await captureNote(scene, 'configuration-copied', say(copied));
}
