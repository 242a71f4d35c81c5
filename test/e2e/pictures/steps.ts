import type { Locator, Page } from 'playwright-core';
import { settledMinutes } from '../consumer.ts';
import { allow, allowAndCopyAddress, beginSignIn } from '../signIn.ts';
import type { Testbed } from '../testbed.ts';
import { windowSize } from './scene.ts';

/** Takes a picture of the elements in `frame`, or of the whole window or page without it. */
export type Capture = (name: string, shown?: { frame?: readonly Locator[]; page?: Page }) => Promise<void>;

/** Shows screens of the extension, captures each one, and closes them again. */
export type Step = (testbed: Testbed, capture: Capture) => Promise<void>;

const ada = 'Ada Lovelace (Engineering Wiki)';
const grace = 'Grace Hopper (Team Notes)';

/** What users see. Each step continues from the state that the previous steps left. */
export const steps: Record<string, Step> = {
  'a first sign-in by pasting the address': firstSignIn,
  'a second account through loopback': secondAccount,
  'MCP servers in chat': servers,
  'a connection test': testConnection,
  'a sign-in that Notion ended': endedSignIn,
  'the actions of an account': oneAccount,
  'diagnostics and log': diagnosticsAndLog,
  'the walkthrough': walkthrough,
};

/** The editor's rendering of our texts, for review only: on a busy machine web views load too slowly for a test. */
export const stepsForReview: Record<string, Step> = {
  'the texts of the walkthrough': walkthroughTexts,
  'the settings': settings,
  'the extension’s page': extensionPage,
};

async function firstSignIn(testbed: Testbed, capture: Capture): Promise<void> {
  const { window } = testbed;
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.waitFor('Sign in to a workspace…');
  await capture('manage-no-accounts', { frame: [quickInput(testbed)] });
  await window.quickInput.choose('Sign in to a workspace…');
  await window.dialog.waitFor('Sign in at');
  await capture('hosts-question', { frame: [window.page.locator('.monaco-dialog-box')] });
  await window.dialog.click('Continue');
  await (await window.nextTab()).close();
  await window.notifications.waitFor('in your browser');
  await capture('waiting', { frame: [toast(testbed, 'in your browser')] });
  await window.notifications.click('in your browser', 'Try another way');
  const tab = await window.nextTab();
  await window.page.bringToFront();
  await window.quickInput.title();
  await capture('paste', { frame: [quickInput(testbed)] });
  await window.quickInput.type('https://www.notion.so');
  await window.quickInput.accept();
  await quickInput(testbed).getByText('This is not the expected address').waitFor();
  await capture('paste-wrong', { frame: [quickInput(testbed)] });
  const address = await allowAndCopyAddress(tab);
  await tab.close();
  await window.quickInput.type(address);
  await window.quickInput.accept();
  await window.notifications.waitFor('Signed in as Ada Lovelace');
  await window.notifications.waitForNone('Finishing');
  await window.accounts.open();
  const menu = window.page.locator('.monaco-menu').first();
  const icon = window.page.locator('.activitybar .action-item[aria-label^="Accounts"]');
  await capture('accounts-menu', { frame: [menu, icon] });
  await capture('accounts', { frame: [menu, icon, toast(testbed, 'Signed in as')] });
  await window.accounts.close();
  await window.notifications.dismiss('Signed in as');
}

async function secondAccount(testbed: Testbed, capture: Capture): Promise<void> {
  const { window, consumer } = testbed;
  // Only the loopback channel ends on a page of this extension.
  await consumer.changeSetting('notionMcp.signInChannel', 'loopback');
  const tab = await beginSignIn(window);
  await allow(tab, { user: 'Grace Hopper', workspace: 'Team Notes' });
  await tab.getByText('Access allowed').waitFor();
  await capture('completion-page', { page: tab });
  await tab.close();
  await window.notifications.waitFor('Signed in as Grace Hopper');
  await capture('connected', { frame: [toast(testbed, 'Signed in as')] });
  await window.notifications.dismiss('Signed in as');
}

async function servers(testbed: Testbed, capture: Capture): Promise<void> {
  const { window, consumer } = testbed;
  await window.runCommand('MCP: List Servers');
  await window.quickInput.choose('notion-engineering-wiki');
  await window.quickInput.choose('Start Server');
  await consumer.waitForTool('notion-fetch');
  // The editor has opened the log of the server that was just started.
  await consumer.command('workbench.action.closePanel');
  await window.runCommand('MCP: List Servers');
  await window.quickInput.waitFor('notion-team-notes');
  await capture('servers', { frame: [quickInput(testbed)] });
  await window.quickInput.cancel();
}

async function testConnection(testbed: Testbed, capture: Capture): Promise<void> {
  const { window, consumer } = testbed;
  await window.runCommand('Notion MCP: Test Connection');
  await window.quickInput.waitFor(ada);
  await capture('choose-account', { frame: [quickInput(testbed)] });
  await window.quickInput.choose(ada);
  await window.notifications.waitFor('is connected and has');
  await window.notifications.waitForNone('Testing');
  await capture('test-note', { frame: [toast(testbed, 'is connected')] });
  await window.notifications.click('is connected and has', 'Show Details');
  const line = (text: string): Locator =>
    window.page.locator('.editor-instance .view-line > span').filter({ hasText: text });
  await line('notion-search').waitFor();
  await capture('test-connection', { frame: [line('Notion connection of'), line('notion-search')] });
  await consumer.command('workbench.action.closeActiveEditor');
}

