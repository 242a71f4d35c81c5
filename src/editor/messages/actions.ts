import type { DisplayText } from '../../core/displayText.ts';
import { l10n } from './l10n.ts';

/** The action of a button in a message. */
export type MessageAction =
  | 'tryAgain'
  | 'signIn'
  | 'reconnect'
  | 'manageAccounts'
  | 'testConnection'
  | 'reloadWindow'
  | 'openSetting'
  | 'openChannelSetting'
  | 'openClientSetting'
  | 'openProxySetting'
  | 'openChat'
  | 'allow'
  | 'dontAllow'
  | 'connectAgent'
  | 'copyConfiguration'
  | 'openFile'
  | 'showDetails'
  | 'copyDiagnostics'
  | 'reportIssue'
  | 'showExtension'
  | 'showLog';

/** One sentence that says what happened and what to do, and the buttons that do it. */
export interface Message {
  sentence: DisplayText;
  actions: readonly MessageAction[];
}

/** The label of a button. */
export function actionLabel(action: MessageAction): DisplayText {
  switch (action) {
    case 'tryAgain':
      return l10n.t('Try Again');
    case 'signIn':
      return l10n.t('Sign In');
    case 'reconnect':
      return l10n.t({ message: 'Reconnect', comment: ['Button: signs the same account in again.'] });
    case 'manageAccounts':
      return l10n.t('Manage Accounts');
    case 'testConnection':
      return l10n.t('Test Connection');
    case 'reloadWindow':
      return l10n.t('Reload Window');
    case 'openSetting':
    case 'openChannelSetting':
      return l10n.t({ message: 'Open Setting', comment: ['Button: shows the one setting that the message is about.'] });
    case 'openClientSetting':
      return l10n.t({
        message: 'Enter Client ID',
        comment: ['Button: opens the setting for the ID of an OAuth client.'],
      });
    case 'openProxySetting':
      return l10n.t('Open Proxy Setting');
    case 'openChat':
      return l10n.t('Open Chat');
    case 'allow':
      return l10n.t({ message: 'Allow', comment: ['Button: an agent may use an account.'] });
    case 'dontAllow':
      return l10n.t({ message: 'Don’t Allow', comment: ['Button: an agent may not use an account.'] });
    case 'connectAgent':
      return l10n.t('Connect an Agent…');
    case 'copyConfiguration':
      return l10n.t('Copy Configuration');
    case 'openFile':
      return l10n.t('Open File');
    case 'showDetails':
      return l10n.t('Show Details');
    case 'copyDiagnostics':
      return l10n.t('Copy Diagnostics');
    case 'reportIssue':
      return l10n.t({
        message: 'Report an Issue',
        comment: ['Button: opens the web page for the extension’s issues.'],
      });
    case 'showExtension':
      return l10n.t('Show Extension');
    case 'showLog':
      return l10n.t('Show Log');
  }
}
