import type { Page } from 'playwright-core';
import type { EditorWindow } from './driver/editorWindow.ts';

/** A user and a workspace on the consent page. Without one, the functions use Ada Lovelace in Engineering Wiki. */
export interface Identity {
  user: string;
  workspace: string;
}

const ada: Identity = { user: 'Ada Lovelace', workspace: 'Engineering Wiki' };

/** Signs in with the command, and closes the notification of success. */
export async function signIn(window: EditorWindow, identity = ada): Promise<void> {
  await window.runCommand('Notion MCP: Sign In');
  await finishSignIn(window, identity);
}

/** Completes a sign-in that has been started, as `signIn` does. */
export async function finishSignIn(window: EditorWindow, identity = ada): Promise<void> {
  const tab = await confirmServer(window);
  await allow(tab, identity);
  await window.notifications.take(`Signed in as ${identity.user} (${identity.workspace})`);
  await tab.close();
}

/** Starts a sign-in with the command, and resolves to the consent page. */
export async function beginSignIn(window: EditorWindow): Promise<Page> {
  await window.runCommand('Notion MCP: Sign In');
  return confirmServer(window);
}

/** Confirms the server of a sign-in that has been started, and resolves to the consent page. */
export async function confirmServer(window: EditorWindow): Promise<Page> {
  await window.dialog.waitFor('Sign in at');
  await window.dialog.click('Continue');
  return window.nextTab();
}

/** Chooses the user and the workspace on the consent page, and allows access. */
export async function allow(tab: Page, { user, workspace } = ada): Promise<void> {
  await tab.getByLabel(user, { exact: true }).check();
  await tab.getByLabel(workspace, { exact: true }).check();
  await tab.getByRole('button', { name: 'Allow' }).click();
}

/** Denies access on the consent page. */
export async function deny(tab: Page): Promise<void> {
  await tab.getByRole('button', { name: 'Deny' }).click();
}

/** Allows access where nothing listens for the callback, and resolves to its address, which a user would copy. */
export async function allowAndCopyAddress(tab: Page, identity = ada): Promise<string> {
  const ended = tab.waitForEvent('requestfailed');
  await allow(tab, identity);
  return (await ended).url();
}
