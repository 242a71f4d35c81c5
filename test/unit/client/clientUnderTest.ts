import type { TestContext } from 'node:test';
import { type ClientResponse, NotionClient } from '../../../src/client/client.ts';
import type { ClientProblem } from '../../../src/client/problem.ts';
import { displayText } from '../../../src/core/displayText.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness as randomness } from '../../../src/core/random.ts';
import type { Failure } from '../../../src/oauth/errors.ts';
import { PassingClock } from '../calls/passingClock.ts';
import { ScriptedAccounts } from '../calls/scriptedAccounts.ts';
import { toolResult } from '../notion/toolServer.ts';
import { fetchHttp } from '../oauth/fetchHttp.ts';
import { type RouteResponse, startServer } from '../oauth/loopbackServer.ts';

export const token = 'ada:grant:token';

/** A tool call that the server received. */
export interface ReceivedCall {
  method: string;
  tool: string;
  args: Record<string, unknown>;
  token: string;
  /** How often this tool was called before. */
  count: number;
}

/** A JSON-RPC `result` or `error`; or a response of HTTP; undefined for no response at all. */
export type Respond = (call: ReceivedCall) => { rpc: object } | RouteResponse | undefined;

/** The client of one account, whose MCP server responds as `respond` says. Pauses pass at once. */
export async function startClient(t: TestContext, respond: Respond) {
  const server = await startServer(t);
  const received: ReceivedCall[] = [];
  server.routes['POST /mcp'] = ({ headers, body }) => {
    const { id, method, params } = JSON.parse(body);
    const tool = params?.name ?? '';
    const call = {
      method,
      tool,
      args: params?.arguments ?? {},
      token: String(headers.authorization).replace('Bearer ', ''),
      count: received.filter((each) => each.tool === tool && each.method === method).length,
    };
    received.push(call);
    const response = respond(call);
    return response !== undefined && 'rpc' in response ? { body: { jsonrpc: '2.0', id, ...response.rpc } } : response;
  };
  const serverUrl = `${server.origin}/mcp`;
  const accounts = new ScriptedAccounts();
  accounts.add('ada', serverUrl, token);
  const clock = new PassingClock();
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const failures: Failure[] = [];
  const problems: ClientProblem[] = [];
  const client = new NotionClient({
    accounts,
    find: (grantId) => accounts.find(grantId),
    ownerOf: async (accessToken) => (accessToken === token ? 'ada' : undefined),
    http: fetchHttp,
    clock,
    randomness,
    log: new Log({ error: log, warn: log, info: log, debug: log }),
    olderOrigins: new Set(),
    onFailure: (_grantId, failure) => void failures.push(failure),
    sentence: ({ code, problem }) => {
      problems.push(problem);
      return displayText(`${code} ${problem.kind}`, 100);
    },
  });
  const call = (name: string, args: object = {}, more: object = {}) =>
    client.callTool({ accessToken: token, name, arguments: args, ...more });
  const page = (operation: string, args: object, more: object = {}) =>
    client.pages({ accessToken: token, operation, arguments: args, ...more });
  return { client, accounts, clock, received, lines, failures, problems, call, page, server };
}

/** A tool's result with this JSON. */
export const result = (value: unknown, more: Record<string, unknown> = {}) => ({ rpc: toolResult(value, more) });

/** A tool's error as Notion documents it. */
export const toolError = (error: Record<string, unknown>) =>
  result({ error }, { isError: true, structuredContent: { error } });

export function codeIn(response: ClientResponse): string {
  return 'error' in response ? response.error.code : 'ok';
}
