/**
 * Whether a tool, by its listed name, only reads (developers.notion.com/guides/mcp/mcp-supported-tools). A tool that we
 * do not know may change something.
 */
export function onlyReads(tool: string): boolean {
  return /^(notion-)?(fetch|(ai-)?search(-.+)?|(get|list|query|read|download)-.+)$/.test(tool);
}
