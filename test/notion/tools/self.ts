import type { ToolAccess } from '../directory.ts';
import type { Tool, ToolContext } from './tool.ts';

/**
 * Documented: the identity is in `self` (guides/mcp/build-mcp-client). The outer members are reported. That it can come
 * alone is assumed.
 */
export function self({ user: { email, ...named }, workspace, profile, directory }: ToolContext): object {
  const identity = {
    workspace: { id: workspace.id, name: workspace.name },
    user: { ...named, type: 'person', ...(profile.email && email !== undefined && { email }) },
    current_tool_access: directory.toolAccess,
  };
  return profile.identity === 'bare'
    ? identity
    : { metadata: { type: 'self' }, title: '', url: '', text: '', self: identity };
}

/** Documented: guides/mcp/mcp-supported-tools. Names that are unknown are left out, and an empty list gives no entry. */
export const getToolAccess: Tool = {
  name: 'notion-get-tool-access',
  description: 'Reports which tools run on the plan of this workspace.',
  inputSchema: { type: 'object', properties: { tool_names: { type: 'array', items: { type: 'string' } } } },
  call: ({ tool_names: names }, { directory }) => ({
    current_tool_access: Array.isArray(names) ? chosen(directory.toolAccess, names) : directory.toolAccess,
  }),
};

function chosen(access: Record<string, ToolAccess>, names: unknown[]): Record<string, ToolAccess> {
  return Object.fromEntries(Object.entries(access).filter(([name]) => names.includes(name)));
}
