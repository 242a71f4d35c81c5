import type { Locator, Page } from 'playwright-core';
import { allow } from '../consentPage.ts';
import { type Scene, windowSize } from './scene.ts';

/** Where a step holds still. `frame` is what matters of the screen; without it all of the window, or of another page. */
export type See = (name: string, shown?: { frame?: readonly Locator[]; page?: Page }) => Promise<void>;

/** Brings up screens of the extension, holds still at each, and leaves nothing open. */
export type Step = (scene: Scene, see: See) => Promise<void>;

const ada = 'Ada Lovelace (Engineering Wiki)';
const grace = 'Grace Hopper (Team Notes)';

/** What people meet; each step finds what the ones before it left. */
export const steps: Record<string, Step> = {
  'a first sign-in, by pasting': firstSignIn,
  'a second account, by loopback': secondAccount,
  'what chat gets': servers,
  'a test of the connection': testConnection,
  'a sign-in that Notion ended': endedSignIn,
  'one account': oneAccount,
  'what an issue needs': diagnosticsAndLog,
  'the walkthrough': walkthrough,
};

/** What the editor makes of our texts, to be looked at: on a busy machine its web views take longer than a test waits. */
export const stepsToLookAt: Record<string, Step> = {
  'the texts of the walkthrough': walkthroughTexts,
  'the settings': settings,
  'the extension’s page': extensionPage,
};

async function firstSignIn(scene: Scene, see: See): Promise<void> {
  const { window } = scene;
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.waitFor('Sign in to a workspace…');
  await see('manage-nobody', { frame: [quickInput(scene)] });
  await window.quickInput.choose('Sign in to a workspace…');
  await window.dialog.waitFor('Sign in at');
  await see('hosts-question', { frame: [window.page.locator('.monaco-dialog-box')] });
  await window.dialog.click('Continue');
  await (await window.nextTab()).close();
  await window.notifications.waitFor('in your browser');
  await see('waiting', { frame: [toast(scene, 'in your browser')] });
  await window.notifications.click('in your browser', 'Try another way');
  const tab = await window.nextTab();
  await window.page.bringToFront();
  await window.quickInput.title();
  await see('paste', { frame: [quickInput(scene)] });
  await window.quickInput.type('https://www.notion.so');
  await window.quickInput.accept();
  await quickInput(scene).getByText('This is not that address').waitFor();
  await see('paste-wrong', { frame: [quickInput(scene)] });
  const ended = tab.waitForEvent('requestfailed');
  await allow(tab, { user: 'Ada Lovelace', workspace: 'Engineering Wiki' });
  const address = (await ended).url();
  await tab.close();
  await window.quickInput.type(address);
  await window.quickInput.accept();
  await window.notifications.waitFor('Connected as Ada Lovelace');
  await window.notifications.waitForNone('Finishing');
  await window.accounts.open();
  const menu = window.page.locator('.monaco-menu').first();
  const icon = window.page.locator('.activitybar .action-item[aria-label^="Accounts"]');
  await see('accounts-menu', { frame: [menu, icon] });
  await see('accounts', { frame: [menu, icon, toast(scene, 'Connected as')] });
  await window.accounts.close();
  await window.notifications.dismiss('Connected as');
}

async function secondAccount(scene: Scene, see: See): Promise<void> {
  const { window, consumer } = scene;
  // The one way back whose last page is ours.
  await consumer.changeSetting('notionMcp.signInChannel', 'loopback');
  await window.runCommand('Notion MCP: Sign In');
  await window.dialog.click('Continue');
  const tab = await window.nextTab();
  await allow(tab, { user: 'Grace Hopper', workspace: 'Team Notes' });
  await tab.getByText('Access allowed').waitFor();
  await see('last-page', { page: tab });
  await tab.close();
  await window.notifications.waitFor('Connected as Grace Hopper');
  await see('connected', { frame: [toast(scene, 'Connected as')] });
  await window.notifications.dismiss('Connected as');
}

