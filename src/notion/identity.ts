import { type DisplayText, displayText } from '../core/displayText.ts';
import { isObject } from '../core/json.ts';
import type { BearerHttp } from '../http/bearer.ts';
import { Failure } from '../oauth/errors.ts';
import type { CallOptions } from './mcpClient.ts';
import { readFromTools, type ToolCall } from './readFromTools.ts';

/** The user and workspace of a grant, as Notion reports them. The names are raw: clean them before showing them. */
export interface Identity {
  userId: string;
  userName: string;
  userEmail?: string;
  workspaceId: string;
  workspaceName: string;
}

/**
 * Reads from Notion which user and workspace the access token of `http` belongs to.
 * @throws Failure of step `identity`: `serverRejected` with code `invalid_token` if the server rejects the token,
 *   `transient` if a later call may succeed, `invalidResponse` if no tool returns both the user and the workspace
 */
export async function readIdentity(http: BearerHttp, serverUrl: URL, options: CallOptions = {}): Promise<Identity> {
  const identity = await readFromTools(http, serverUrl, identityCalls, identityIn, options);
  if (identity === undefined) {
    throw new Failure('invalidResponse', { step: 'identity', code: 'no_identity', host: serverUrl.host });
  }
  return identity;
}

/** Cleans a name from the server for display: one line of plain text, at most 60 characters. */
export function displayName(text: string): DisplayText {
  return displayText(text, longestName);
}

interface DisplayNames {
  user: DisplayText;
  workspace: DisplayText;
}

/** The names of an identity, cleaned for display. The workspace's name may be empty. */
export function displayNames({ userName, userEmail, workspaceName }: Identity): DisplayNames {
  return {
    user: displayName(userName) || displayName(userEmail ?? '') || displayName('Notion user'),
    workspace: displayName(workspaceName),
  };
}

const longestName = 60;
const longestId = 200;
/** Longer names are cut to this length before they are stored. */
const longestStoredName = 1000;

/** Notion omits the prefix for clients that it takes for OpenAI's (guides/mcp/mcp-supported-tools). */
const identityCalls: readonly ToolCall[] = [
  ['notion-fetch', { id: 'self' }],
  ['fetch', { id: 'self' }],
  ['notion-get-users', { user_id: 'self' }],
  ['get-users', { user_id: 'self' }],
];

/**
 * Reads a tool's result: `{user, workspace}`, which Notion wraps in `self`, or the token's bot user as in Notion's API,
 * which names its workspace and the user who owns it.
 */
export function identityIn(content: Record<string, unknown>): Identity | undefined {
  const self = record(content.self) ?? content;
  const apiUser = record(Array.isArray(content.results) ? content.results[0] : content);
  const bot = record(apiUser?.bot);
  const workspace = record(self.workspace) ?? (bot && { id: bot.workspace_id, name: bot.workspace_name });
  const user = record(self.user) ?? record(record(bot?.owner)?.user) ?? (bot && apiUser);
  const userId = id(user?.id);
  const workspaceId = id(workspace?.id);
  if (userId === undefined || workspaceId === undefined) {
    return undefined;
  }
  const email = name(user?.email ?? record(user?.person)?.email);
  return {
    userId,
    userName: name(user?.name),
    ...(email !== '' && { userEmail: email }),
    workspaceId,
    workspaceName: name(workspace?.name),
  };
}

function record(value: unknown): Record<string, unknown> | undefined {
  return isObject(value) ? value : undefined;
}

function id(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longestId ? value : undefined;
}

function name(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, longestStoredName) : '';
}
