// A client for Notion, to be copied into your extension. It needs the extension `seedling.notion-mcp-auth`, which does
// the work: it renews tokens, waits for Notion's limits, and repeats what may be repeated.
//   const notion = connectNotion(() => authentication.getSession('notion-mcp', ['default'], { createIfNone: true }));
//   const { results } = await notion.search('release checklist');
import { type CancellationToken, commands } from 'vscode';

/**
 * Why a call failed. More may follow: treat a code that you do not know like `serverFault`.
 * `needsSignIn`: there is no session, or Notion ended it. `accessDenied`: by the user, or by Notion. `offline`: there was
 * no response. `rateLimited`: see `retryAfterMs`. `notFound`. `validation`: Notion does not accept the arguments.
 * `toolUnavailable`: not in this workspace; `link` may lead to it. `serverFault`: at Notion, or in the extension.
 * `outcomeUnknown`: the change may have been made. `cancelled`. `notInstalled`: the extension above is missing or disabled.
 */
export type NotionErrorCode = (typeof codes)[number];
const codes = [
  ...(['needsSignIn', 'accessDenied', 'offline', 'rateLimited', 'notFound', 'validation', 'toolUnavailable'] as const),
  ...(['serverFault', 'outcomeUnknown', 'cancelled', 'notInstalled'] as const),
] as const;
const install = 'Install or enable the extension “Notion MCP Authentication” to use Notion.';
const notInstalled = { code: 'notInstalled', message: install } as const;
const cancelled = { code: 'cancelled', message: 'The call to Notion was cancelled.' } as const;
type ErrorDetails = { code: NotionErrorCode; message: string; retryAfterMs?: number; link?: string };

/** Its message can be shown to the user. */
export class NotionError extends Error {
  override readonly name = 'NotionError';
  readonly code: NotionErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly link: string | undefined;

  constructor({ code, message, retryAfterMs, link }: ErrorDetails) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.link = link;
  }
}

/** `timeoutMs` includes the waits for Notion's limits; it is one minute if it is not set. */
export type CallOptions = { cancellation?: AbortSignal | CancellationToken | undefined; timeoutMs?: number };
export type Json = Record<string, unknown>;

/** `id` is what `fetchPage` takes, except for what was found in a connected app. `raw` has all that Notion sent. */
export type SearchResult = { id: string; title: string; raw: Json } & Partial<Record<SearchDetail, string>>;
type SearchDetail = 'url' | 'type' | 'highlight' | 'timestamp';
/** `notices` says, in Notion's words, what the search left out. */
export type SearchResults = { results: SearchResult[]; notices: string[]; raw: Json };
/** `lastEdited` is an ISO time. A large page is `truncated`: `fetchPage` takes each of the `unknownBlockIds`, too. */
export type Page = WrittenPage & PageParts & { title: string; markdown: string; lastEdited?: string };
type PageParts = { truncated: boolean; unknownBlockIds: string[] };
export type WrittenPage = { id: string; url: string; raw: Json };
export type Self = { user: Named & { email?: string }; workspace: Named; raw: Json };
type Named = { id: string; name: string };

/** Where a page is created; if it is not set, the page is private. A row of a database has that, or its data source. */
export type Parent = OneOf<{ pageId: string; databaseId: string; dataSourceId: string }>;
/** Each `find` has to be on the page exactly once, unless `all` is true; otherwise nothing is changed. */
export type Edit = { find: string; replaceWith: string; all?: boolean };
export type PageChange = OneOf<{ properties: Json; replace: string; edits: Edit[] }>;
/** `properties`: further ones of a row, by their names in the database. */
export type NewPage = { title: string; properties?: Json; markdown?: string; parent?: Parent };
type OneOf<T> = { [Name in keyof T]: Pick<T, Name> & { [Other in Exclude<keyof T, Name>]?: never } }[keyof T];
type Arguments = Json & { [Name in keyof CallOptions]?: never };
/** `json` is the result as an object, if it is one; `content` has the blocks as Notion sent them. */
export type ToolResult = { text: string; json?: Json; content: Json[] };
export type ListedTool = Json & { name: string };

/** Called for each request, so that the user's consent, and the choice of the account, hold at once. */
export type GetSession = () => PromiseLike<{ readonly accessToken: string } | undefined>;

