import assert from 'node:assert/strict';
import type { ConsumerWindow } from './testbed.ts';

const maxTries = 10;

/** Starts the MCP server of an account, by its handle, and waits for its tools. */
export async function startMcpServer({ window, consumer }: ConsumerWindow, handle: string): Promise<void> {
  // The editor does nothing for a server that it has not found yet, and an open list is not updated.
  for (let tries = 1; ; tries += 1) {
    await window.runCommand('MCP: List Servers');
    const servers = await window.quickInput.items();
    await window.quickInput.cancel();
    if (servers.includes(handle)) {
      break;
    }
    assert.ok(tries < maxTries, `shown: ${servers}`);
  }
  await consumer.command('workbench.mcp.startServer', `seedling.notion-mcp-auth/${handle}`);
  await consumer.waitForTool('notion-fetch');
}
