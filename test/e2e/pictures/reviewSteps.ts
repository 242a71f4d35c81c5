import { deny } from '../signIn.ts';
import { agents } from './agentStep.ts';
import {
  ada,
  beginSignIn,
  captureNote,
  closeWalkthrough,
  diagnosticsCopied,
  grace,
  openWalkthrough,
  quickInput,
  type Scene,
  type Step,
} from './steps.ts';

/**
 * The other screens, for review only: the editor's rendering of our texts, for whose web views a busy machine is too
 * slow in a test, and what fails. They continue from the state that `steps` left.
 */
export const reviewSteps: Record<string, Step> = {
  'notes of success': notes,
  'agents beside the editor': agents,
  'a denied sign-in': denied,
  'failures of the server': failures,
  'tools in chat': toolPicker,
  'the document of diagnostics': diagnosticsDocument,
  'another server in the settings': otherServer,
  'the texts of the walkthrough': walkthroughTexts,
  'the settings': settings,
  'the extension’s page': extensionPage,
};

async function notes(scene: Scene): Promise<void> {
  const { window, consumer, say } = scene;
  await consumer.changeSetting('notionMcp.signInChannel', undefined);
  await window.runCommand('Notion MCP: Refresh Session');
  await window.quickInput.choose(ada);
  await captureNote(scene, 'refreshed', say('Refreshed {0}.', ada));
  await window.runCommand('Notion MCP: Sign Out');
  await window.quickInput.waitFor(grace);
  await scene.capture('choose-sign-out', { frame: [quickInput(scene)] });
  await window.quickInput.choose(grace);
  await window.dialog.click(say('Sign Out'));
  await captureNote(scene, 'signed-out', say('Signed out of {0}.', grace));
}

async function denied(scene: Scene): Promise<void> {
  const { window, consumer, say, capture } = scene;
  await consumer.changeSetting('notionMcp.signInChannel', 'loopback');
  const tab = await beginSignIn(scene);
  await deny(tab);
  await tab.getByText(say('Access was not allowed')).waitFor();
  await capture('denied-page', { page: tab });
  await tab.close();
  await captureNote(scene, 'denied', say('You denied access in the browser. Nothing changed. Try again to allow it.'));
  await consumer.changeSetting('notionMcp.signInChannel', undefined);
  await window.page.bringToFront();
}

async function failures(scene: Scene): Promise<void> {
  const { window, notion, say } = scene;
  const host = new URL(notion.mcpUrl).host;
  notion.fault({ path: '/mcp' }, { kind: 'respond', status: 503, body: '<html>Down</html>' });
  await window.runCommand('Notion MCP: Test Connection');
  const toasts = window.page.locator('.notification-toast .codicon-error, .notification-toast .codicon-warning');
  await toasts.first().waitFor();
  await scene.capture('test-failed');
  await scene.consumer.command('notifications.clearAll');
  notion.faults.clear();
  await notion.stopListening();
  await window.runCommand('Notion MCP: Sign In');
  const unreachable = say('{0} cannot be reached. Check your network and the server URL, and try again.', host);
  await captureNote(scene, 'unreachable', unreachable);
  await notion.listen();
}

async function toolPicker(scene: Scene): Promise<void> {
  const { window, consumer, capture } = scene;
  await window.page.setViewportSize({ width: 1280, height: 800 });
  await consumer.command('workbench.action.chat.open');
  const picking = consumer.command('workbench.action.chat.configureTools');
  await window.page
    .locator('.quick-input-widget .monaco-list-row')
    .filter({ hasText: 'Engineering Wiki' })
    .first()
    .waitFor();
  await capture('tool-picker');
  await window.quickInput.cancel();
  await picking;
  await consumer.command('workbench.action.closeAuxiliaryBar');
}

async function diagnosticsDocument(scene: Scene): Promise<void> {
  const { window, consumer, say, capture } = scene;
  await window.runCommand('Notion MCP: Copy Diagnostics');
  const copied = say(diagnosticsCopied);
  await window.notifications.click(copied, say('Show Details'));
  await window.page.locator('.editor-instance .view-line > span').first().waitFor();
  await capture('diagnostics-document');
  await consumer.command('workbench.action.closeActiveEditor');
}

async function otherServer(scene: Scene): Promise<void> {
  const { window, consumer, notion, say, capture } = scene;
  await consumer.changeSetting('notionMcp.serverUrl', 'https://mcp.example.com/mcp');
  const changed = say(
    'The Notion server URL has changed, and {0} belongs to the previous server. It is kept: change the URL back to use it again.',
    ada,
  );
  await captureNote(scene, 'server-changed', changed);
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.waitFor(ada);
  await capture('manage-other-server', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
  await consumer.changeSetting('notionMcp.serverUrl', notion.mcpUrl);
}

async function walkthroughTexts(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  const step = (title: string) => window.page.locator('.step-title').filter({ hasText: say(title) });
  await openWalkthrough(scene);
  await step('Use Notion in chat').click();
  await webview(scene).locator('img').first().waitFor();
  await capture('walkthrough-chat');
  await step('Use Notion in your agents').click();
  await webview(scene).locator('ol').waitFor();
  await capture('walkthrough-agents');
  await closeWalkthrough(scene);
}

async function settings({ window, consumer, capture }: Scene): Promise<void> {
  await window.runCommand('Preferences: Open Settings (UI)');
  await window.page.locator('.settings-editor .suggest-input-container').click();
  await window.page.keyboard.type('@ext:seedling.notion-mcp-auth');
  await window.page.locator('.settings-editor .setting-item').filter({ hasText: 'Server Url' }).first().waitFor();
  await capture('settings');
  await consumer.command('workbench.action.closeActiveEditor');
}

async function extensionPage(scene: Scene): Promise<void> {
  const { window, consumer, capture } = scene;
  await window.runCommand('Extensions: Show Installed Extensions');
  await window.page.locator('.extension-list-item').filter({ hasText: 'Notion MCP Authentication' }).click();
  await webview(scene).getByText('Sign in to Notion once').first().waitFor();
  await capture('extension-page');
  await consumer.command('workbench.action.closeActiveEditor');
  await consumer.command('workbench.action.closeSidebar');
}

function webview({ window }: Scene) {
  return window.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
}
