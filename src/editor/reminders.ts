import { type Memento, StatusBarAlignment, type StatusBarItem, ThemeColor, window } from 'vscode';
import { needsUser, type StorageProblem } from '../accounts/accountState.ts';
import type { Accounts } from '../accounts/accounts.ts';
import type { Account } from '../accounts/registry.ts';
import type { DisplayText } from '../core/displayText.ts';
import type { GatewayReminders } from '../gateway/contract.ts';
import type { Grant } from '../grants/grant.ts';
import type { StepUps } from '../signIn/stepUps.ts';
import { needsSignInSentence, refusedSentence, type SecretsHome, storageMessage } from './messages/failure.ts';
import { l10n } from './messages/l10n.ts';
import { showWarning } from './messages/show.ts';
import { stepUpInVainMessage, stepUpMessage } from './messages/stepUp.ts';

export interface SignInReminderParts {
  accounts: Accounts;
  /** Remembers across windows and reloads which reminders were shown. */
  memory: Memento;
  /** Signs the account in again if it still needs that; its notification may be outdated by then. */
  reconnect: (account: Account) => Promise<void>;
}

const shownKey = 'toldOfNeededSignIns';
const maxRemembered = 50;

/**
 * Reminds the user of accounts that need a sign-in: with one status bar item, and a notification for each account in the
 * window that has the focus, or is the first to get it.
 */
export class SignInReminder {
  readonly #parts: SignInReminderParts;
  readonly #listening: { dispose(): void }[];
  /** The grants whose reminder waits until this window has the focus. */
  readonly #waiting = new Set<string>();
  #item: StatusBarItem | undefined;

  constructor(parts: SignInReminderParts) {
    this.#parts = parts;
    this.#listening = [
      parts.accounts.onDidChange(({ needingUser }) => {
        this.show();
        for (const { grant } of needingUser) {
          this.remind(grant.id);
        }
      }),
      window.onDidChangeWindowState(({ focused }) => {
        if (focused) {
          const waiting = [...this.#waiting];
          this.#waiting.clear();
          for (const grantId of waiting) {
            this.remind(grantId);
          }
        }
      }),
    ];
  }

  /** Shows the status bar item while an account needs a sign-in, and hides it otherwise. */
  show(): void {
    const pending = this.#parts.accounts.list().filter(({ state }) => needsUser(state));
    if (pending.length === 0) {
      this.#item?.dispose();
      this.#item = undefined;
      return;
    }
    const item = this.#item ?? window.createStatusBarItem('notionMcp.reminder', StatusBarAlignment.Left);
    item.name = l10n.t('Notion sign-in');
    item.text = `$(warning) ${l10n.t('Notion: sign in')}`;
    const sentences: DisplayText[] = pending.map(({ grant }) => reminderSentence(grant));
    item.tooltip = sentences.join('\n');
    item.accessibilityInformation = { label: item.tooltip, role: 'button' };
    item.backgroundColor = new ThemeColor('statusBarItem.warningBackground');
    item.command = 'notionMcp.manageAccounts';
    item.show();
    this.#item = item;
  }

  /** Notifies the user of an account that needs a sign-in: once per occurrence, unless `again` is set. */
  remind(grantId: string, { again = false } = {}): void {
    const { accounts, memory, reconnect } = this.#parts;
    const account = accounts.find(grantId);
    if (account === undefined || !needsUser(account.state)) {
      return;
    }
    if (!window.state.focused && !again) {
      this.#waiting.add(grantId);
      return;
    }
    const occurrence = `${grantId}:${account.grant.generation}`;
    const shown = memory.get<string[]>(shownKey, []);
    const isNew = !shown.includes(occurrence);
    if (isNew) {
      void memory.update(shownKey, [...shown, occurrence].slice(-maxRemembered));
    }
    if (!isNew && !again) {
      return;
    }
    void showWarning(
      { sentence: reminderSentence(account.grant), actions: ['reconnect', 'manageAccounts'] },
      { reconnect: () => void reconnect(account) },
    );
  }

  dispose(): void {
    for (const listening of this.#listening) {
      listening.dispose();
    }
    this.#item?.dispose();
  }
}

function reminderSentence(grant: Grant): DisplayText {
  return grant.needsSignIn === undefined ? refusedSentence(grant) : needsSignInSentence(grant);
}

const keyLostKey = 'warnedOfLostKey';

/** Warns the user of each problem, but of a lost key only once, as every start detects it again. */
export function warnOfStorageProblems(
  problems: ReadonlySet<StorageProblem>,
  { memory, home }: { memory: Memento; home: SecretsHome },
): void {
  for (const problem of problems) {
    if (problem === 'keyLost') {
      if (memory.get(keyLostKey) === true) {
        continue;
      }
      void memory.update(keyLostKey, true);
    }
    void showWarning(storageMessage(problem, home));
  }
}

export interface GatewayReminderParts extends Pick<SignInReminderParts, 'accounts' | 'reconnect'> {
  reminder: SignInReminder;
  stepUps: Pick<StepUps, 'isOpen'>;
}

/** Notifies the user of problems that chat or an agent sees only as an error. */
export function gatewayReminders({ accounts, reconnect, reminder, stepUps }: GatewayReminderParts): GatewayReminders {
  return {
    signInNeeded: (grantId) => reminder.remind(grantId),
    insufficientScope: (grantId, scopes) => {
      const account = accounts.find(grantId);
      if (account === undefined) {
        return;
      }
      const message = stepUps.isOpen(grantId) ? stepUpMessage : stepUpInVainMessage;
      void showWarning(message(account.grant, scopes), { reconnect: () => void reconnect(account) });
    },
  };
}
