import { commands, env, Uri } from 'vscode';
import type { Account } from '../accounts/registry.ts';
import type { DisplayText } from '../core/displayText.ts';
import { agentChoices } from './accountAgents.ts';
import type { CommandParts } from './commands.ts';
import * as accountCommands from './commands.ts';
import { connectAgent } from './connectAgent.ts';
import { describeAccount } from './messages/accountStatus.ts';
import { l10n } from './messages/l10n.ts';
import { accountName } from './messages/names.ts';
import { type Choice, pick, separator } from './messages/quickPick.ts';
import { openSetting, showExtension } from './messages/show.ts';
import { providerId } from './provider.ts';
import { serverUrlSetting } from './settings.ts';
import { confirmAndSignOut } from './signOutCommand.ts';

interface ActionChoice extends Choice {
  act: () => unknown;
}

/** `Notion MCP: Manage Accounts`: lists each account with its state, then the actions for the picked one. */
export async function manageAccounts(parts: CommandParts): Promise<void> {
  const { accounts } = parts;
  const choices: ActionChoice[] = accounts.list().map((account) => ({
    label: accountName(account.grant),
    icon: iconOf(account),
    detail: describe(parts, account),
    act: () => manageAccount(parts, account),
  }));
  const signIn = choice(l10n.t('Sign in to a workspace…'), 'add', () => accountCommands.signIn(parts));
  const picked = await pick(choices.length > 0 ? [...choices, separator, signIn] : [signIn], {
    title: l10n.t('Notion accounts'),
    placeHolder: choices.length > 0 ? l10n.t('Choose an account') : l10n.t('You are not signed in to Notion yet.'),
    matchOnDetail: true,
  });
  await picked?.act();
}

async function manageAccount(parts: CommandParts, account: Account): Promise<void> {
  const choices: ActionChoice[] = [
    ...choicesByState(parts, account),
    ...agentChoices(parts, account, () => manageAccount(parts, account)),
    choice(l10n.t('Connect an agent'), 'plug', () => connectAgent(parts, account)),
    ...(await trustedExtensionsChoice(account)),
    choice(l10n.t('Open the workspace in the browser'), 'link-external', () => openWorkspace(account)),
    {
      ...choice(l10n.t('Sign out'), 'sign-out', () => confirmAndSignOut(parts, account.grant)),
      description: l10n.t('revoke access and remove the account'),
    },
  ];
  const title = accountName(account.grant);
  const picked = await pick(choices, { title, placeHolder: describe(parts, account) });
  await picked?.act();
}

/** The most useful action for the account's state comes first. */
function choicesByState(parts: CommandParts, account: Account): ActionChoice[] {
  const { signInFlow } = parts;
  const reconnect = {
    ...choice(l10n.t('Reconnect'), 'sign-in', () => signInFlow.reconnect(account)),
    description: l10n.t('sign in again in the browser'),
  };
  const test = {
    ...choice(l10n.t('Test connection'), 'pulse', () => accountCommands.testAccount(parts, account)),
    description: l10n.t('check each step of the connection'),
  };
  const refresh = {
    ...choice(l10n.t('Refresh session'), 'refresh', () => accountCommands.refreshAccount(parts, account)),
    description: l10n.t('renew it now, without the browser'),
  };
  switch (account.state) {
    case 'dormant':
      return [
        choice(l10n.t('Change the server in the settings'), 'settings-gear', () => openSetting(serverUrlSetting)),
      ];
    case 'readOnly':
      return choicesForReadOnly(account, reconnect);
    case 'needsSignIn':
      return [reconnect];
    case 'serverRejected':
      return [reconnect, test, refresh];
    default:
      if (parts.accounts.trouble(account.grant.id) === 'beingConfirmed') {
        return [reconnect, test, refresh];
      }
      // The account works, so the first action is one that changes nothing: Enter alone must not start a sign-in.
      return [test, refresh, reconnect];
  }
}

function choicesForReadOnly({ why }: Account, reconnect: ActionChoice): ActionChoice[] {
  switch (why) {
    case 'newer':
      return [choice(l10n.t('Show the extension, to update it'), 'extensions', showExtension)];
    case 'unreadable':
      return [reconnect];
    default:
      return [
        choice(l10n.t('Reload this window'), 'refresh', () => commands.executeCommand('workbench.action.reloadWindow')),
      ];
  }
}

/** Offered only if the editor has this internal command, which does not know accounts of other servers. */
async function trustedExtensionsChoice({ grant, state }: Account): Promise<ActionChoice[]> {
  const command = '_manageTrustedExtensionsForAccount';
  if (state === 'dormant' || !(await commands.getCommands(false)).includes(command)) {
    return [];
  }
  const manage = () => commands.executeCommand(command, { providerId, accountLabel: grant.label });
  return [
    {
      ...choice(l10n.t('Manage trusted extensions'), 'extensions', manage),
      description: l10n.t('choose which extensions may use this account'),
    },
  ];
}

function choice(label: DisplayText, icon: string, act: () => unknown): ActionChoice {
  return { label, icon, act };
}

function describe({ accounts }: CommandParts, account: Account): DisplayText {
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
