import { env } from 'vscode';
import { type DisplayText, displayText } from '../../core/displayText.ts';
import type { Grant } from '../../grants/grant.ts';

/** A user, a workspace and an e-mail address. */
const longestLabel = 200;
/** A longer host cannot be looked up, so nothing is cut from the end of one that can. */
const longestHost = 260;
const longestCode = 60;
const longestTime = 60;
const longestList = 200;
const longestEditor = 60;

/** An account's label, which was clean when it was made, but comes from the storage. */
export function accountName({ label }: Pick<Grant, 'label'>): DisplayText {
  return displayText(label, longestLabel);
}

/** The name of a server. */
export function hostName(host: string): DisplayText {
  return displayText(host, longestHost);
}

/** The name of the server at this URL. */
export function hostOf(url: string): DisplayText {
  return hostName(URL.canParse(url) ? new URL(url).host : url);
}

/** The code of an error or the name of a field, such as `invalid_scope`. */
export function codeName(code: string | undefined): DisplayText {
  return displayText(code ?? '', longestCode);
}

/** Scopes that a server named. */
export function scopeNames(scopes: readonly string[]): DisplayText {
  return displayText(scopes.join(', '), longestList);
}

/** The name of the editor, which forks choose. */
export function editorName(): DisplayText {
  return displayText(env.appName, longestEditor);
}

/** A date or a time in the editor's language. */
export function timeText(atMs: number, parts?: Intl.DateTimeFormatOptions): DisplayText {
  return displayText(new Date(atMs).toLocaleString(env.language, parts), longestTime);
}
