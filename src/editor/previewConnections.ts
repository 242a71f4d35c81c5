import { agentName } from '../agents/agentNames.ts';
import type { ConnectionPlan } from '../agents/configuration/contract.ts';
import { type DisplayText, display, displayText } from '../core/displayText.ts';
import { agentNames, pathName, pathNames } from './messages/agentConnection.ts';
import { l10n } from './messages/l10n.ts';
import { pick } from './messages/quickPick.ts';
import type { ReadOnlyDocuments, TextChange } from './readOnlyDocuments.ts';

/** Shows each change in an editor, and asks for all of them together. @returns whether the user agrees */
export async function previewConnections(
  documents: ReadOnlyDocuments,
  plans: readonly ConnectionPlan[],
  workspace: DisplayText,
): Promise<boolean> {
  try {
    const changes = plans.flatMap(changesOf);
    for (const { agent, place, path, before, after } of changes) {
      await documents.compare(display`${agent}: ${place}`, { path, before: shown(before), after: shown(after) });
    }
    // In a narrow window, the question covers the titles of the editors, too.
    const paths = pathNames(changes.map(({ place }) => place));
    const choices = [
      { label: l10n.t('Connect'), icon: 'check', description: paths, isAgreed: true },
      { label: l10n.t('Cancel'), icon: 'close', isAgreed: false },
    ];
    const picked = await pick(choices, {
      title: l10n.t('Connect {0} to {1}?', agentNames(plans.map(({ state }) => state.row.id)), workspace),
      placeHolder:
        changes.length === 1
          ? l10n.t('The editor below shows exactly what changes')
          : l10n.t('The {0} editors below show exactly what changes', changes.length),
      ignoreFocusOut: true,
    });
    return picked?.isAgreed ?? false;
  } finally {
    await documents.closeComparisons();
  }
}

interface Change extends TextChange {
  agent: DisplayText;
  /** What is changed. */
  place: DisplayText;
}

function changesOf(plan: ConnectionPlan): Change[] {
  const { file, row } = plan.state;
  const agent = agentName(row.id);
  const place = pathName(file.path);
  const ofFile = { agent, place, path: file.path, before: file.text ?? '', after: plan.after };
  if (plan.isRegistered) {
    const { name, launch } = plan;
    const after = `${JSON.stringify({ name, server: launch }, null, 2)}\n`;
    const api = displayText(row.registration?.api ?? '', 60);
    const argument = { agent, place: api, path: 'server.json', before: '', after };
    return ofFile.after === ofFile.before ? [argument] : [argument, ofFile];
  }
  return plan.commands.length > 0
    ? [{ agent, place, path: 'commands.sh', before: '', after: commandLines(plan) }]
    : [ofFile];
}

/** A text as the editor is to show it: without a byte order mark, and below its first lines, which the question covers. */
function shown(text: string): string {
  return `\n\n\n\n${text.replace(/^\uFEFF/, '')}`;
}

/** The commands as a user would type them. */
function commandLines({ state, commands }: ConnectionPlan): string {
  const quoted = (word: string) => (/^[\w@%+=:,./\\-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  const program = state.row.program ?? '';
  return commands.map((words) => `${[program, ...words].map(quoted).join(' ')}\n`).join('');
}
