/** The requests that a fault affects. A field that is not set matches every request. */
export interface Target {
  path?: string;
  grantType?: string;
  /** How many requests are affected; if not set, all until `Faults.clear`. */
  times?: number;
}

export type Fault =
  /** Responds in place of the server. */
  | { kind: 'respond'; status: number; body?: string; headers?: Record<string, string> }
  /** Drops the connection before the server receives the request, or after it has acted but before it responds. */
  | { kind: 'drop'; when: 'before' | 'after' }
  /** Accepts the request and never responds. */
  | { kind: 'stall' };

interface PlannedFault {
  target: Target;
  remaining: number;
  fault: Fault;
}

/** A held response: the server has processed the request, and its response waits for `release`. */
export interface Hold {
  /** Resolves when a response is being held. */
  held: Promise<void>;
  release(): void;
}

/** The faults to inject, and the requests that they affect. */
export class Faults {
  #planned: PlannedFault[] = [];
  #holds: { target: Target; onHeld: () => void; released: Promise<void> }[] = [];
  /** The delay of every request before it reaches the server, in milliseconds. */
  latencyMs = 0;

  /** Plans a fault, and returns what ends it. */
  add(target: Target, fault: Fault): () => void {
    const planned = { target, fault, remaining: target.times ?? Number.POSITIVE_INFINITY };
    this.#planned.push(planned);
    return () => {
      this.#planned = this.#planned.filter((each) => each !== planned);
    };
  }

  clear(): void {
    this.#planned = [];
    this.latencyMs = 0;
  }

  /** The fault for this request, if there is one; it counts as used. */
  next(request: { path: string; grantType?: string }): Fault | undefined {
    const planned = this.#planned.find(({ target, remaining }) => remaining > 0 && matches(target, request));
    if (planned !== undefined) {
      planned.remaining -= 1;
    }
    return planned?.fault;
  }

  /** Holds the response to the next matching request until it is released. */
  hold(target: Target): Hold {
    const held = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#holds.push({ target, onHeld: held.resolve, released: released.promise });
    return { held: held.promise, release: released.resolve };
  }

  /** Waits for the release of the hold for this request, if there is one. */
  async wait(request: { path: string; grantType?: string }): Promise<void> {
    const index = this.#holds.findIndex(({ target }) => matches(target, request));
    const [hold] = index < 0 ? [] : this.#holds.splice(index, 1);
    hold?.onHeld();
    await hold?.released;
  }
}

function matches({ path, grantType }: Target, request: { path: string; grantType?: string }): boolean {
  return (path === undefined || path === request.path) && (grantType === undefined || grantType === request.grantType);
}

/**
 * An HTTP error of Notion's API with `Retry-After`. Documented for 429 and 529, and for the body of 503
 * (developers.notion.com/reference/request-limits).
 */
export function apiError(status: 429 | 503 | 529, retryAfterSeconds: number): Extract<Fault, { kind: 'respond' }> {
  const body = {
    object: 'error',
    status,
    ...apiErrors[status],
    additional_data: {
      retry_after: String(retryAfterSeconds),
      ...(status === 429 && { rate_limit_reason: 'public_api_request_rate_limit' }),
    },
  };
  const headers = { 'content-type': 'application/json', 'retry-after': String(retryAfterSeconds) };
  return { kind: 'respond', status, body: JSON.stringify(body), headers };
}

const apiErrors = {
  429: { code: 'rate_limited', message: 'This connection is sending requests too fast.' },
  503: { code: 'service_unavailable', message: 'Notion is unavailable.' },
  529: { code: 'service_overload', message: 'Notion is temporarily overloaded.' },
};