async function servers(scene: Scene, see: See): Promise<void> {
  const { window, consumer } = scene;
  await window.runCommand('MCP: List Servers');
  await window.quickInput.choose('Notion – Engineering Wiki');
  await window.quickInput.choose('Start Server');
  await consumer.toolsAppear('notion-fetch');
  // The log of the server that has just started.
  await consumer.command('workbench.action.closePanel');
  await window.runCommand('MCP: List Servers');
  await window.quickInput.waitFor('Notion – Team Notes');
  await see('servers', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
}

async function testConnection(scene: Scene, see: See): Promise<void> {
  const { window, consumer } = scene;
  await window.runCommand('Notion MCP: Test Connection');
  await window.quickInput.waitFor(ada);
  await see('choose-account', { frame: [quickInput(scene)] });
  await window.quickInput.choose(ada);
  await window.notifications.waitFor('is connected and has');
  await window.notifications.waitForNone('Testing');
  await see('test-note', { frame: [toast(scene, 'is connected')] });
  await window.notifications.click('is connected and has', 'Show Details');
  const line = (text: string): Locator =>
    window.page.locator('.editor-instance .view-line > span').filter({ hasText: text });
  await line('notion-search').waitFor();
  const tab = window.page.locator('.tab').filter({ hasText: 'Notion connection' });
  await see('test-connection', { frame: [tab, line('Notion connection of'), line('notion-search')] });
  await consumer.command('workbench.action.closeActiveEditor');
}

async function endedSignIn(scene: Scene, see: See): Promise<void> {
  const { window, notion } = scene;
  await notion.revokeGrants({ user: 'user-grace' });
  await window.runCommand('Notion MCP: Refresh Session');
  await window.quickInput.choose(grace);
  await window.notifications.waitFor(`Notion ended the sign-in of ${grace}`);
  await window.notifications.waitForNone('Refreshing');
  await see('needs-sign-in', { frame: [statusBarItem(scene), toast(scene, 'Notion ended')] });
  await window.notifications.dismiss('Notion ended');
  await statusBarItem(scene).click();
  await window.quickInput.waitFor(grace);
  await see('manage-accounts', { frame: [quickInput(scene)] });
  await window.quickInput.choose(grace);
  await window.quickInput.waitFor('Reconnect');
  await see('manage-ended', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
}

async function oneAccount(scene: Scene, see: See): Promise<void> {
  const { window } = scene;
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.choose(ada);
  await window.quickInput.waitFor('Refresh session');
  await see('manage-one', { frame: [quickInput(scene)] });
  await window.quickInput.choose('Sign out');
  await window.dialog.waitFor(ada);
  await see('sign-out', { frame: [window.page.locator('.monaco-dialog-box')] });
  await window.dialog.click('Cancel');
}

async function diagnosticsAndLog(scene: Scene, see: See): Promise<void> {
  const { window, consumer } = scene;
  await window.runCommand('Notion MCP: Copy Diagnostics');
  await window.notifications.waitFor('Diagnostics copied');
  await window.notifications.waitForNone('Collecting');
  await see('diagnostics', { frame: [toast(scene, 'Diagnostics copied')] });
  await window.notifications.dismiss('Diagnostics copied');
  await window.runCommand('Notion MCP: Show Log');
  const log = window.page.locator('.part.panel');
  await log.locator('.view-lines').getByText('The connection was tested').waitFor();
  await see('log', { frame: [log] });
  await consumer.command('workbench.action.closePanel');
}

async function walkthrough(scene: Scene, see: See): Promise<void> {
  await openWalkthrough(scene);
  await see('walkthrough');
  await closeWalkthrough(scene);
}

async function walkthroughTexts(scene: Scene, see: See): Promise<void> {
  const { window } = scene;
  await openWalkthrough(scene);
  await window.page.getByText('Use Notion in chat').click();
  await shownInWebview(scene, 'Ask in chat');
  await see('walkthrough-chat');
  await window.page.getByText('Use Notion from your extension').click();
  await shownInWebview(scene, 'The editor asks the person once');
  await see('walkthrough-extension');
  await closeWalkthrough(scene);
}

/** In a narrow window it has no room for its pictures. */
async function openWalkthrough({ window }: Scene): Promise<void> {
  await window.page.setViewportSize({ width: 1280, height: 800 });
  await window.runCommand('Welcome: Open Walkthrough...');
  await window.quickInput.choose('Notion in your editor');
  // Not only the place for the picture: the picture, which the VSIX has to hold.
  await window.page.waitForFunction(
    () => (document.querySelector<HTMLImageElement>('.getting-started-media img')?.naturalWidth ?? 0) > 0,
  );
}

async function closeWalkthrough({ window, consumer }: Scene): Promise<void> {
  await consumer.command('workbench.action.closeActiveEditor');
  await window.page.setViewportSize(windowSize);
}

async function settings(scene: Scene, see: See): Promise<void> {
  const { window, consumer } = scene;
  await window.runCommand('Preferences: Open Settings (UI)');
  await window.page.locator('.settings-editor .suggest-input-container').click();
  await window.page.keyboard.type('@ext:seedling.notion-mcp-auth');
  await window.page.locator('.settings-editor .setting-item').filter({ hasText: 'Server Url' }).first().waitFor();
  await see('settings');
  await consumer.command('workbench.action.closeActiveEditor');
}

async function extensionPage(scene: Scene, see: See): Promise<void> {
  const { window, consumer } = scene;
  await window.runCommand('Extensions: Show Installed Extensions');
  await window.page.locator('.extension-list-item').filter({ hasText: 'Notion MCP Authentication' }).click();
  await shownInWebview(scene, 'Sign in to Notion once');
  await see('extension-page');
  await consumer.command('workbench.action.closeActiveEditor');
}

async function shownInWebview({ window }: Scene, text: string): Promise<void> {
  const webview = window.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
  await webview.getByText(text).first().waitFor();
}

function quickInput({ window }: Scene): Locator {
  return window.page.locator('.quick-input-widget');
}

function statusBarItem({ window }: Scene): Locator {
  return window.page.locator('.statusbar-item').filter({ hasText: 'Notion: sign in again' });
}

function toast({ window }: Scene, text: string): Locator {
  return window.page.locator('.notification-toast').filter({ hasText: text });
}
