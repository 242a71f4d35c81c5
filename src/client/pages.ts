import { isObject } from '../core/json.ts';
import { type Identity, identityIn } from '../notion/identity.ts';
import { ClientFailure } from './problem.ts';

type Json = Record<string, unknown>;

/** A member of a search result that Notion may leave out is undefined; `raw` has all that Notion sent. */
export interface SearchResult {
  /** What `fetchPage` takes. For a find in a connected app, which it does not take, its URL. */
  id: string;
  /** Empty if Notion gives none. */
  title: string;
  url?: string;
  /** Such as `page`, `database`, or the name of a connected app. */
  type?: string;
  highlight?: string;
  /** When it was last edited, in Notion's words or as an ISO time. */
  timestamp?: string;
  raw: Json;
}

export interface SearchResults {
  results: SearchResult[];
  /** What Notion left out of the search, and why, in its words. */
  notices: string[];
  raw: Json;
}

export interface Page {
  id: string;
  url: string;
  title: string;
  /** Notion's markdown; empty for a blank page. */
  markdown: string;
  /** An ISO time. */
  lastEdited?: string;
  /** Whether parts of the page are missing, as it is large; `fetchPage` takes their ids, too. */
  truncated: boolean;
  unknownBlockIds: string[];
  raw: Json;
}

/** A page that was created or changed. */
export interface WrittenPage {
  id: string;
  url: string;
  raw: Json;
}

export interface Self {
  user: { id: string; name: string; email?: string };
  workspace: { id: string; name: string };
  raw: Json;
}

/**
 * Reads the result of `notion-search`. Its members are reported, `notices` is documented
 * (developers.notion.com/guides/mcp/mcp-supported-tools).
 * @throws ClientFailure if it is none
 */
export function searchResultsIn(content: Json | undefined): SearchResults {
  const raw = content ?? missing('results');
  if (!Array.isArray(raw.results)) {
    return missing('results');
  }
  return {
    results: raw.results.map((each, index) =>
      searchResultIn(isObject(each) ? each : missing(`results[${index}]`), index),
    ),
    notices: texts(raw.notices),
    raw,
  };
}

function searchResultIn(raw: Json, index: number): SearchResult {
  const { title, highlight, timestamp, type } = raw;
  const url = text(raw.url);
  const id = text(raw.id) ?? (url === undefined ? undefined : (idIn(url) ?? url));
  return {
    id: id ?? missing(`results[${index}].id`),
    title: text(title) ?? '',
    ...optional({ url, type: text(type), highlight: text(highlight), timestamp: text(timestamp) }),
    raw,
  };
}

/**
 * Reads the result of `notion-fetch` for a page; `reference` is the id or URL that was asked for. Documented: the
 * metadata. Reported: the frame around the markdown in `text`.
 * @throws ClientFailure if it is none
 */
export function pageIn(content: Json | undefined, reference: string): Page {
  const raw = content ?? missing('text');
  const type = isObject(raw.metadata) ? raw.metadata.type : undefined;
  if (typeof type === 'string' && type !== 'page' && type !== 'block') {
    throw new ClientFailure({ kind: 'notAPage' });
  }
  const url = text(raw.url) ?? missing('url');
  return {
    id: idIn(url) ?? idIn(reference) ?? missing('id'),
    url,
    title: text(raw.title) ?? '',
    markdown: markdownIn(typeof raw.text === 'string' ? raw.text : missing('text')),
    ...optional({ lastEdited: text(raw.page_last_edited_at) }),
    truncated: raw.truncated === true,
    unknownBlockIds: texts(raw.unknown_block_ids),
    raw,
  };
}

/** Reads the result of `notion-create-pages` for one page. Reported. @throws ClientFailure if it is none */
export function createdPageIn(content: Json | undefined): WrittenPage {
  const [page] = Array.isArray(content?.pages) ? content.pages : [];
  return writtenPage(isObject(page) ? page : missing('pages[0]'), 'pages[0].id');
}

/** Reads the result of `notion-update-page` for the page `reference`. Reported: `page_id`. Never fails. */
export function updatedPageIn(content: Json | undefined, reference: string): WrittenPage {
  const { page_id: pageId, ...others } = content ?? {};
  return writtenPage({ id: text(pageId) ?? idIn(reference) ?? reference, ...others }, 'page_id', content);
}

function writtenPage(page: Json, name: string, raw = page): WrittenPage {
  const url = text(page.url);
  const id = text(page.id) ?? (url && idIn(url)) ?? missing(name);
  return { id, url: url ?? urlOf(id), raw };
}

/** Reads the result of `notion-fetch` for `self`. @throws ClientFailure if it is none */
export function selfIn(content: Json | undefined): Self {
  const raw = content ?? missing('self');
  const identity: Identity = identityIn(raw) ?? missing('self');
  const { userId, userName, userEmail, workspaceId, workspaceName } = identity;
  return {
    user: { id: userId, name: userName, ...optional({ email: userEmail }) },
    workspace: { id: workspaceId, name: workspaceName },
    raw,
  };
}

/** The id at the end of an id or a URL, with dashes; undefined if there is none. */
export function idIn(reference: string): string | undefined {
  const end = /^[^?#]*/.exec(reference)?.[0].replaceAll('-', '');
  const digits = /[0-9a-f]{32}(?=\/?$)/i.exec(end ?? '')?.[0].toLowerCase();
  return digits?.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Where the editor's user finds a page. */
function urlOf(id: string): string {
  return `https://www.notion.so/${id.replaceAll('-', '')}`;
}

/** The markdown between the tags of the frame; all of the text if it has none. */
function markdownIn(fetched: string): string {
  const open = '\n<content>\n';
  const start = fetched.indexOf(open);
  if (start < 0) {
    return /\n<blank-page>/.test(fetched) ? '' : fetched;
  }
  // What is written on the page may contain a tag, too.
  const end = fetched.lastIndexOf('</content>');
  return fetched.slice(start + open.length, end < start ? undefined : end).replace(/\n$/, '');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

/** The members that are there. */
function optional<T extends Record<string, string | undefined>>(members: T): { [Name in keyof T]?: string } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: string;
  };
}

function missing(name: string): never {
  throw new ClientFailure({ kind: 'unexpectedResult', missing: name });
}
