import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { settledMinutes } from '../consumer.ts';
import { allow, allowAndCopyAddress } from '../signIn.ts';
import type { Testbed } from '../testbed.ts';
import { windowSize } from './scene.ts';
import type { Texts } from './texts.ts';

/** What a picture shows: the elements in `frame`, or the whole window or page without it. */
export interface Shown {
  frame?: readonly Locator[];
  page?: Page;
  /** Makes it a frame of the animated picture `sign-in`, too, which is shown for this long. */
  animationMs?: number;
}

/** Takes a picture. */
export type Capture = (name: string, shown?: Shown) => Promise<void>;

/** An editor whose screens are captured, and its texts in its language. */
export interface Scene extends Testbed {
  say: Texts;
  capture: Capture;
}

/** Shows screens of the extension, captures each one, and closes them again. */
export type Step = (scene: Scene) => Promise<void>;

export const ada = 'Ada Lovelace (Engineering Wiki)';
export const grace = 'Grace Hopper (Team Notes)';

const wrongAddress =
  'This is not the expected address. Allow access in the browser, then copy the address of the error page that appears: it begins with http://127.0.0.1 and contains “code” and “state”.';
const earlierPage =
  'This is not the page on which the sign-in ends. Allow access in the browser, and wait until it has gone on to an address that begins with http://127.0.0.1. If it does not go on, choose “Open it again” in the notification, or use another browser.';

/** How long a sign-in waits for the browser. */
export const signInLimitMs = 5 * 60_000;

/** As long as the package names no address for issues. */
export const diagnosticsCopied =
  'Diagnostics copied. They contain no secrets or names. Send them to the publisher of this extension.';

/** What users see. Each step continues from the state that the previous steps left. */
export const steps: Record<string, Step> = {
  'a first sign-in': firstSignIn,
  'a second account by pasting the address': pasting,
  'a sign-in through loopback': loopback,
  'MCP servers in chat': servers,
  'a connection test': testConnection,
  'a sign-in that Notion ended': endedSignIn,
  'the actions of an account': oneAccount,
  'connecting an agent': connectAgent,
  'diagnostics and log': diagnosticsAndLog,
  'the walkthrough': walkthrough,
};

