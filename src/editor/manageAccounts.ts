import { commands, env, l10n, type QuickPickItem, QuickPickItemKind, ThemeIcon, Uri, window } from 'vscode';
import type { Account } from '../grants/accounts.ts';
import { asksAgainAtMs } from './asksAgain.ts';
import type { CommandParts } from './commands.ts';
import * as accountCommands from './commands.ts';
import { needsSignInWhy } from './messages.ts';

interface Choice extends QuickPickItem {
  act?: () => unknown;
}

/** `Notion MCP: Manage Accounts`: each account with its state in words, and what can be done with it. */
export async function manageAccounts(parts: CommandParts): Promise<void> {
  const choices: Choice[] = parts.accounts.list().map((account) => ({
    label: account.grant.label,
    iconPath: new ThemeIcon(iconOf(account)),
    detail: stateInWords(account, parts.accounts.isOffline(account.grant.id)),
    act: () => manageAccount(parts, account),
  }));
  const title = l10n.t('Notion accounts');
  const picked = await window.showQuickPick<Choice>(
    [
      ...choices,
      ...(choices.length > 0 ? [{ label: '', kind: QuickPickItemKind.Separator }] : []),
      {
        label: l10n.t('Sign in to a workspace…'),
        iconPath: new ThemeIcon('add'),
        act: () => accountCommands.signIn(parts),
      },
    ],
    {
      title,
      placeHolder: choices.length > 0 ? l10n.t('Choose an account') : l10n.t('Nobody is signed in to Notion yet.'),
      matchOnDetail: true,
    },
  );
  await picked?.act?.();
}

async function manageAccount(parts: CommandParts, account: Account): Promise<void> {
  const { grant, state } = account;
  const isUsable = state === 'healthy' || state === 'expired';
  const choices: Choice[] = [
    ...(state === 'dormant' || state === 'readOnly'
      ? []
      : [
          {
            label: l10n.t('Reconnect'),
            iconPath: new ThemeIcon('sign-in'),
            act: () => parts.signInFlow.reconnect(account),
          },
        ]),
    ...(isUsable
      ? [
          {
            label: l10n.t('Refresh session'),
            iconPath: new ThemeIcon('refresh'),
            act: () => accountCommands.refreshAccount(parts, account),
          },
          {
            label: l10n.t('Test connection'),
            iconPath: new ThemeIcon('pulse'),
            act: () => accountCommands.testAccount(parts, account),
          },
        ]
      : []),
    ...(await trustedExtensionsChoice(account)),
    {
      label: l10n.t('Open the workspace in the browser'),
      iconPath: new ThemeIcon('link-external'),
      act: () => openWorkspace(account),
    },
    {
      label: l10n.t('Sign out'),
      iconPath: new ThemeIcon('sign-out'),
      act: () => accountCommands.signOutAccount(parts, account),
    },
  ];
  const picked = await window.showQuickPick(choices, { title: grant.label, placeHolder: stateInWords(account, false) });
  await picked?.act?.();
}

/** Only where the editor has that command. */
async function trustedExtensionsChoice({ grant }: Account): Promise<Choice[]> {
  const command = '_manageTrustedExtensionsForAccount';
  const known = await commands.getCommands(false);
  return known.includes(command)
    ? [
        {
          label: l10n.t('Manage trusted extensions'),
          iconPath: new ThemeIcon('extensions'),
          act: () => commands.executeCommand(command, { providerId: 'notion-mcp', accountLabel: grant.label }),
        },
      ]
    : [];
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

/** How the account stands; the label beside it says whose it is, and there is one line for this. */
function stateInWords({ grant, state }: Account, isOffline: boolean): string {
  switch (state) {
    case 'needsSignIn':
      return needsSignInWhy(grant);
    case 'dormant':
      return l10n.t('Belongs to {0}, which is not the server in the settings', new URL(grant.serverUrl).host);
    case 'readOnly':
      return l10n.t('Reload this window to use it');
    default: {
      const date = new Date(asksAgainAtMs(grant)).toLocaleDateString(env.language, { day: 'numeric', month: 'long' });
      return isOffline
        ? l10n.t('Offline; the sign-in is kept and renews when the network is back')
        : l10n.t('Signed in, renews by itself; Notion asks again by {0}', date);
    }
  }
}
