import { toBase64Url } from '../core/encoding.ts';
import type { Secret } from '../core/secret.ts';

/**
 * How a bridge and a window begin a connection. A socket's or pipe's name can be taken over when its owner is gone, so
 * the window first proves that it knows the secret of its entry; only then the bridge sends anything but a nonce. After
 * these two lines the connection carries HTTP. This must stay as it is: bridges of earlier versions run on for days.
 */
export const protocolVersion = 1;

/** No line of the greeting is longer. */
export const maxGreetingBytes = 256;

/** The bridge's first line: `notion-mcp-bridge/1 <nonce>`. */
export function greeting(nonce: string): string {
  return `notion-mcp-bridge/${protocolVersion} ${nonce}\n`;
}

/** The nonce in a bridge's first line; undefined if it is none. */
export function nonceIn(line: string): string | undefined {
  return /^notion-mcp-bridge\/1 ([\w-]{22,86})$/.exec(line)?.[1];
}

/** The window's first line: `notion-mcp-window/1 <proof>`. */
export function proofLine(proof: string): string {
  return `notion-mcp-window/${protocolVersion} ${proof}\n`;
}

/** Proves that the window listens at `path` by its own will: an HMAC over version, nonce and path. */
export async function prove(secret: Secret, nonce: string, path: string): Promise<string> {
  const key = await crypto.subtle.importKey('raw', bytesOf(secret.reveal()), algorithm, false, ['sign']);
  const proof = await crypto.subtle.sign('HMAC', key, bytesOf(`${protocolVersion}\n${nonce}\n${path}`));
  return toBase64Url(new Uint8Array(proof));
}

const algorithm = { name: 'HMAC', hash: 'SHA-256' };

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Which account a connection is for, and which agent uses it. */
export interface Endpoint {
  handle: string;
  agent: string;
}

/** The path of an account's MCP endpoint for an agent. */
export function mcpPath({ handle, agent }: Endpoint): string {
  return `/${handle}/${agent}/mcp`;
}

/** The path that tells whether a window serves an account. */
export function statusPath({ handle, agent }: Endpoint): string {
  return `/${handle}/${agent}/status`;
}

/** The parts of a path that `mcpPath` or `statusPath` made; undefined for any other. */
export function endpointIn(path: string): (Endpoint & { kind: 'mcp' | 'status' }) | undefined {
  const [, handle, agent, kind] = /^\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,32})\/(mcp|status)$/.exec(path) ?? [];
  return handle === undefined || agent === undefined ? undefined : { handle, agent, kind: kind as 'mcp' | 'status' };
}

/** Whether a window serves an account to an agent. */
export type WindowStatus =
  | 'ready'
  /** The window offers MCP servers, but the account is not among its accounts. */
  | 'unknownAccount'
  /** The account is not offered in chat. Of a window of the first version: to any agent but the editor. */
  | 'notAllowed'
  /** The agent may not use the account, or the user has not said whether it may; a request gets an error that says so. */
  | 'noConsent';
