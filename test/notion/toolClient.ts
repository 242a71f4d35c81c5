import assert from 'node:assert/strict';
import { createPlatformHttp } from '#platform/transport';
import type { Secret } from '../../src/core/secret.ts';
import { withBearer } from '../../src/http/bearer.ts';
import { callTool, mcpRequest, type ToolResult } from '../../src/notion/mcpClient.ts';
import type { NotionServer } from './server.ts';
import { signIn } from './signIn.ts';

export type Json = Record<string, unknown>;

const http = createPlatformHttp({ userAgent: 'test' });

/** Calls the tools of a Notion-shaped server with one access token. */
export class ToolClient {
  readonly #url: URL;
  readonly #token: Secret;
  /** The Notion-shaped server speaks older revisions only. */
  readonly #olderOrigins: Set<string>;

  private constructor(url: URL, token: Secret) {
    this.#url = url;
    this.#token = token;
    this.#olderOrigins = new Set([url.origin]);
  }

  static async signIn(notion: NotionServer): Promise<ToolClient> {
    const { tokens } = await signIn(http, notion);
    return new ToolClient(new URL(notion.mcpUrl), tokens.accessToken);
  }

  result(tool: string, args: Json = {}): Promise<ToolResult> {
    return callTool(withBearer(http, this.#token), this.#url, tool, args, { olderOrigins: this.#olderOrigins });
  }

  /** The JSON of a tool that succeeds. */
  async call(tool: string, args: Json = {}): Promise<Json> {
    const { text, isError } = await this.result(tool, args);
    assert.ok(!isError, text);
    return JSON.parse(text) as Json;
  }

  /** The error of a tool that fails, which has to be in the structured content and in the text. */
  async error(tool: string, args: Json = {}): Promise<Json> {
    const { text, isError, structured } = await this.result(tool, args);
    assert.ok(isError);
    assert.deepEqual(JSON.parse(text), structured);
    return (structured as { error: Json }).error;
  }

  async toolNames(): Promise<string[]> {
    const options = { olderOrigins: this.#olderOrigins };
    const { tools } = await mcpRequest(withBearer(http, this.#token), this.#url, 'tools/list', {}, options);
    return (tools as { name: string }[]).map(({ name }) => name);
  }

  /** One request as an MCP client sends it, or a GET. */
  fetch(message?: Json, otherHeaders: Record<string, string> = {}): Promise<Response> {
    const headers = {
      ...otherHeaders,
      authorization: `Bearer ${this.#token.reveal()}`,
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
    };
    const body = message && JSON.stringify({ jsonrpc: '2.0', id: 1, ...message });
    return fetch(this.#url, { headers, ...(body !== undefined && { method: 'POST', body }) });
  }
}
