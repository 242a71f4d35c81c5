import type { Clock } from '../../../src/core/clock.ts';

/** What happens at one awaited call of a window: before the port has acted on it, or after. */
const faultKinds = [
  'throws before',
  'throws after',
  'hangs before',
  'hangs after',
  'dies before',
  'dies after',
  /** And what it stored in the secret storage has not reached the disk: that resolves before it is flushed. */
  'dies unflushed',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What can befall a call: whether one that only reads was acted on makes no difference. */
export function faultsAt(call: string): readonly FaultKind[] {
  const isReading = /\.(get|keys|list|read|probe)$/.test(call);
  return faultKinds.filter((fault) => !isReading || !fault.endsWith('after'));
}

/**
 * Goes between a window and everything that it awaits, and strikes at one call: the call fails, is never answered, or
 * is the last that the window makes.
 */
export class FaultInjector {
  /** Every call so far, as `port.method`. */
  readonly calls: string[] = [];
  readonly #at: number;
  readonly #fault: FaultKind;
  readonly #struck = Promise.withResolvers<void>();
  #isDead = false;

  /** Strikes at the call of this number, counted from one. */
  constructor(at: number, fault: FaultKind) {
    this.#at = at;
    this.#fault = fault;
  }

  /** Resolves when it has struck. */
  get struck(): Promise<void> {
    return this.#struck.promise;
  }

  /** The window makes no further call, and none of its timers runs. */
  kill(): void {
    this.#isDead = true;
  }

  /** The same port, each of whose calls that gives a promise can be struck. */
  wrap<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, property) => {
        const method: unknown = Reflect.get(target, property);
        if (typeof method !== 'function' || property === 'onDidChange' || property === 'watch') {
          return method;
        }
        return (...values: unknown[]) =>
          this.#call(`${name}.${String(property)}`, () => Promise.resolve(method.apply(target, values)));
      },
    });
  }

  /** Timers of a dead window do not run. */
  wrapClock(clock: Clock): Clock {
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      after: (delayMs, action) => clock.after(delayMs, () => this.#isDead || action()),
    };
  }

  async #call<T>(name: string, act: () => Promise<T>): Promise<T> {
    if (this.#isDead) {
      return never;
    }
    this.calls.push(name);
    if (this.calls.length !== this.#at) {
      return act();
    }
    if (this.#fault.endsWith('after') || this.#fault.endsWith('unflushed')) {
      await act();
    }
    this.#struck.resolve();
    if (this.#fault.startsWith('throws')) {
      throw Object.assign(new Error(`struck at ${name}`), { code: 'EIO' });
    }
    this.#isDead = this.#fault.startsWith('dies');
    return never;
  }
}

const never = new Promise<never>(() => undefined);
