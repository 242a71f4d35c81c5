import { commands, Uri, window } from 'vscode';
import type { DisplayText } from '../../core/displayText.ts';
import { errorInfo } from '../../core/errorInfo.ts';
import type { Log } from '../../core/log.ts';
import { clientIdSetting, serverUrlSetting, signInChannelSetting } from '../settings.ts';
import { actionLabel, type Message, type MessageAction } from './actions.ts';
import { unexpectedErrorMessage } from './failure.ts';

const extensionId = 'seedling.notion-mcp-auth';

/** Handlers for the buttons of a message. Buttons that always do the same need none. */
export type ActionHandlers = Partial<Record<MessageAction, () => void>>;

/** Shows an error with its buttons and runs the action that the user picks. */
export function showFailure(message: Message, handlers: ActionHandlers = {}): Promise<void> {
  return show(window.showErrorMessage, message, handlers);
}

/** Shows a warning: the user should act, although nothing that they requested failed. */
export function showWarning(message: Message, handlers: ActionHandlers = {}): Promise<void> {
  return show(window.showWarningMessage, message, handlers);
}

/** Shows a note: nothing is wrong, but there may be something to do. */
export function showNote(message: Message, handlers: ActionHandlers = {}): Promise<void> {
  return show(window.showInformationMessage, message, handlers);
}

/**
 * Asks a question in a modal dialog. The first button is the editor's default, which Enter picks, so it is `safeButton`,
 * which changes nothing. @returns whether the user picked `button`
 */
export async function confirm(
  question: DisplayText,
  detail: DisplayText,
  button: DisplayText,
  safeButton: DisplayText,
): Promise<boolean> {
  return (await window.showWarningMessage(question, { modal: true, detail }, safeButton, button)) === button;
}

type ShowToast = (sentence: DisplayText, ...buttons: string[]) => Thenable<string | undefined>;

async function show(toast: ShowToast, { sentence, actions }: Message, handlers: ActionHandlers): Promise<void> {
  const allHandlers: ActionHandlers = {
    openSetting: () => openSetting(serverUrlSetting),
    openChannelSetting: () => openSetting(signInChannelSetting),
    openClientSetting: () => openSetting(clientIdSetting),
    openProxySetting: () => openSetting('http.proxy'),
    manageAccounts: () => void commands.executeCommand('notionMcp.manageAccounts'),
    testConnection: () => void commands.executeCommand('notionMcp.testConnection'),
    copyDiagnostics: () => void commands.executeCommand('notionMcp.copyDiagnostics'),
    connectAgent: () => void commands.executeCommand('notionMcp.connectAgent'),
    reloadWindow: () => void commands.executeCommand('workbench.action.reloadWindow'),
    showExtension,
    showLog: () => void commands.executeCommand('notionMcp.showLog'),
    signIn: () => void commands.executeCommand('notionMcp.signIn'),
    ...handlers,
  };
  const offered = actions.filter((action) => allHandlers[action] !== undefined);
  const picked = await toast(sentence, ...offered.map(actionLabel));
  const action = offered.find((candidate) => actionLabel(candidate) === picked);
  if (action !== undefined) {
    allHandlers[action]?.();
  }
}

/** Opens the page of this extension, where it can be updated. */
export function showExtension(): void {
  void commands.executeCommand('extension.open', extensionId);
}

/** Opens a file of this computer in the editor. */
export function openFile(path: string): void {
  void window.showTextDocument(Uri.file(path));
}

/** Opens the Settings editor at one setting. */
export function openSetting(name: string): void {
  void commands.executeCommand('workbench.action.openSettings', `@id:${name}`);
}

/** Runs an action for the user. Logs an unexpected error and shows our message for it instead of the editor's. */
export async function reportUnexpected(log: Log, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    log.error('An action failed unexpectedly.', errorInfo(error));
    void showFailure(unexpectedErrorMessage(), { tryAgain: () => void reportUnexpected(log, action) });
  }
}
