import { l10n, type Memento, StatusBarAlignment, type StatusBarItem, ThemeColor, window } from 'vscode';
import type { StorageProblem } from '../accounts/accountState.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/registry.ts';
import type { GatewayReminders } from '../gateway/gateway.ts';
import { needsSignInSentence, storageMessage } from './messages/failure.ts';
import { showWarning } from './messages/show.ts';

export interface SignInReminderParts {
  accounts: Accounts;
  /** Keeps what was told across windows and reloads. */
  memory: Memento;
  /** Signs the account in again, if it still needs that: what is told stays there also when all is well again. */
  reconnect: (account: Account) => Promise<void>;
}

const toldKey = 'toldOfNeededSignIns';
const mostRemembered = 50;

/** Quiet while all is well; for an account that needs its person, one status bar item and one notification. */
export class SignInReminder {
  readonly #parts: SignInReminderParts;
  readonly #listening: { dispose(): void };
  #item: StatusBarItem | undefined;

  constructor(parts: SignInReminderParts) {
    this.#parts = parts;
    this.#listening = parts.accounts.onDidChange(() => this.show());
  }

  /** Shows the item exactly while an account needs its person. */
  show(): void {
    const waiting = this.#parts.accounts.list().filter(({ state }) => state === 'needsSignIn');
    if (waiting.length === 0) {
      this.#item?.dispose();
      this.#item = undefined;
      return;
    }
    const item = this.#item ?? window.createStatusBarItem('notionMcp.reminder', StatusBarAlignment.Left);
    item.name = l10n.t('Notion sign-in');
    item.text = `$(warning) ${l10n.t('Notion: sign in again')}`;
    item.tooltip = waiting.map(({ grant }) => needsSignInSentence(grant)).join('\n');
    item.accessibilityInformation = { label: item.tooltip, role: 'button' };
    item.backgroundColor = new ThemeColor('statusBarItem.warningBackground');
    item.command = 'notionMcp.manageAccounts';
    item.show();
    this.#item = item;
  }

  /** Tells of an account that needs its person; of each occurrence once, unless the person asks `again`. */
  remind(grantId: string, { again = false } = {}): void {
    const { accounts, memory, reconnect } = this.#parts;
    const account = accounts.find(grantId);
    if (account?.grant.needsSignIn === undefined) {
      return;
    }
    const occurrence = `${grantId}:${account.grant.generation}`;
    const told = memory.get<string[]>(toldKey, []);
    const isNew = !told.includes(occurrence);
    if (isNew) {
      void memory.update(toldKey, [...told, occurrence].slice(-mostRemembered));
    }
    if (!isNew && !again) {
      return;
    }
    void showWarning(
      { sentence: needsSignInSentence(account.grant), actions: ['reconnect', 'manageAccounts'] },
      { reconnect: () => void reconnect(account) },
    );
  }

  dispose(): void {
    this.#listening.dispose();
    this.#item?.dispose();
  }
}

const volatileStorageKey = 'warnedOfVolatileStorage';

/** Tells of each problem; of one that every start finds again, only the first time. */
export function warnOfStorageProblems(problems: ReadonlySet<StorageProblem>, memory: Memento): void {
  for (const problem of problems) {
    if (problem === 'volatile') {
      if (memory.get(volatileStorageKey) === true) {
        continue;
      }
      void memory.update(volatileStorageKey, true);
    }
    void showWarning(storageMessage(problem));
  }
}

/** What the person hears while a chat or an agent only gets an error. */
export function gatewayReminders(accounts: Accounts, reminder: SignInReminder): GatewayReminders {
  return {
    signInNeeded: (grantId) => reminder.remind(grantId),
    insufficientScope: (grantId, scopes) => {
      const label = accounts.find(grantId)?.grant.label ?? '';
      const sentence =
        scopes.length === 0
          ? l10n.t('A tool needs more access than {0} has. Sign in again to allow it.', label)
          : l10n.t('A tool needs more access ({0}) than {1} has. Sign in again to allow it.', scopes.join(', '), label);
      void showWarning({ sentence, actions: ['signIn', 'showLog'] });
    },
  };
}