/** All methods of the client reject with a `NotionError`, and nothing else. */
export function connectNotion(getSession: GetSession) {
  const call = <T>(command: string, parameters: Json, options: CallOptions = {}) =>
    request<T>(getSession, command, parameters, options);
  const page = <T>(operation: string, args: Json, options: CallOptions = {}) =>
    call<T>('pages', { operation, arguments: args }, options);
  return {
    /** `filters`: additional arguments for the tool `notion-search`, such as `{ page_size: 5 }`. */
    search: (query: string, filters: Arguments = {}, options?: CallOptions) =>
      page<SearchResults>('search', { query, options: filters }, options),
    fetchPage: (idOrUrl: string, options?: CallOptions) => page<Page>('fetchPage', { id: idOrUrl }, options),
    createPage: (newPage: NewPage, options?: CallOptions) => page<WrittenPage>('createPage', newPage, options),
    updatePage: (idOrUrl: string, change: PageChange, options?: CallOptions) =>
      page<WrittenPage>('updatePage', { id: idOrUrl, change }, options),
    /** The signed-in user and the workspace. */
    self: (options?: CallOptions) => page<Self>('self', {}, options),
    /** Calls any tool of Notion's MCP server. */
    callTool: (name: string, args: Arguments = {}, options?: CallOptions) =>
      call<ToolResult>('callTool', { name, arguments: args }, options),
    listTools: (options?: CallOptions) => call<ListedTool[]>('listTools', {}, options),
  };
}

async function request<T>(getSession: GetSession, command: string, parameters: Json, options: CallOptions): Promise<T> {
  const { cancellation, timeoutMs } = options;
  if (cancellation && ('aborted' in cancellation ? cancellation.aborted : cancellation.isCancellationRequested)) {
    throw new NotionError(cancelled);
  }
  const session = await new Promise<Awaited<ReturnType<GetSession>>>((resolve, reject) => {
    const stopListening = onCancelled(cancellation, () => reject(new NotionError(cancelled)));
    const failed = (error: unknown) => reject(new NotionError(sessionError(error)));
    void (async () => getSession())().then(resolve, failed).finally(stopListening);
  });
  if (session === undefined) {
    const message = 'Sign in to Notion, and allow this extension to use your account.';
    throw new NotionError({ code: 'needsSignIn', message });
  }
  const callId = `${Math.random()}${Math.random()}`;
  const sent = { ...parameters, accessToken: session.accessToken, callId, timeoutMs };
  const response = commands.executeCommand<{ ok: T } | { error: ErrorDetails }>(`notionMcp.api.${command}`, sent);
  const stopListening = onCancelled(cancellation, () => void commands.executeCommand('notionMcp.api.cancel', callId));
  const outcome = await Promise.resolve(response)
    .catch((error: unknown) => ({ error: commandError(String(error)) }))
    .finally(stopListening);
  if ('error' in outcome) {
    throw new NotionError(outcome.error);
  }
  return outcome.ok;
}

/** The editor rejects a command that no extension has registered. */
const commandError = (message: string): ErrorDetails =>
  message.includes('not found') ? notInstalled : { code: 'serverFault', message };

/** Calls `cancel` as soon as the call is cancelled; returns what ends that. */
function onCancelled(cancellation: CallOptions['cancellation'], cancel: () => void): () => void {
  if (cancellation && 'onCancellationRequested' in cancellation) {
    const listening = cancellation.onCancellationRequested(cancel);
    return () => listening.dispose();
  }
  cancellation?.addEventListener('abort', cancel);
  return () => cancellation?.removeEventListener('abort', cancel);
}

/** Why there is no session. Of an error of the extension, the editor passes on the name, which is a code, and the message. */
function sessionError(error: unknown): ErrorDetails {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  if (name === 'Canceled') {
    return { code: 'cancelled', message: 'The sign-in to Notion was not completed.' };
  }
  if (message.includes('did not consent')) {
    return { code: 'accessDenied', message: 'You did not allow this extension to use your Notion account.' };
  }
  const isMissing = message.includes("provider 'notion-mcp' to register");
  // Faults in the function itself: a name that ends so, options that exclude each other, another provider.
  const isFault = /.Error$/.test(name) || /^(Invalid|Timed out)/.test(message);
  const code = codes.find((each) => each === name) ?? (isFault ? 'serverFault' : 'needsSignIn');
  return isMissing ? notInstalled : { code, message };
}
