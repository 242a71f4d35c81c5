import { allow } from './consentPage.ts';
import type { EditorWindow } from './driver/editorWindow.ts';

/** Signs in with the command, waits for the notification of success and closes it unless `leaveNotification` is set. */
export async function signIn(
  window: EditorWindow,
  identity: { user: string; workspace: string },
  { leaveNotification = false } = {},
): Promise<void> {
  await window.runCommand('Notion MCP: Sign In');
  await finishSignIn(window, identity, { leaveNotification });
}

/** Completes a sign-in that has already been started, as `signIn` does. */
export async function finishSignIn(
  window: EditorWindow,
  identity: { user: string; workspace: string },
  { leaveNotification = false } = {},
): Promise<void> {
  await window.dialog.click('Continue');
  const tab = await window.nextTab();
  await allow(tab, identity);
  await window.notifications.waitFor(`Connected as ${identity.user}`);
  await tab.close();
  if (!leaveNotification) {
    await window.notifications.dismiss('Connected as');
  }
}
