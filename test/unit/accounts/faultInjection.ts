import type { Clock } from '../../../src/core/clock.ts';

/** What happens at one awaited call of a window: before the port has acted on it, or after. */
const deeds = [
  'throws before',
  'throws after',
  'hangs before',
  'hangs after',
  'dies before',
  'dies after',
  /** And what it stored in the secret storage has not reached the disk: that resolves before it is flushed. */
  'dies unflushed',
] as const;
export type Deed = (typeof deeds)[number];

/** What can befall a call: whether one that only reads was acted on makes no difference. */
export function deedsAt(call: string): readonly Deed[] {
  const isReading = /\.(get|keys|list|read|probe)$/.test(call);
  return deeds.filter((deed) => !isReading || !deed.endsWith('after'));
}

/**
 * Goes between a window and everything that it awaits, and strikes at one call: the call fails, is never answered, or
 * is the last that the window makes.
 */
export class Perils {
  /** Every call so far, as `port.method`. */
  readonly calls: string[] = [];
  readonly #at: number;
  readonly #deed: Deed;
  readonly #struck = Promise.withResolvers<void>();
  #isDead = false;

  /** Strikes at the call of this number, counted from one. */
  constructor(at: number, deed: Deed) {
    this.#at = at;
    this.#deed = deed;
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
    if (this.#deed.endsWith('after') || this.#deed.endsWith('unflushed')) {
      await act();
    }
    this.#struck.resolve();
    if (this.#deed.startsWith('throws')) {
      throw Object.assign(new Error(`struck at ${name}`), { code: 'EIO' });
    }
    this.#isDead = this.#deed.startsWith('dies');
    return never;
  }
}

const never = new Promise<never>(() => undefined);
