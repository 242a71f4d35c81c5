import { isObject, jsonObject, parseJson } from '../core/json.ts';

/** A JSON-RPC error object (JSON-RPC 2.0, section 5.1). */
export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

/** The id of an error response where the request's own could not be read (JSON-RPC 2.0, section 5). */
export const unknownId = 'null';

/** An error response to a request. `id` is JSON text, so that the response has the id exactly as it was written. */
export function errorResponse(id: string, error: RpcError): string {
  return `{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(error)}}`;
}

/** The error of a response body that is a single JSON-RPC error, regardless of the HTTP status. */
export function rpcErrorIn(body: string): RpcError | undefined {
  const message = jsonObject(body);
  const error = message?.jsonrpc === '2.0' ? message.error : undefined;
  if (!isObject(error) || !Number.isInteger(error.code) || typeof error.message !== 'string') {
    return undefined;
  }
  const { code, message: text, data } = error;
  return { code: Number(code), message: text, ...(data !== undefined && { data }) };
}

/** The requests of a body that have no response yet, by their ids as JSON text. */
export class OpenRequests {
  /** The ids that were written, by value: a server may write `1.0` as `1`, and rounds what is above 2^53. */
  readonly #written = new Map<string, string[]>();
  #count = 0;

  /** How many requests have no response. */
  get count(): number {
    return this.#count;
  }

  add(id: string): void {
    const key = valueKey(id);
    const same = this.#written.get(key) ?? [];
    same.push(id);
    this.#written.set(key, same);
    this.#count += 1;
  }

  /** Notes that a request has its response. */
  settle(id: string): void {
    if (this.#written.get(valueKey(id))?.pop() !== undefined) {
      this.#count -= 1;
    }
  }

  /** Takes the requests without a response. @returns their ids as they were written */
  *take(): Iterable<string> {
    for (const ids of this.#written.values()) {
      for (const id of ids.splice(0)) {
        this.#count -= 1;
        yield id;
      }
    }
  }
}

/** Whether two ids, as JSON texts, have the same value. */
export function isSameId(one: string, other: string): boolean {
  return valueKey(one) === valueKey(other);
}

/** The id's value in a form that differs for `1` and `"1"`. */
function valueKey(id: string): string {
  // Most ids are small numbers, which have one spelling.
  return /^[1-9]\d{0,14}$/.test(id) ? id : (JSON.stringify(parseJson(id)) ?? '');
}
