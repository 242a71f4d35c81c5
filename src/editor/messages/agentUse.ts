import { agentName } from '../../agents/agentNames.ts';
import type { AgentUse } from '../../agents/consent.ts';
import { type DisplayText, display, displayText } from '../../core/displayText.ts';
import { l10n } from './l10n.ts';
import { timeText } from './names.ts';

const longestList = 200;

/** Names the agents that may use an account, the last one first, and tells when each one last did. */
export function describeAgents(uses: readonly AgentUse[], nowMs: number): DisplayText {
  const names = uses.map(({ agent, usedAtMs }) =>
    usedAtMs === undefined ? agentName(agent) : display`${agentName(agent)} (${formatUse(usedAtMs, nowMs)})`,
  );
  return displayText(names.join(', '), longestList);
}

/** Tells when an agent last used an account. */
export function describeLastUse({ usedAtMs }: AgentUse, nowMs: number): DisplayText {
  return usedAtMs === undefined
    ? l10n.t({ message: 'not used yet', comment: ['An agent has not used an account yet.'] })
    : l10n.t({
        message: 'last used {0}',
        comment: ['When an agent last used an account. {0} is a time such as “today 14:02”.'],
        args: [formatUse(usedAtMs, nowMs)],
      });
}

/** Tells when chat last used an account, which may be offered to it no longer. */
export function describeChatUse(usedAtMs: number | undefined, nowMs: number, isOffered: boolean): DisplayText {
  const unused = isOffered ? l10n.t('not used in chat yet') : l10n.t('chat does not get its tools');
  return usedAtMs === undefined
    ? unused
    : l10n.t({
        message: 'last used in chat {0}',
        comment: ['When chat last used an account. {0} is a time such as “today 14:02”.'],
        args: [formatUse(usedAtMs, nowMs)],
      });
}

/** A time of the past as people say it: `today 14:02`, `yesterday 14:02`, else with its date. */
export function formatUse(atMs: number, nowMs: number): DisplayText {
  const time = { hour: 'numeric', minute: '2-digit' } as const;
  const [day, now] = [new Date(atMs), new Date(nowMs)];
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (day.toDateString() === now.toDateString()) {
    return l10n.t({ message: 'today {0}', comment: ['{0} is a time of day.'], args: [timeText(atMs, time)] });
  }
  if (day.toDateString() === yesterday.toDateString()) {
    return l10n.t({ message: 'yesterday {0}', comment: ['{0} is a time of day.'], args: [timeText(atMs, time)] });
  }
  const isThisYear = day.getFullYear() === now.getFullYear();
  return timeText(atMs, { ...time, day: 'numeric', month: 'long', ...(!isThisYear && { year: 'numeric' }) });
}
