import { parseJson } from '../../core/json.ts';
import { unknownId } from '../../mcp/jsonRpc.ts';
import type { Message } from './message.ts';

/** The agent's requests that have no response yet. Each gets exactly one, from whatever takes it first. */
export class PendingRequests {
  readonly #requests = new Map<Message, { controller: AbortController; taken: () => void }>();

  /** Adds a request. `taken` is called when it is taken. @returns a signal that is aborted when it is cancelled */
  add(request: Message, taken: () => void): AbortSignal {
    const controller = new AbortController();
    this.#requests.set(request, { controller, taken });
    return controller.signal;
  }

  has(request: Message): boolean {
    return this.#requests.has(request);
  }

  /** Takes a request, to respond to it. @returns false if it has a response */
  take(request: Message): boolean {
    this.#requests.get(request)?.taken();
    return this.#requests.delete(request);
  }

  /** Takes the request of an id, and aborts its signal. */
  cancel(id: unknown): Message | undefined {
    for (const [request, { controller }] of this.#requests) {
      if (parseJson(request.id ?? unknownId) === id) {
        this.take(request);
        controller.abort();
        return request;
      }
    }
    return undefined;
  }
}
