import { commands, window } from 'vscode';
import { traitsOf } from '../../core/errorInfo.ts';
import type { Log } from '../../core/log.ts';
import { clientIdSetting, serverUrlSetting, signInChannelSetting } from '../settings.ts';
import { type Message, type Remedy, remedyLabel } from './actions.ts';
import { unforeseenMessage } from './failure.ts';

/** What the buttons do here; those that always do the same need not be named. */
export type RemedyActions = Partial<Record<Remedy, () => void>>;

/** Shows a failure with its buttons and does what the person picks. */
export function showFailure(message: Message, actions: RemedyActions = {}): Promise<void> {
  return show(window.showErrorMessage, message, actions);
}

/** Shows what the person should look at although nothing that they asked for failed. */
export function showWarning(message: Message, actions: RemedyActions = {}): Promise<void> {
  return show(window.showWarningMessage, message, actions);
}

/** Shows what is no failure: nothing is broken, but there is something to do. */
export function showNote(message: Message, actions: RemedyActions = {}): Promise<void> {
  return show(window.showInformationMessage, message, actions);
}

type ShowToast = (sentence: string, ...buttons: string[]) => Thenable<string | undefined>;

async function show(toast: ShowToast, { sentence, remedies }: Message, actions: RemedyActions): Promise<void> {
  const everywhere: RemedyActions = {
    openSetting: () => openSetting(serverUrlSetting),
    openChannelSetting: () => openSetting(signInChannelSetting),
    openClientSetting: () => openSetting(clientIdSetting),
    openProxySetting: () => openSetting('http.proxy'),
    manageAccounts: () => void commands.executeCommand('notionMcp.manageAccounts'),
    testConnection: () => void commands.executeCommand('notionMcp.testConnection'),
    copyDiagnostics: () => void commands.executeCommand('notionMcp.copyDiagnostics'),
    reloadWindow: () => void commands.executeCommand('workbench.action.reloadWindow'),
    showLog: () => void commands.executeCommand('notionMcp.showLog'),
    signIn: () => void commands.executeCommand('notionMcp.signIn'),
    ...actions,
  };
  const offered = remedies.filter((remedy) => everywhere[remedy] !== undefined);
  const picked = await toast(sentence, ...offered.map(remedyLabel));
  const remedy = offered.find((each) => remedyLabel(each) === picked);
  if (remedy !== undefined) {
    everywhere[remedy]?.();
  }
}

/** Shows one setting. */
export function openSetting(name: string): void {
  void commands.executeCommand('workbench.action.openSettings', `@id:${name}`);
}

/** Does what a person asked for; what nobody foresaw is logged and said in place of the editor's own words. */
export async function told(log: Log, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    log.error('Something failed in an unforeseen way.', traitsOf(error));
    void showFailure(unforeseenMessage(), { tryAgain: () => void told(log, action) });
  }
}
