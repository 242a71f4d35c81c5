import * as vscode from 'vscode';
import type { ServerRegistry } from '../agents/configuration/contract.ts';

/** What Cursor adds to the editor's API (cursor.com/docs/extension-api). */
interface CursorApi {
  registerServer(config: {
    name: string;
    server: { command: string; args: string[]; env: Record<string, string> };
  }): void;
  unregisterServer(name: string): void;
}

/** Cursor's API for MCP servers; undefined in any other editor. */
export function cursorServers(): ServerRegistry | undefined {
  const { cursor } = vscode as { cursor?: { mcp?: Partial<CursorApi> } };
  const api = cursor?.mcp;
  if (typeof api?.registerServer !== 'function' || typeof api.unregisterServer !== 'function') {
    return undefined;
  }
  const { registerServer, unregisterServer } = api;
  return {
    agent: 'cursor',
    register: (name, { command, args, env }) =>
      registerServer.call(api, { name, server: { command, args: [...args], env: { ...env } } }),
    unregister: (name) => unregisterServer.call(api, name),
  };
}
