import { allow } from './consentPage.ts';
import type { EditorWindow } from './driver/editorWindow.ts';

/** Signs in by the command and waits until the editor says so; the note is closed again, unless it is to stay. */
export async function signIn(
  window: EditorWindow,
  who: { user: string; workspace: string },
  { leaveNote = false } = {},
): Promise<void> {
  await window.runCommand('Notion MCP: Sign In');
  await finishSignIn(window, who, { leaveNote });
}

/** The rest of a sign-in that something else began, up to the note that says who is connected. */
export async function finishSignIn(
  window: EditorWindow,
  who: { user: string; workspace: string },
  { leaveNote = false } = {},
): Promise<void> {
  await window.dialog.click('Continue');
  const tab = await window.nextTab();
  await allow(tab, who);
  await window.notifications.waitFor(`Connected as ${who.user}`);
  await tab.close();
  if (!leaveNote) {
    await window.notifications.dismiss('Connected as');
  }
}
