import { l10n as editorL10n } from 'vscode';
import type { DisplayText } from '../../core/displayText.ts';

/** What a sentence may contain besides its own words. */
type Value = DisplayText | number;

/** A string that is written in the source; `never` for one that is known only at runtime. */
type Literal<M extends string> = Record<never, never> extends Record<M, 1> ? never : M;

interface CommentedMessage<M extends string> {
  message: Literal<M>;
  comment: string[];
  args?: Value[];
}

/**
 * The editor's `l10n`, for sentences that are safe to show: their words are written in the source, and what they
 * contain from outside is a `DisplayText`. No other file uses the editor's own, which accepts any string.
 */
export const l10n = { t: translate };

function translate<M extends string>(message: Literal<M>, ...values: Value[]): DisplayText;
function translate<M extends string>(message: CommentedMessage<M>): DisplayText;
function translate(message: string | { message: string; comment: string[]; args?: Value[] }, ...values: Value[]) {
  return typeof message === 'string'
    ? (editorL10n.t(message, ...values) as DisplayText)
    : (editorL10n.t({ ...message, args: message.args ?? [] }) as DisplayText);
}