async function endedSignIn(testbed: Testbed, capture: Capture): Promise<void> {
  const { window, notion, consumer } = testbed;
  await consumer.advanceClock(settledMinutes);
  await notion.revokeGrants({ user: 'user-grace' });
  await window.runCommand('Notion MCP: Refresh Session');
  await window.quickInput.choose(grace);
  await window.notifications.waitFor(`Notion ended the sign-in of ${grace}`);
  await window.notifications.waitForNone('Refreshing');
  await capture('needs-sign-in', { frame: [statusBarItem(testbed), toast(testbed, 'Notion ended')] });
  await window.notifications.dismiss('Notion ended');
  await statusBarItem(testbed).click();
  await window.quickInput.waitFor(grace);
  await capture('manage-accounts', { frame: [quickInput(testbed)] });
  await window.quickInput.choose(grace);
  await window.quickInput.waitFor('Reconnect');
  await capture('manage-ended', { frame: [quickInput(testbed)] });
  await window.quickInput.cancel();
}

async function oneAccount(testbed: Testbed, capture: Capture): Promise<void> {
  const { window } = testbed;
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.choose(ada);
  await window.quickInput.waitFor('Refresh session');
  await capture('manage-one', { frame: [quickInput(testbed)] });
  await window.quickInput.choose('Sign out');
  await window.dialog.waitFor(ada);
  await capture('sign-out', { frame: [window.page.locator('.monaco-dialog-box')] });
  await window.dialog.click('Cancel');
}

async function diagnosticsAndLog(testbed: Testbed, capture: Capture): Promise<void> {
  const { window, consumer } = testbed;
  await window.runCommand('Notion MCP: Copy Diagnostics');
  await window.notifications.waitFor('Diagnostics copied');
  await window.notifications.waitForNone('Collecting');
  await capture('diagnostics', { frame: [toast(testbed, 'Diagnostics copied')] });
  await window.notifications.dismiss('Diagnostics copied');
  await window.runCommand('Notion MCP: Show Log');
  const log = window.page.locator('.part.panel');
  await log.locator('.view-lines').getByText('The connection was tested').waitFor();
  await capture('log', { frame: [log] });
  await consumer.command('workbench.action.closePanel');
}

async function walkthrough(testbed: Testbed, capture: Capture): Promise<void> {
  await openWalkthrough(testbed);
  await capture('walkthrough');
  await closeWalkthrough(testbed);
}

async function walkthroughTexts(testbed: Testbed, capture: Capture): Promise<void> {
  const { window } = testbed;
  await openWalkthrough(testbed);
  await window.page.getByText('Use Notion in chat').click();
  await waitForWebviewText(testbed, 'Ask in chat');
  await capture('walkthrough-chat');
  await window.page.getByText('Use Notion from your extension').click();
  await waitForWebviewText(testbed, 'The editor asks the user once');
  await capture('walkthrough-extension');
  await closeWalkthrough(testbed);
}

/** Widens the window first, because the walkthrough hides its pictures in a narrow one. */
async function openWalkthrough({ window }: Testbed): Promise<void> {
  await window.page.setViewportSize({ width: 1280, height: 800 });
  await window.runCommand('Welcome: Open Walkthrough...');
  await window.quickInput.choose('Notion in your editor');
  // Waits until the picture itself has loaded, which proves that the VSIX contains it.
  await window.page.waitForFunction(
    () => (document.querySelector<HTMLImageElement>('.getting-started-media img')?.naturalWidth ?? 0) > 0,
  );
}

async function closeWalkthrough({ window, consumer }: Testbed): Promise<void> {
  await consumer.command('workbench.action.closeActiveEditor');
  await window.page.setViewportSize(windowSize);
}

async function settings(testbed: Testbed, capture: Capture): Promise<void> {
  const { window, consumer } = testbed;
  await window.runCommand('Preferences: Open Settings (UI)');
  await window.page.locator('.settings-editor .suggest-input-container').click();
  await window.page.keyboard.type('@ext:seedling.notion-mcp-auth');
  await window.page.locator('.settings-editor .setting-item').filter({ hasText: 'Server Url' }).first().waitFor();
  await capture('settings');
  await consumer.command('workbench.action.closeActiveEditor');
}

async function extensionPage(testbed: Testbed, capture: Capture): Promise<void> {
  const { window, consumer } = testbed;
  await window.runCommand('Extensions: Show Installed Extensions');
  await window.page.locator('.extension-list-item').filter({ hasText: 'Notion MCP Authentication' }).click();
  await waitForWebviewText(testbed, 'Sign in to Notion once');
  await capture('extension-page');
  await consumer.command('workbench.action.closeActiveEditor');
}

async function waitForWebviewText({ window }: Testbed, text: string): Promise<void> {
  const webview = window.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
  await webview.getByText(text).first().waitFor();
}

function quickInput({ window }: Testbed): Locator {
  return window.page.locator('.quick-input-widget');
}

function statusBarItem({ window }: Testbed): Locator {
  return window.page.locator('.statusbar-item').filter({ hasText: 'Notion: sign in again' });
}

function toast({ window }: Testbed, text: string): Locator {
  return window.page.locator('.notification-toast').filter({ hasText: text });
}
