/** Which requests a fault meets; every request where nothing is named. */
export interface Target {
  path?: string;
  grantType?: string;
  /** How many requests; until `clearFaults` where it is not said. */
  times?: number;
}

export type Fault =
  /** Answers this in the server's stead. */
  | { kind: 'answer'; status: number; body?: string; headers?: Record<string, string> }
  /** Cuts the connection before the server saw the request, or after it acted and before its answer. */
  | { kind: 'drop'; when: 'before' | 'after' }
  /** Takes the request and never answers. */
  | { kind: 'stall' };

interface Planned {
  target: Target;
  left: number;
  fault: Fault;
}

/** A held answer: the server has acted, its answer waits. */
export interface Hold {
  /** Resolves when a request was taken. */
  held: Promise<void>;
  release(): void;
}

/** What goes wrong, and when. */
export class Faults {
  #planned: Planned[] = [];
  #holds: { target: Target; taken: () => void; released: Promise<void> }[] = [];
  /** Milliseconds that every request waits before it reaches the server. */
  latencyMs = 0;

  add(target: Target, fault: Fault): void {
    this.#planned.push({ target, fault, left: target.times ?? Number.POSITIVE_INFINITY });
  }

  clear(): void {
    this.#planned = [];
    this.latencyMs = 0;
  }

  next(request: { path: string; grantType?: string }): Fault | undefined {
    const planned = this.#planned.find(({ target, left }) => left > 0 && meets(target, request));
    if (planned !== undefined) {
      planned.left -= 1;
    }
    return planned?.fault;
  }

  /** Holds the answer to the next such request until it is released. */
  hold(target: Target): Hold {
    const held = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#holds.push({ target, taken: held.resolve, released: released.promise });
    return { held: held.promise, release: released.resolve };
  }

  /** Waits for the release of a hold that meets this request. */
  async wait(request: { path: string; grantType?: string }): Promise<void> {
    const index = this.#holds.findIndex(({ target }) => meets(target, request));
    const [hold] = index < 0 ? [] : this.#holds.splice(index, 1);
    hold?.taken();
    await hold?.released;
  }
}

function meets({ path, grantType }: Target, request: { path: string; grantType?: string }): boolean {
  return (path === undefined || path === request.path) && (grantType === undefined || grantType === request.grantType);
}
