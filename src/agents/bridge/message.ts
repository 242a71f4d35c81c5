import { isRepeatable } from '../../calls/repeat.ts';
import { isObject, parseJson } from '../../core/json.ts';
import { mirroredHeaders, modernRevisionIn } from '../../mcp/revision.ts';
import type { Line } from './stdio.ts';

/** A message of the agent. */
export interface Message {
  kind: 'request' | 'notification' | 'response';
  /** As JSON text, exactly as it was written. */
  id: string | undefined;
  method: string;
  params: Record<string, unknown>;
  /** The line as the agent wrote it. */
  body: Uint8Array;
  /** Whether it can be sent again although it may have arrived. */
  isRepeatable: boolean;
  /** The headers that revision 2026-07-28 asks for; absent in an older one. */
  modernHeaders: Record<string, string> | undefined;
}

/** Reads a line of the agent; undefined if it is not one JSON-RPC message. Batches left MCP with 2025-06-18. */
export function readMessage({ bytes, outlines }: Line): Message | undefined {
  const [outline] = outlines;
  const message = bytes && parseJson(new TextDecoder().decode(bytes));
  if (bytes === undefined || outline === undefined || outline.kind === 'invalid' || !isObject(message)) {
    return undefined;
  }
  const { kind, id, method = '' } = outline;
  const params = isObject(message.params) ? message.params : {};
  const version = modernRevisionIn(params);
  return {
    kind,
    id,
    method,
    params,
    body: bytes,
    isRepeatable: isRepeatable('POST', new Set([method])),
    modernHeaders:
      version === undefined ? undefined : { ...mirroredHeaders(method, params), 'mcp-protocol-version': version },
  };
}
