import { displayText } from '../core/displayText.ts';
import { isObject, jsonObject } from '../core/json.ts';
import type { Secret } from '../core/secret.ts';
import type { Http } from '../http/client.ts';
import { Failure } from '../oauth/errors.ts';
import { type CallOptions, callTool } from './mcpClient.ts';

/** Who a grant is for, as Notion said it. Raw names: clean them before they are shown. */
export interface Identity {
  userId: string;
  userName: string;
  userEmail?: string;
  workspaceId: string;
  workspaceName: string;
}

/**
 * Asks Notion whose token this is.
 * @throws Failure of step `identity`; `nonsense` when no tool tells both the user and the workspace
 */
export async function readIdentity(
  http: Http,
  serverUrl: URL,
  accessToken: Secret,
  { signal }: CallOptions = {},
): Promise<Identity> {
  let refusal: Failure | undefined;
  for (const { tool, args } of ways) {
    try {
      const result = await callTool(http, serverUrl, accessToken, tool, args, signal && { signal });
      const identity = result.isError ? undefined : identityIn(result.structured ?? jsonObject(result.text));
      if (identity !== undefined) {
        return identity;
      }
    } catch (error) {
      // Only "no such tool" is worth another tool; whatever else went wrong will go wrong again.
      if (!(error instanceof Failure && error.details.code === 'rpc_error')) {
        throw error;
      }
      refusal = error;
    }
  }
  throw refusal ?? new Failure('invalidResponse', { step: 'identity', code: 'no_identity', host: serverUrl.host });
}

/** A name from the server as it may be shown: one line of plain text, at most 60 characters. */
export function displayName(text: string): string {
  return displayText(text, longestName);
}

/** The names of an identity as they may be shown; the workspace may have none. */
export function displayNames({ userName, userEmail, workspaceName }: Identity): { user: string; workspace: string } {
  return {
    user: displayName(userName) || displayName(userEmail ?? '') || 'Notion user',
    workspace: displayName(workspaceName),
  };
}

const longestName = 60;
const longestId = 200;
/** Names are cut here before they are stored. */
const longestStoredName = 1000;

const ways = [
  { tool: 'notion-fetch', args: { id: 'self' } },
  { tool: 'notion-get-users', args: { user_id: 'self' } },
] as const;

/** `{user, workspace}` as `notion-fetch` answers; or a list of users whose bot part names the workspace, as Notion's API has it. */
function identityIn(answer: Record<string, unknown> | undefined): Identity | undefined {
  const user = record(answer?.user) ?? record(Array.isArray(answer?.results) ? answer.results[0] : undefined);
  const bot = record(user?.bot);
  const workspace = record(answer?.workspace) ?? (bot && { id: bot.workspace_id, name: bot.workspace_name });
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
