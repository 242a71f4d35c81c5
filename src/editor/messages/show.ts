import { commands, window } from 'vscode';
import { errorInfo } from '../../core/errorInfo.ts';
import type { Log } from '../../core/log.ts';
import { clientIdSetting, serverUrlSetting, signInChannelSetting } from '../settings.ts';
import { actionLabel, type Message, type MessageAction } from './actions.ts';
import { unexpectedErrorMessage } from './failure.ts';

/** What the buttons do here; those that always do the same need not be named. */
export type ActionHandlers = Partial<Record<MessageAction, () => void>>;

/** Shows a failure with its buttons and does what the person picks. */
export function showFailure(message: Message, handlers: ActionHandlers = {}): Promise<void> {
  return show(window.showErrorMessage, message, handlers);
}

/** Shows what the person should look at although nothing that they asked for failed. */
export function showWarning(message: Message, handlers: ActionHandlers = {}): Promise<void> {
  return show(window.showWarningMessage, message, handlers);
}

/** Shows what is no failure: nothing is broken, but there is something to do. */
export function showNote(message: Message, handlers: ActionHandlers = {}): Promise<void> {
  return show(window.showInformationMessage, message, handlers);
}

type ShowToast = (sentence: string, ...buttons: string[]) => Thenable<string | undefined>;

async function show(toast: ShowToast, { sentence, actions }: Message, handlers: ActionHandlers): Promise<void> {
  const everywhere: ActionHandlers = {
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
    ...handlers,
  };
  const offered = actions.filter((action) => everywhere[action] !== undefined);
  const picked = await toast(sentence, ...offered.map(actionLabel));
  const action = offered.find((each) => actionLabel(each) === picked);
  if (action !== undefined) {
    everywhere[action]?.();
  }
}

/** Shows one setting. */
export function openSetting(name: string): void {
  void commands.executeCommand('workbench.action.openSettings', `@id:${name}`);
}

/** Does what a person asked for; what nobody foresaw is logged and said in place of the editor's own words. */
export async function reportUnexpected(log: Log, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    log.error('Something failed in an unforeseen way.', errorInfo(error));
    void showFailure(unexpectedErrorMessage(), { tryAgain: () => void reportUnexpected(log, action) });
  }
}
