import { isObject, jsonObject } from '../../../src/core/json.ts';
import type { Http, HttpRequest, HttpResponse } from '../../../src/http/client.ts';
import { eventData } from '../../../src/mcp/eventStream.ts';
import { transportFailure } from '../../../src/oauth/errorResponse.ts';

/** A response with its body as JSON. */
export interface Exchange {
  request: HttpRequest;
  status: number;
  headers: Headers;
  json: unknown;
}

/** Sends requests and keeps what came, because the product's functions return only what they need of it. */
export class Exchanges {
  readonly #all: Exchange[] = [];
  readonly http: Http;

  constructor(http: Http) {
    this.http = async (request) => {
      const response = await http(request);
      const { status, headers } = response;
      this.#all.push({ request, status, headers, json: jsonIn(response) });
      return response;
    };
  }

  /** Sends a request that the product has no function for. @throws Failure */
  async send(request: HttpRequest): Promise<Exchange> {
    try {
      await this.http(request);
    } catch (error) {
      throw transportFailure(error, 'discovery');
    }
    return this.last;
  }

  get last(): Exchange {
    const last = this.#all.at(-1);
    if (last === undefined) {
      throw new Error('nothing was sent');
    }
    return last;
  }

  get all(): readonly Exchange[] {
    return this.#all;
  }
}

/** The result of a JSON-RPC response; undefined if it has none. */
export function resultOf({ json }: Exchange): Record<string, unknown> | undefined {
  return isObject(json) && isObject(json.result) ? json.result : undefined;
}

/** The body's JSON, or that of the last event of a stream. */
function jsonIn({ headers, body }: HttpResponse): Record<string, unknown> | undefined {
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  return jsonObject((isStream ? eventData(body).at(-1) : body) ?? '');
}
