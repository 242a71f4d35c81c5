import assert from 'node:assert/strict';
import { allow } from '../signIn.ts';
import { startMcpServer } from '../startMcpServer.ts';
import { damageStoredGrants, forgetSecrets } from '../storedSecrets.ts';
import {
  ada,
  beginning,
  beginSignIn,
  captureNote,
  host,
  quickInput,
  type Scene,
  type Step,
  signInLimitMs,
  toast,
} from './steps.ts';

/** What goes wrong after a sign-in, for review only. These steps continue from the state that `reviewSteps` left. */
export const troubleSteps: Record<string, Step> = {
  'a tool that needs more access': stepUp,
  'a server that refuses to renew': refusedRenewal,
  'a sign-in without a response': timeLimit,
  'an account without a name': unnamedAccount,
  'stored sign-ins that cannot be used': storedSignIns,
};

async function stepUp(scene: Scene): Promise<void> {
  const { window, notion, consumer, say, capture } = scene;
  const challenge = 'Bearer error="insufficient_scope", scope="pages:write"';
  const callWithoutAccess = async (): Promise<void> => {
    notion.fault({ path: '/mcp' }, { kind: 'respond', status: 403, headers: { 'www-authenticate': challenge } });
    const name = (await consumer.toolNames()).find((each) => each.includes('notion-fetch')) ?? assert.fail();
    const call = consumer.callTool(name, { id: 'self' }).catch(() => undefined);
    await window.dialog.waitFor('Run notion-fetch');
    await window.dialog.click('Yes');
    await call;
    notion.faults.clear();
  };
  await startMcpServer(scene, 'notion-engineering-wiki');
  const missing = 'A tool needs more access ({0}) than {1} has. Sign in again to allow it.';
  const note = say(missing, 'pages:write', ada);
  const waiting = say('Choose {0} and allow access at {1} in your browser…', ada, host(scene));
  // The extension believes after two sign-ins that a third one would not help either.
  for (const _ of ['first', 'second']) {
    await callWithoutAccess();
    await window.notifications.waitFor(note);
    await capture('step-up', { frame: [toast(scene, note)] });
    await window.notifications.click(note, say('Reconnect'));
    await window.dialog.click(say('Continue'));
    const tab = await window.nextTab();
    await window.page.bringToFront();
    await window.notifications.waitFor(waiting);
    await capture('reconnecting', { frame: [toast(scene, waiting)] });
    await allow(tab);
    await window.notifications.take(say('Signed in as {0}.', ada));
    await tab.close();
  }
  await callWithoutAccess();
  const inVain =
    'A tool needs more access ({0}) than {1} gets, also after signing in again. Use another account for it.';
  await captureNote(scene, 'step-up-in-vain', say(inVain, 'pages:write', ada));
}

async function refusedRenewal(scene: Scene): Promise<void> {
  const { window, notion, say, capture } = scene;
  const headers = { 'content-type': 'application/json' };
  notion.fault(
    { path: '/token', grantType: 'refresh_token', times: 1 },
    { kind: 'respond', status: 400, body: '{"error":"invalid_scope"}', headers },
  );
  await window.runCommand('Notion MCP: Refresh Session');
  const refuses =
    '{0} refuses to renew the sign-in of {1} ({2}). Sign in again, or wait: it will be tried again from time to time.';
  await captureNote(scene, 'server-rejected', say(refuses, host(scene), ada, 'invalid_scope'));
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.waitFor(ada);
  await capture('manage-rejected', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
  await window.runCommand('Notion MCP: Refresh Session');
  await window.notifications.take(say('Refreshed {0}.', ada));
}

async function timeLimit(scene: Scene): Promise<void> {
  const { consumer, say } = scene;
  await consumer.changeTimers({ ofMs: signInLimitMs, toMs: 2_000 });
  const tab = await beginSignIn(scene);
  const note = say('No response came from the browser within 5 minutes. Try again when you are ready.');
  await scene.window.page.bringToFront();
  await captureNote(scene, 'time-limit', note);
  await consumer.changeTimers({ ofMs: signInLimitMs, toMs: signInLimitMs });
  await tab.close();
}

/** Notion cannot tell whose a new account is, until it turns out to be one that is signed in already. */
async function unnamedAccount(scene: Scene): Promise<void> {
  const { window, notion, consumer, say, capture } = scene;
  notion.profile.identityFailure = { as: 'serializationFault', times: Number.POSITIVE_INFINITY };
  const tab = await beginSignIn(scene);
  await allow(tab);
  const note = beginning(say('Signed in to Notion. The account is called “{0}” until Notion says whose it is.'));
  await captureNote(scene, 'signed-in-unnamed', note);
  await tab.close();
  const unnamed = (await consumer.accounts()).find((label) => label !== ada) ?? assert.fail();
  await window.runCommand('Notion MCP: Manage Accounts');
  await window.quickInput.waitFor(unnamed);
  await capture('manage-unnamed', { frame: [quickInput(scene)] });
  await window.quickInput.choose(unnamed);
  await window.quickInput.waitFor(say('Sign out'));
  await capture('manage-one-unnamed', { frame: [quickInput(scene)] });
  await window.quickInput.cancel();
  notion.profile.identityFailure = undefined;
  const { sessionChanges } = await consumer.history();
  await window.runCommand('Notion MCP: Refresh Session');
  await window.quickInput.choose(unnamed);
  await window.notifications.waitFor(beginning(say('Refreshed {0}.')));
  await consumer.waitForSessionChangesBeyond(sessionChanges + 1);
  await capture('merged');
  await consumer.command('notifications.clearAll');
}

async function storedSignIns(scene: Scene): Promise<void> {
  const { editor, window, openWindow, say } = scene;
  await forgetSecrets(window.page, editor);
  await reload(scene);
  const keyLost =
    'This browser no longer has the key to your Notion sign-ins, perhaps because its data for this site was deleted. Sign in again.';
  await captureNote(scene, 'key-lost', say(keyLost));

  // So the other window makes a key of its own.
  await forgetSecrets(window.page, editor);
  const other = await openWindow();
  await other.window.runCommand('Notion MCP: Sign In');
  await other.window.dialog.click(say('Continue'));
  await allow(await other.window.nextTab());
  await other.window.notifications.waitFor(beginning(say('Signed in as {0}.')));
  await other.window.close();
  await window.runCommand('Notion MCP: Sign In');
  const stale = 'Another window has signed in to Notion since this one was opened. Reload this window.';
  await captureNote(scene, 'stale-window', say(stale));

  await damageStoredGrants(scene);
  const damaged = 'A stored Notion sign-in could not be read and was set aside. Sign in again.';
  await captureNote(scene, 'damaged', say(damaged));
}

async function reload({ window, consumer }: Scene): Promise<void> {
  await window.reload();
  await consumer.waitForRestart();
}
