import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { displayText } from '../../../../src/core/displayText.ts';
import { Failure } from '../../../../src/oauth/errors.ts';
import '../vscode.ts';

const { l10n } = await import('../../../../src/editor/messages/l10n.ts');
const { pick } = await import('../../../../src/editor/messages/quickPick.ts');
const { confirm, showFailure } = await import('../../../../src/editor/messages/show.ts');
const { withProgress } = await import('../../../../src/editor/progress.ts');
const { ReadOnlyDocuments } = await import('../../../../src/editor/readOnlyDocuments.ts');

test('a string that was not cleaned does not compile, wherever text is shown', () => {
  // Only compiled. Each line fails the type check of `npm run check` if the string is accepted.
  const refused = async (raw: string, clock: Parameters<typeof withProgress>[0]): Promise<void> => {
    // @ts-expect-error A message
    await showFailure({ sentence: raw, actions: [] });
    // @ts-expect-error A template string is a string, whatever it holds
    await showFailure({ sentence: `${displayText(raw, 9)}!`, actions: [] });
    // @ts-expect-error A question
    await confirm(raw, displayText(raw, 9), displayText(raw, 9));
    // @ts-expect-error The details of a question
    await confirm(displayText(raw, 9), raw, displayText(raw, 9));
    // @ts-expect-error A progress notification
    await withProgress(clock, raw, async () => undefined);
    // @ts-expect-error The title of a quick pick
    await pick([], { title: raw, placeHolder: displayText(raw, 9) });
    // @ts-expect-error An entry of a quick pick
    await pick([{ label: raw }], { title: displayText(raw, 9), placeHolder: displayText(raw, 9) });
    // @ts-expect-error A document
    await new ReadOnlyDocuments().show(displayText(raw, 9), [raw]);
    // @ts-expect-error The reason in a failure
    new Failure('transient', { step: 'token', code: 'html', serverReason: raw });
    // @ts-expect-error A value in a sentence
    l10n.t('{0} says so.', raw);
    // @ts-expect-error A value in a sentence with a comment
    l10n.t({ message: '{0} says so.', comment: [''], args: [raw] });
    // @ts-expect-error A sentence that is not written in the source
    l10n.t(raw);
    // @ts-expect-error A sentence that holds what is not written in the source
    l10n.t(`${raw} says so.`);
    // @ts-expect-error A commented sentence that is not written in the source
    l10n.t({ message: raw, comment: [''] });
    // @ts-expect-error Text from outside would be read as a sentence with placeholders
    l10n.t(displayText(raw, 9));
  };
  assert.equal(typeof refused, 'function');
});

test('only the functions that take cleaned text call the editor’s functions that show text', () => {
  const source = fileURLToPath(new URL('../../../../src/', import.meta.url));
  const callers = (pattern: RegExp): string[] =>
    readdirSync(source, { encoding: 'utf8', recursive: true })
      .filter((name) => name.endsWith('.ts') && pattern.test(readFileSync(`${source}${name}`, 'utf8')))
      .sort();
  assert.deepEqual(callers(/\bshow(Information|Warning|Error)Message\b/), ['editor/messages/show.ts']);
  assert.deepEqual(callers(/\b(show|create)QuickPick\b/), ['editor/messages/quickPick.ts']);
  assert.deepEqual(callers(/\bwindow\s*\.\s*withProgress\b/), ['editor/progress.ts']);
  assert.deepEqual(callers(/\b(show|create)InputBox\b/), ['editor/pasteBox.ts']);
  assert.deepEqual(callers(/\bcreateStatusBarItem\b/), ['editor/reminders.ts']);
  assert.deepEqual(callers(/\bregisterTextDocumentContentProvider\b/), ['editor/readOnlyDocuments.ts']);
  assert.deepEqual(callers(/\b(MarkdownString|createWebviewPanel|setStatusBarMessage|openTextDocument)\b/), []);
  assert.deepEqual(callers(/import \{[^}]*\bl10n\b[^}]*\} from 'vscode'/), ['editor/messages/l10n.ts']);
  // What makes the type: cleaned text, and sentences of our own.
  assert.deepEqual(callers(/\bas DisplayText\b/), ['core/displayText.ts', 'editor/messages/l10n.ts']);
});
