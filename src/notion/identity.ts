import { displayText } from '../core/displayText.ts';
import { isObject, jsonObject } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import type { Http } from '../http/client.ts';
import { Failure } from '../oauth/errors.ts';
import { type CallOptions, callTool } from './mcpClient.ts';

/** The user and workspace of a grant, as Notion reports them. The names are raw: clean them before showing them. */
export interface Identity {
  userId: string;
  userName: string;
  userEmail?: string;
  workspaceId: string;
  workspaceName: string;
}

/**
 * Reads from Notion which user and workspace an access token belongs to.
 * @throws Failure of step `identity`; `invalidResponse` if no tool returns both the user and the workspace
 */
export async function readIdentity(
  http: Http,
  serverUrl: URL,
  accessToken: Secret,
  { signal }: CallOptions = {},
): Promise<Identity> {
  let toolError: Failure | undefined;
  for (const { tool, args } of identityTools) {
    try {
      const result = await callTool(http, serverUrl, accessToken, tool, args, signal && { signal });
      const identity = result.isError ? undefined : identityIn(result.structured ?? jsonObject(result.text));
      if (identity !== undefined) {
        return identity;
      }
    } catch (error) {
      // Another tool can help only if this one does not exist; any other failure would happen again.
      if (!(error instanceof Failure && error.details.code === 'rpc_error')) {
        throw error;
      }
      toolError = error;
    }
  }
  throw toolError ?? new Failure('invalidResponse', { step: 'identity', code: 'no_identity', host: serverUrl.host });
}

/** Cleans a name from the server for display: one line of plain text, at most 60 characters. */
export function displayName(text: string): string {
  return displayText(text, longestName);
}

/** The names of an identity, cleaned for display. The workspace's name may be empty. */
export function displayNames({ userName, userEmail, workspaceName }: Identity): { user: string; workspace: string } {
  return {
    user: displayName(userName) || displayName(userEmail ?? '') || 'Notion user',
    workspace: displayName(workspaceName),
  };
}

const longestName = 60;
const longestId = 200;
/** Longer names are cut to this length before they are stored. */
const longestStoredName = 1000;

const identityTools = [
  { tool: 'notion-fetch', args: { id: 'self' } },
  { tool: 'notion-get-users', args: { user_id: 'self' } },
] as const;

/**
 * Reads a tool's result: `{user, workspace}` from `notion-fetch`, or, as in Notion's API, a list of users whose `bot`
 * names the workspace.
 */
function identityIn(content: Record<string, unknown> | undefined): Identity | undefined {
  const user = record(content?.user) ?? record(Array.isArray(content?.results) ? content.results[0] : undefined);
  const bot = record(user?.bot);
  const workspace = record(content?.workspace) ?? (bot && { id: bot.workspace_id, name: bot.workspace_name });
  const userId = id(user?.id);
  const workspaceId = id(workspace?.id);
  if (userId === undefined || workspaceId === undefined) {
    return undefined;
  }
  const email = name(user?.email);
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
