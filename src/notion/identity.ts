import { plainText } from '../core/displayText.ts';
import type { Secret } from '../core/secret.ts';
import type { Http } from '../http/http.ts';
import { jsonObject } from '../oauth/errorResponse.ts';
import { Failure } from '../oauth/errors.ts';
import type { CallOptions } from './mcpClient.ts';
import { callTool } from './toolCall.ts';

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
  throw refusal ?? new Failure('nonsense', { step: 'identity', code: 'no_identity', host: serverUrl.host });
}

/** A name from the server as it may be shown: one line of plain text, at most 60 characters. */
export function cleanName(text: string): string {
  return plainText(text, longestName);
}

/** The names of an identity as they may be shown; the workspace may have none. */
export function shownNames({ userName, userEmail, workspaceName }: Identity): { user: string; workspace: string } {
  return {
    user: cleanName(userName) || cleanName(userEmail ?? '') || 'Notion user',
    workspace: cleanName(workspaceName),
  };
}

/**
 * The label of an account, different from all that are `taken`: consent in the editor hangs on it. Two accounts that
 * look the same are told apart by the e-mail address, else by a number.
 */
export function accountLabel(identity: Identity | undefined, taken: ReadonlySet<string>): string {
  const base = identity === undefined ? unknownAccount : baseLabel(identity);
  const email = cleanName(identity?.userEmail ?? '');
  const candidates = [base, ...(email === '' ? [] : [`${base} · ${email}`])];
  const free = candidates.find((label) => !taken.has(label));
  if (free !== undefined) {
    return free;
  }
  let number = 2;
  while (taken.has(`${base} · ${number}`)) {
    number += 1;
  }
  return `${base} · ${number}`;
}

const longestName = 60;
const longestId = 200;
/** Names are cut here before they are stored. */
const longestStoredName = 1000;
const unknownAccount = 'Notion account';

const ways = [
  { tool: 'notion-fetch', args: { id: 'self' } },
  { tool: 'notion-get-users', args: { user_id: 'self' } },
] as const;

function baseLabel(identity: Identity): string {
  const { user, workspace } = shownNames(identity);
  return workspace === '' ? user : `${user} (${workspace})`;
}

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
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function id(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= longestId ? value : undefined;
}

function name(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, longestStoredName) : '';
}
