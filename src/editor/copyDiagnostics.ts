import { env, Uri } from 'vscode';
import { display, displayLines } from '../core/displayText.ts';
import type { CommandParts } from './commands.ts';
import { stoppedWaiting } from './delayedProgress.ts';
import type { Message } from './messages/actions.ts';
import { l10n } from './messages/l10n.ts';
import { reportUnexpected, showNote } from './messages/show.ts';
import { withProgress } from './progress.ts';

/** Of a line of the diagnostics. */
const longestLine = 1000;

/** `Notion MCP: Copy Diagnostics`: copies what an issue report needs, without secrets or names. */
export async function copyDiagnostics({
  clock,
  diagnostics,
  documents,
  extension,
  log,
}: Pick<CommandParts, 'clock' | 'diagnostics' | 'documents' | 'extension' | 'log'>): Promise<void> {
  const text = await withProgress(clock, l10n.t('Collecting diagnostics…'), diagnostics);
  if (text === stoppedWaiting) {
    void showNote({ sentence: l10n.t('The diagnostics were not copied.'), actions: [] });
    return;
  }
  await env.clipboard.writeText(text);
  log.info('Diagnostics were copied.');
  const issues = issuesUrl(extension.packageJSON);
  void showNote(copiedMessage(issues !== undefined), {
    ...(issues && { reportIssue: () => void env.openExternal(Uri.parse(issues)) }),
    showDetails: () =>
      void reportUnexpected(log, () =>
        documents.show(display`${l10n.t('Notion diagnostics')}.txt`, displayLines(text.trimEnd(), longestLine)),
      ),
  });
}

function copiedMessage(takesIssues: boolean): Message {
  return takesIssues
    ? {
        sentence: l10n.t('Diagnostics copied. They contain no secrets or names. Paste them into an issue.'),
        actions: ['reportIssue', 'showDetails'],
      }
    : {
        sentence: l10n.t(
          'Diagnostics copied. They contain no secrets or names. Send them to the publisher of this extension.',
        ),
        actions: ['showExtension', 'showDetails'],
      };
}

/**
 * The web address of the extension's issues, if its package names one: `bugs` of package.json, as npm defines it, is a
 * string or an object with `url`.
 */
export function issuesUrl({ bugs }: { bugs?: unknown }): string | undefined {
  const url = typeof bugs === 'object' && bugs !== null && 'url' in bugs ? bugs.url : bugs;
  return typeof url === 'string' && URL.canParse(url) && new URL(url).protocol === 'https:' ? url : undefined;
}
