import { commands, env, l10n, type QuickPickItem, QuickPickItemKind, ThemeIcon, Uri, window } from 'vscode';
import type { Account } from '../accounts/registry.ts';
import type { CommandParts } from './commands.ts';
import * as accountCommands from './commands.ts';
import { describeAccount } from './messages/accountStatus.ts';
import { openSetting } from './messages/show.ts';
import { providerId } from './provider.ts';
import { serverUrlSetting } from './settings.ts';
import { confirmAndSignOut } from './signOutCommand.ts';

interface Choice extends QuickPickItem {
  act?: () => unknown;
}

/** `Notion MCP: Manage Accounts`: each account with its state in words, and what can be done with it. */
export async function manageAccounts(parts: CommandParts): Promise<void> {
  const { accounts } = parts;
  const choices: Choice[] = accounts.list().map((account) => ({
    label: account.grant.label,
    iconPath: new ThemeIcon(iconOf(account)),
    detail: inWords(parts, account),
    act: () => manageAccount(parts, account),
  }));
  const signIn = choice(l10n.t('Sign in to a workspace…'), 'add', () => accountCommands.signIn(parts));
  const separator = { label: '', kind: QuickPickItemKind.Separator };
  const picked = await window.showQuickPick<Choice>(choices.length > 0 ? [...choices, separator, signIn] : [signIn], {
    title: l10n.t('Notion accounts'),
    placeHolder: choices.length > 0 ? l10n.t('Choose an account') : l10n.t('You are not signed in to Notion yet.'),
    matchOnDetail: true,
  });
  await picked?.act?.();
}

async function manageAccount(parts: CommandParts, account: Account): Promise<void> {
  const { grant } = account;
  const choices = [
    ...choicesByState(parts, account),
    ...(await trustedExtensionsChoice(account)),
    choice(l10n.t('Open the workspace in the browser'), 'link-external', () => openWorkspace(account)),
    {
      ...choice(l10n.t('Sign out'), 'sign-out', () => confirmAndSignOut(parts, account.grant)),
      description: l10n.t('revoke the access and forget it here'),
    },
  ];
  const picked = await window.showQuickPick(choices, { title: grant.label, placeHolder: inWords(parts, account) });
  await picked?.act?.();
}

/** What helps comes first. */
function choicesByState(parts: CommandParts, account: Account): Choice[] {
  const { signInFlow } = parts;
  const reconnect = {
    ...choice(l10n.t('Reconnect'), 'sign-in', () => signInFlow.reconnect(account)),
    description: l10n.t('sign in once more in the browser'),
  };
  const test = {
    ...choice(l10n.t('Test connection'), 'pulse', () => accountCommands.testAccount(parts, account)),
    description: l10n.t('find out what works and what does not'),
  };
  const refresh = {
    ...choice(l10n.t('Refresh session'), 'refresh', () => accountCommands.refreshAccount(parts, account)),
    description: l10n.t('renew it now instead of later'),
  };
  switch (account.state) {
    case 'dormant':
      return [
        choice(l10n.t('Change the server in the settings'), 'settings-gear', () => openSetting(serverUrlSetting)),
      ];
    case 'readOnly':
      return [
        choice(l10n.t('Reload this window'), 'refresh', () => commands.executeCommand('workbench.action.reloadWindow')),
      ];
    case 'needsSignIn':
      return [reconnect];
    default:
      if (parts.accounts.trouble(account.grant.id) === 'beingConfirmed') {
        return [reconnect, test, refresh];
      }
      // Nothing is wrong, so what changes nothing comes first: Enter alone starts no sign-in.
      return [test, refresh, reconnect];
  }
}

/** Only where the editor has that command, which is an internal one; it shows no accounts of other servers. */
async function trustedExtensionsChoice({ grant, state }: Account): Promise<Choice[]> {
  const command = '_manageTrustedExtensionsForAccount';
  if (state === 'dormant' || !(await commands.getCommands(false)).includes(command)) {
    return [];
  }
  const manage = () => commands.executeCommand(command, { providerId, accountLabel: grant.label });
  return [
    {
      ...choice(l10n.t('Manage trusted extensions'), 'extensions', manage),
      description: l10n.t('choose who may use this account'),
    },
  ];
}

function choice(label: string, icon: string, act: () => unknown): Choice {
  return { label, iconPath: new ThemeIcon(icon), act };
}

function inWords({ accounts }: CommandParts, account: Account): string {
  return describeAccount(account, accounts.trouble(account.grant.id));
}

function openWorkspace({ grant }: Account): Thenable<boolean> {
  const { workspaceId } = grant.identity ?? {};
  const path = workspaceId !== undefined && /^[\w-]+$/.test(workspaceId) ? workspaceId.replaceAll('-', '') : '';
  return env.openExternal(Uri.parse(`https://www.notion.so/${path}`));
}

function iconOf({ state }: Account): string {
  switch (state) {
    case 'healthy':
    case 'expired':
      return 'account';
    case 'dormant':
      return 'circle-slash';
    default:
      return 'warning';
  }
}
