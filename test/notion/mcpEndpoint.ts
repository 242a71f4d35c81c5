import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { CallToolRequestSchema, type CallToolResult, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { Profile } from './profile.ts';
import { fetchTool } from './tools/fetch.ts';
import { getComments, getUsers } from './tools/people.ts';
import { queryDataSources } from './tools/queryDataSources.ts';
import { search } from './tools/search.ts';
import { getToolAccess } from './tools/self.ts';
import { type Tool, type ToolArguments, type ToolContext, ToolError } from './tools/tool.ts';
import { createPages, getAsyncTask, updatePage } from './tools/writePages.ts';

/** Some of Notion's tools (guides/mcp/mcp-supported-tools). Reported: there is no `notion-get-self`. */
const tools: readonly Tool[] = [
  search,
  fetchTool,
  getToolAccess,
  createPages,
  updatePage,
  queryDataSources,
  getComments,
  getUsers,
  getAsyncTask,
];

/** How one call of a tool fails, whatever its arguments are. */
export type ToolFault = 'serializationFault' | 'toolRateLimit';

/**
 * Responds to one request of an MCP client. Reported: the endpoint is stateless and responds with an event stream also
 * to a single request.
 */
export async function respondToMcp(request: Request, context: ToolContext, fault?: ToolFault): Promise<Response> {
  if (request.method !== 'POST') {
    return new Response(null, { status: 405, headers: { allow: 'POST' } });
  }
  const server = new Server({ name: 'Notion MCP', version: '1.2.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: tools.map(({ name, description, inputSchema }) => ({
      name: listedName(name, context.profile),
      description,
      inputSchema,
      ...(context.profile.readOnlyHints && readers.test(name) && { annotations: { readOnlyHint: true } }),
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }) =>
    fault === undefined ? callTool(params.name, params.arguments ?? {}, context) : faults[fault],
  );
  const transport = new WebStandardStreamableHTTPServerTransport({});
  await server.connect(transport);
  return transport.handleRequest(request);
}

/** The names of the tools that change nothing. */
const readers = /^notion-(fetch|search|get-.+|query-.+)$/;

/** Whether a JSON-RPC message asks a tool for the identity. */
export function readsIdentity(message: Record<string, unknown> | undefined): boolean {
  const { id, user_id: userId } = (message?.params as { arguments?: ToolArguments } | undefined)?.arguments ?? {};
  return message?.method === 'tools/call' && (id === 'self' || userId === 'self');
}

/** Documented: without the prefix for OpenAI's clients, whose specification demands these two names. */
function listedName(name: string, { toolNames }: Profile): string {
  return toolNames === 'openAi' ? name.replace(/^notion-(fetch|search)$/, '$1') : name;
}

function callTool(name: string, args: ToolArguments, context: ToolContext): CallToolResult {
  const tool = tools.find((each) => listedName(each.name, context.profile) === name);
  if (tool === undefined) {
    // Reported: an unknown tool is the error of a tool, as in the MCP SDK.
    return { content: [{ type: 'text', text: `MCP error -32602: Tool ${name} not found` }], isError: true };
  }
  try {
    // Documented: one text block of JSON.
    return { content: [{ type: 'text', text: JSON.stringify(tool.call(args, context)) }] };
  } catch (error) {
    if (!(error instanceof ToolError)) {
      throw error;
    }
    return toolErrorResult(error);
  }
}

/** Documented for rate limits: `structuredContent.error`, and the same JSON as text (guides/mcp/rate-limits). */
function toolErrorResult({ code, message, details }: ToolError): CallToolResult {
  const structuredContent = { error: { code, message, ...details } };
  return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent, isError: true };
}

const faults: Record<ToolFault, CallToolResult> = {
  toolRateLimit: toolErrorResult(
    new ToolError('rate_limited', 'Rate limited.', {
      retry_after_seconds: 7,
      rate_limit_reason: 'public_api_request_rate_limit',
    }),
  ),
  // Reported: a mistake of Notion's own server, which the caller cannot avoid.
  serializationFault: { content: [{ type: 'text', text: 'Expected array, received string' }], isError: true },
};
