import { join } from 'node:path';
import { BridgeProcess } from '../../unit/agents/bridge/bridgeProcess.ts';
import { ada, quickInput, type Scene, toast } from './steps.ts';

const workspace = 'Engineering Wiki';

/** Connects Codex, which has to be on this computer, and lets another agent ask. */
export async function agents(scene: Scene): Promise<void> {
  await connect(scene);
  await ask(scene);
  await disconnect(scene);
}

async function connect(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  await window.runCommand(`Notion MCP: ${say('Connect an Agent')}`);
  await window.quickInput.waitFor('Codex');
  await capture('agents', { frame: [quickInput(scene)] });
  await window.quickInput.accept();
  await window.quickInput.waitFor(say('Connect'));
  await window.page.locator('.monaco-diff-editor').getByText('notion-mcp-bridge').first().waitFor();
  await capture('agent-preview');
  await window.quickInput.choose(say('Connect'));
  const note = beginning(say('{0} can use Notion: {1} tools of {2}. Restart {3} to see them.', 'Codex'));
  await window.notifications.waitFor(note);
  await capture('agent-connected', { frame: [toast(scene, note)] });
  await window.notifications.dismiss(note);
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
  await window.dialog.click('Cancel');
}

/** The part of a sentence before what is not known. */
function beginning(sentence: string): string {
  return sentence.split('{')[0] ?? '';
}
