import { isObject } from '../../core/json.ts';
import { errorResponse, type RpcError, unknownId } from '../../mcp/jsonRpc.ts';
import type { CachedMethod, ServerCache } from './cache.ts';
import type { Message } from './message.ts';

const methodNotFound: RpcError = { code: -32601, message: 'Method not found' };

/** What the user has decided, or is still to decide: an agent that may not use the tools is not shown them again. */
const refusals: ReadonlySet<string> = new Set(['notOffered', 'notAllowed', 'consentPending']);

const noTools: Record<string, unknown> = { tools: [] };

const unknownServer = { capabilities: { tools: {} }, serverInfo: { name: 'notion', version: '1' } };

/** Writes the responses that the bridge itself gives. */
export class Responder {
  readonly #cache: ServerCache;
  readonly #send: (message: string) => Promise<void>;

  constructor(cache: ServerCache, send: (message: string) => Promise<void>) {
    this.#cache = cache;
    this.#send = send;
  }

  async result({ id = unknownId }: Message, result: Record<string, unknown>): Promise<void> {
    await this.#send(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`);
  }

  async error({ id = unknownId }: Message, error: RpcError): Promise<void> {
    await this.#send(errorResponse(id, error));
  }

  /** Says that the server does not know the method, as one of an older revision does. */
  async unknownMethod(message: Message): Promise<void> {
    await this.error(message, methodNotFound);
  }

  /** Passes on the server's result, and remembers it. The bridge itself says when the tools change. */
  async ownResult(message: Message, method: CachedMethod, result: Record<string, unknown>): Promise<void> {
    // A response does not wait for the disk.
    void this.#cache.set(method, result);
    await this.result(message, method === 'tools/list' ? result : withListChanged(result));
  }

  /**
   * Responds to a request that cannot be carried. What the server says about itself always succeeds, so that no agent
   * takes it for broken, or starts a sign-in of its own; models read the results of tools, not the protocol's errors.
   * @param version the revision that the agent asked for
   */
  async problem(message: Message, error: RpcError, version: string): Promise<void> {
    if (isRefusal(error)) {
      void this.#cache.clear();
    }
    const method = cachedMethodOf(message);
    const cached = method && this.#cache.get(method);
    if (method === 'initialize') {
      const result = { ...unknownServer, ...cached, protocolVersion: version };
      await this.result(message, withListChanged(result));
    } else if (method === 'tools/list') {
      const { nextCursor: _cursor, ...page } = cached ?? noTools;
      await this.result(message, page);
    } else if (method !== undefined) {
      await (cached === undefined ? this.unknownMethod(message) : this.result(message, cached));
    } else if (message.method === 'tools/call') {
      const content = [{ type: 'text', text: error.message }];
      const resultType = message.modernHeaders && { resultType: 'complete' };
      await this.result(message, { content, isError: true, ...resultType });
    } else {
      await this.error(message, error);
    }
  }
}

/** The codes of the gateway's errors (`calls/problem.ts`), which say why a call of the account cannot be carried. */
export function isOfGateway({ code, data }: Record<string, unknown>): boolean {
  return (
    typeof code === 'number' && code <= -32080 && code >= -32099 && isObject(data) && typeof data.kind === 'string'
  );
}

/** Whether an error says that the agent may not use the account, or not yet. */
export function isRefusal({ data }: RpcError): boolean {
  return isObject(data) && refusals.has(String(data.kind));
}

/** The method of a request whose result the cache keeps. Of a list, only the first page. */
export function cachedMethodOf({ method, params }: Message): CachedMethod | undefined {
  const isCached = method === 'initialize' || method === 'server/discover' || method === 'tools/list';
  return isCached && params.cursor === undefined ? method : undefined;
}

function withListChanged(result: Record<string, unknown>): Record<string, unknown> {
  const capabilities = isObject(result.capabilities) ? result.capabilities : {};
  const tools = isObject(capabilities.tools) ? capabilities.tools : {};
  return { ...result, capabilities: { ...capabilities, tools: { ...tools, listChanged: true } } };
}