async function firstSignIn(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  // By this folder, Codex is found.
  await mkdir(dirname(codexConfiguration(scene)), { recursive: true });
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.waitFor(say('Sign in to a workspace…'));
  await capture('manage-no-accounts', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
  await window.page.keyboard.press('F1');
  await window.quickInput.type('>Notion MCP: Sign In');
  await window.quickInput.waitFor('Notion MCP: Sign In');
  await capture('commands', { animationMs: 1_800 });
  await window.quickInput.choose('Notion MCP: Sign In');
  await confirmServer(scene);
  const tab = await window.nextTab();
  await window.notifications.waitFor(waiting(scene));
  await capture('waiting', { frame: [toast(scene, waiting(scene))], animationMs: 1_800 });
  await tab.getByLabel('Ada Lovelace', { exact: true }).check();
  await capture('consent-page', { page: tab, animationMs: 2_200 });
  await allow(tab);
  await tab.getByText(/close this (tab|page|window)/i).waitFor();
  await capture('return-page', { page: tab, animationMs: 1_400 });
  await tab.close();
  const signedIn = say('Signed in as {0}.', ada);
  await window.notifications.waitFor(signedIn);
  await window.notifications.waitForNone(say('Finishing the sign-in…'));
  await capture('signed-in', { frame: [toast(scene, signedIn)], animationMs: 2_000 });
  await window.accounts.open();
  const menu = window.page.locator('.monaco-menu').first();
  const icon = window.page.locator('.activitybar .action-item[aria-label^="Accounts"]');
  await capture('accounts-menu', { frame: [menu, icon], animationMs: 3_000 });
  await window.accounts.close();
  await window.notifications.dismiss(signedIn);
}

async function pasting(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  await beginSignIn(scene);
  await window.notifications.click(waiting(scene), say('Try another way'));
  const tab = await window.nextTab();
  await window.page.bringToFront();
  await window.quickInput.title();
  await capture('paste', { frame: [quickInput(scene)] });
  for (const [name, pasted, text] of [
    ['paste-wrong', 'Engineering Wiki', wrongAddress],
    ['paste-too-early', 'https://www.notion.so/callback', earlierPage],
  ] as const) {
    await window.quickInput.type(pasted);
    await window.quickInput.accept();
    await quickInput(scene).getByText(say(text)).waitFor();
    await capture(name, { frame: [quickInput(scene)] });
  }
  const address = await allowAndCopyAddress(tab, { user: 'Grace Hopper', workspace: 'Team Notes' });
  await tab.close();
  await window.quickInput.type(address);
  await window.quickInput.accept();
  await window.notifications.take(say('Signed in as {0}.', grace));
}

async function loopback(scene: Scene): Promise<void> {
  const { window, consumer, say, capture } = scene;
  // Only the loopback channel ends on a page of this extension.
  await consumer.changeSetting('notionMcp.signInChannel', 'loopback');
  const tab = await beginSignIn(scene);
  await allow(tab, { user: 'Grace Hopper', workspace: 'Team Notes' });
  await tab.getByText(say('Access allowed')).waitFor();
  await capture('completion-page', { page: tab });
  await tab.close();
  await window.notifications.take(say('Signed in as {0}.', grace));
}

async function servers(scene: Scene): Promise<void> {
  const { window, consumer, capture } = scene;
  await window.runCommand('MCP: List Servers');
  await window.quickInput.choose('notion-engineering-wiki');
  await window.quickInput.choose('Start Server');
  await consumer.waitForTool('notion-fetch');
  // The editor has opened the log of the server that was just started.
  await consumer.command('workbench.action.closePanel');
  await window.runCommand('MCP: List Servers');
  await window.quickInput.waitFor('notion-team-notes');
  await capture('servers', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
}

async function testConnection(scene: Scene): Promise<void> {
  const { window, consumer, say, capture } = scene;
  await window.runCommand('Notion MCP: Test Connection');
  await window.quickInput.waitFor(ada);
  await capture('choose-account', { frame: [quickInput(scene)] });
  await window.quickInput.choose(ada);
  const connected = beginning(say('{0} is connected and has {1} tools.', ada));
  await window.notifications.waitFor(connected);
  await window.notifications.waitForNone(say('Testing {0}…', ada));
  await capture('test-note', { frame: [toast(scene, connected)] });
  await window.notifications.click(connected, say('Show Details'));
  const line = (text: string): Locator =>
    window.page.locator('.editor-instance .view-line > span').filter({ hasText: text });
  await line('notion-search').waitFor();
  await capture('test-connection', { frame: [line(say('Notion connection of {0}', ada)), line('notion-search')] });
  await consumer.command('workbench.action.closeActiveEditor');
}

async function endedSignIn(scene: Scene): Promise<void> {
  const { window, notion, consumer, say, capture } = scene;
  await consumer.advanceClock(settledMinutes);
  await notion.revokeGrants({ user: 'user-grace' });
  await window.runCommand('Notion MCP: Refresh Session');
  await window.quickInput.choose(grace);
  const ended = say('Notion ended the sign-in of {0}. Sign in again.', grace);
  await window.notifications.waitFor(ended);
  await window.notifications.waitForNone(say('Refreshing {0}…', grace));
  await capture('needs-sign-in', { frame: [statusBarItem(scene), toast(scene, ended)] });
  await window.notifications.dismiss(ended);
  await statusBarItem(scene).click();
  await window.quickInput.waitFor(grace);
  await capture('manage-accounts', { frame: [quickInput(scene)] });
  await window.quickInput.choose(grace);
  await window.quickInput.waitFor(say('Reconnect'));
  await capture('manage-ended', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
}

async function oneAccount(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.choose(ada);
  await window.quickInput.waitFor(say('Refresh session'));
  await capture('manage-one', { frame: [quickInput(scene)] });
  await window.quickInput.choose(say('Sign out'));
  await window.dialog.waitFor(ada);
  await capture('sign-out', { frame: [window.page.locator('.monaco-dialog-box')] });
  await window.dialog.click('Cancel');
}

async function connectAgent(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  await window.runCommand(`Notion MCP: ${say('Connect an Agent')}`);
  await window.quickInput.waitFor('Codex');
  await capture('agents', { frame: [quickInput(scene)] });
  await window.quickInput.accept();
  await window.quickInput.choose(ada);
  await window.quickInput.waitFor(say('Connect'));
  const lastLine = window.page.locator('.monaco-diff-editor .view-line > span').filter({ hasText: '--agent' });
  const title = window.page.locator('.tab.active');
  await capture('agent-preview', { frame: [title, quickInput(scene), lastLine] });
  await window.quickInput.choose(say('Connect'));
  const note = beginning(say('{0} can use Notion: {1} tools of {2}. Restart {3} to see them.', 'Codex'));
  await captureNote(scene, 'agent-connected', note);
}

async function diagnosticsAndLog(scene: Scene): Promise<void> {
  const { window, consumer, say, capture } = scene;
  await window.runCommand('Notion MCP: Copy Diagnostics');
  const copied = say(diagnosticsCopied);
  await window.notifications.waitFor(copied);
  await window.notifications.waitForNone(say('Collecting diagnostics…'));
  await captureNote(scene, 'diagnostics', copied);
  await window.runCommand('Notion MCP: Show Log');
  const log = window.page.locator('.part.panel');
  await log.locator('.view-lines').getByText('The connection was tested').waitFor();
  await capture('log', { frame: [log] });
  await consumer.command('workbench.action.closePanel');
}

async function walkthrough(scene: Scene): Promise<void> {
  await openWalkthrough(scene);
  // Waits until the picture itself has loaded, which proves that the VSIX contains it.
  await scene.window.page.waitForFunction(
    () => (document.querySelector<HTMLImageElement>('.getting-started-media img')?.naturalWidth ?? 0) > 0,
  );
  await scene.capture('walkthrough');
  await closeWalkthrough(scene);
}

/** Widens the window first, because the walkthrough hides its pictures in a narrow one. */
export async function openWalkthrough({ window, say }: Scene): Promise<void> {
  await window.page.setViewportSize({ width: 1280, height: 800 });
  await window.runCommand('Welcome: Open Walkthrough...');
  await window.quickInput.choose(say('Notion in your editor'));
}

export async function closeWalkthrough({ window, consumer }: Testbed): Promise<void> {
  await consumer.command('workbench.action.closeActiveEditor');
  await window.page.setViewportSize(windowSize);
}

/** Starts a sign-in with the command, and resolves to the consent page. */
export async function beginSignIn(scene: Scene): Promise<Page> {
  await scene.window.runCommand('Notion MCP: Sign In');
  await confirmServer(scene);
  return scene.window.nextTab();
}

/** Users of Notion's own server see no such question. */
async function confirmServer(scene: Scene): Promise<void> {
  const { window, say, capture } = scene;
  await window.dialog.waitFor(say('Sign in at {0}?', host(scene)));
  await capture('hosts-question', { frame: [window.page.locator('.monaco-dialog-box')] });
  await window.dialog.click(say('Continue'));
}

/** The text of the notification that waits for the browser. */
function waiting(scene: Scene): string {
  return scene.say('Allow access at {0} in your browser…', host(scene));
}

export function host({ notion }: Testbed): string {
  return new URL(notion.mcpUrl).host;
}

/** The file in which Codex keeps its MCP servers. */
export function codexConfiguration({ editor }: Testbed): string {
  return join(editor.directory, 'home', '.codex', 'config.toml');
}

export function quickInput({ window }: Testbed): Locator {
  return window.page.locator('.quick-input-widget');
}

export function toast({ window }: Testbed, text: string): Locator {
  return window.page.locator('.notification-toast').filter({ hasText: text });
}

/** Waits for a note with this text, captures and closes it. */
export async function captureNote(scene: Scene, name: string, text: string): Promise<void> {
  await scene.window.notifications.waitFor(text);
  await scene.capture(name, { frame: [toast(scene, text)] });
  await scene.window.notifications.dismiss(text);
}

/** The part of a sentence before what is not known. */
export function beginning(sentence: string): string {
  return sentence.split('{')[0] ?? '';
}

function statusBarItem({ window, say }: Scene): Locator {
  return window.page.locator('.statusbar-item').filter({ hasText: say('Notion: sign in') });
}
