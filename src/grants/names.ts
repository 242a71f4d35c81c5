import { displayName, displayNames, type Identity } from '../notion/identity.ts';

/** The label of an account whose identity is unknown. It has a code of its own, so it is never given again. */
export function fallbackLabel(code: string): string {
  return `Notion account · ${code}`;
}

/**
 * The labels that an account may have, best first: `<user> (<workspace>)`, made unique by the e-mail address, else by
 * the code of its identity. Never by an order, which would give a label to another account one day.
 */
export function labelCandidates(identity: Identity, code: string): string[] {
  const base = labelBase(identity);
  const email = labelText(displayName(identity.userEmail ?? ''));
  return [base, ...(email === '' ? [] : [`${base} · ${email}`]), codedLabel(identity, code)];
}

/** The label of an account while it is not known which labels others had. */
export function codedLabel(identity: Identity, code: string): string {
  return `${labelBase(identity)} · ${code}`;
}

const longestLabel = 60;

/** The user and the workspace of a label. Of a name of brackets alone nothing remains. */
function labelBase(identity: Identity): string {
  const { user, workspace } = displayNames(identity);
  return labelText(workspace === '' ? user : `${user} (${workspace})`) || 'Notion user';
}

function labelText(text: string): string {
  const clean = text.normalize('NFC').replace(/[[\]]/g, '');
  return Array.from(clean).slice(0, longestLabel).join('').trim();
}

/** The name of an account for programs, and the title of its MCP server for people. */
export interface ServerNames {
  handle: string;
  title: string;
}

const longestHandle = 24;

/**
 * The names of an account's MCP server: `notion-<workspace>` and `Notion – <workspace>`, or `notion2-…` and
 * `Notion 2 – …` and so on. With a `code` if the number may have been given before.
 */
export function serverNames(identity: Identity, number: number, code?: string): ServerNames {
  const { user, workspace } = displayNames(identity);
  const numeral = number === 1 ? '' : String(number);
  const prefix = `notion${numeral}-`;
  const suffix = code === undefined ? '' : `-${code.toLowerCase()}`;
  const slug = slugOf(workspace)
    .slice(0, longestHandle - prefix.length - suffix.length)
    .replace(/-+$/, '');
  return {
    handle: prefix + slug + suffix,
    title: `Notion${numeral === '' ? '' : ` ${numeral}`} – ${workspace || user}`,
  };
}

/** The editor makes the ids of tools, to which approvals belong, from 13 characters of a server's label or title. */
const toolIdLength = 12;

/** What no two accounts may share, or the editor would take the tools of one for those of the other. */
export function toolIdPrefixes({ handle, title }: ServerNames): [handle: string, title: string] {
  const sanitized = title.toLowerCase().replace(/[^a-z0-9_.-]+/g, '_');
  return [handle.slice(0, toolIdLength), sanitized.slice(0, toolIdLength)];
}

/** A name in lower-case ASCII letters, digits and single hyphens; `workspace` if nothing remains of it. */
function slugOf(name: string): string {
  const ascii = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return ascii.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '') || 'workspace';
}
