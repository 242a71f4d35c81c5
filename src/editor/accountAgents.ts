import type { Account } from '../accounts/registry.ts';
import { agentName } from '../agents/agentNames.ts';
import type { AgentUse } from '../agents/consent.ts';
import { editorAgent } from '../gateway/contract.ts';
import type { CommandParts } from './commands.ts';
import { describeAgents, describeChatUse, describeLastUse } from './messages/agentUse.ts';
import { l10n } from './messages/l10n.ts';
import { accountName } from './messages/names.ts';
import { type Choice, pick } from './messages/quickPick.ts';
import { openSetting } from './messages/show.ts';
import { offerMcpServerSetting, offersMcpServer } from './settings.ts';

export interface AgentChoice extends Choice {
  act: () => unknown;
}

/**
 * What Manage Accounts shows about the chat and the agents that use an account. `reopen` shows the actions of the
 * account again, with what has changed.
 */
export function agentChoices(
  { consent, clock }: Pick<CommandParts, 'consent' | 'clock'>,
  { grant }: Account,
  reopen: () => Promise<void>,
): AgentChoice[] {
  const handle = grant.serverNames?.handle;
  if (consent === undefined || handle === undefined) {
    return [];
  }
  const nowMs = clock.nowMs();
  const uses = consent.uses(handle);
  const agents = uses.filter(({ agent, permission }) => agent !== editorAgent && permission !== 'unknown');
  const allowed = agents.filter(({ permission }) => permission === 'allowed');
  const isOffered = consent.isOffered(handle);
  const setOffered = async (): Promise<void> => {
    await consent.setOffered(handle, !isOffered);
    await reopen();
  };
  const usedAtMs = uses.find(({ agent }) => agent === editorAgent)?.usedAtMs;
  const chat = {
    icon: 'comment-discussion',
    description: describeChatUse(usedAtMs, nowMs, isOffered && offersMcpServer()),
  };
  const choices: AgentChoice[] = [
    offersMcpServer()
      ? { ...chat, label: isOffered ? l10n.t('Offer in chat: on') : l10n.t('Offer in chat: off'), act: setOffered }
      : {
          ...chat,
          label: l10n.t('Offer in chat: off for all accounts'),
          act: () => openSetting(offerMcpServerSetting),
        },
  ];
  if (agents.length > 0) {
    const label =
      allowed.length === 0
        ? l10n.t('Used by no agent')
        : l10n.t({
            message: 'Used by: {0}',
            comment: ['{0} is a list of agents, such as “Codex (today 14:02), Claude Code”.'],
            args: [describeAgents(allowed, nowMs)],
          });
    choices.push({ label, icon: 'hubot', act: () => manageAgents() });
  }
  return choices;

  async function manageAgents(): Promise<void> {
    const picked = await pick(agents.map(agentChoice), {
      title: l10n.t('Agents that use {0}', accountName(grant)),
      placeHolder: l10n.t('Choose an agent, to allow or withdraw its access'),
    });
    await picked?.act();
  }

  function agentChoice(use: AgentUse): AgentChoice {
    const { agent, permission } = use;
    const decide = async (decision: Promise<void> | undefined): Promise<void> => {
      await decision;
      await reopen();
    };
    return permission === 'allowed'
      ? {
          label: l10n.t({
            message: 'Withdraw the access of {0}',
            comment: ['{0} is the name of an agent, which may no longer use an account.'],
            args: [agentName(agent)],
          }),
          icon: 'circle-slash',
          description: describeLastUse(use, nowMs),
          act: () => decide(consent?.deny(handle ?? '', agent)),
        }
      : {
          label: l10n.t({
            message: 'Allow {0}',
            comment: ['{0} is the name of an agent, which may use an account again.'],
            args: [agentName(agent)],
          }),
          icon: 'check',
          description: l10n.t({ message: 'not allowed', comment: ['An agent may not use an account.'] }),
          act: () => decide(consent?.allow(handle ?? '', agent)),
        };
  }
}
