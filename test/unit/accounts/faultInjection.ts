import type { Clock } from '../../../src/core/clock.ts';

/** What happens at one awaited call of a window: before its port executes the call, or after. */
const faultKinds = [
  'throws before',
  'throws after',
  /** A file is written in part, as on a disk that becomes full. */
  'throws halfway',
  'hangs before',
  'hangs after',
  'dies before',
  'dies after',
  'dies halfway',
  /** The window's changes to SecretStorage have not reached the disk: `store` resolves before it is flushed. */
  'dies unflushed',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** The faults to inject at a call. For a call that only reads, it makes no difference whether it was executed. */
export function faultsAt(call: string): readonly FaultKind[] {
  const isReading = /\.(get|keys|list|read|writtenAtMs|probe)$/.test(call);
  const isWriting = /^files\.(create|createOpen|overwrite)$/.test(call);
  return faultKinds.filter(
    (fault) => (!isReading || !fault.endsWith('after')) && (isWriting || !fault.endsWith('halfway')),
  );
}

/**
 * Stands between a window and everything that it awaits, and injects a fault at one call: the call fails, never
 * returns, or is the last that the window makes.
 */
export class FaultInjector {
  /** Every call so far, as `port.method`. */
  readonly calls: string[] = [];
  readonly #at: number;
  readonly #fault: FaultKind;
  readonly #injected = Promise.withResolvers<void>();
  #isDead = false;

  /** Injects `fault` at call number `at`, counted from one. */
  constructor(at: number, fault: FaultKind) {
    this.#at = at;
    this.#fault = fault;
  }

  /** Resolves when the fault has been injected. */
  get injected(): Promise<void> {
    return this.#injected.promise;
  }

  /** From now on the window makes no calls, and none of its timers runs. */
  kill(): void {
    this.#isDead = true;
  }

  /** The same port, with the fault injected if it is due at one of its asynchronous calls. */
  wrap<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, property) => {
        const method: unknown = Reflect.get(target, property);
        if (typeof method !== 'function' || property === 'onDidChange' || property === 'watch') {
          return method;
        }
        return (...values: unknown[]) =>
          this.#call(`${name}.${String(property)}`, (isHalf = false) =>
            Promise.resolve(method.apply(target, isHalf ? halved(values) : values)),
          );
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

  async #call<T>(name: string, execute: (isHalf?: boolean) => Promise<T>): Promise<T> {
    if (this.#isDead) {
      return never;
    }
    this.calls.push(name);
    if (this.calls.length !== this.#at) {
      return execute();
    }
    if (this.#fault.endsWith('after') || this.#fault.endsWith('unflushed')) {
      await execute();
    }
    if (this.#fault.endsWith('halfway')) {
      await execute(true);
    }
    this.#injected.resolve();
    if (this.#fault.startsWith('throws')) {
      throw Object.assign(new Error(`fault injected at ${name}`), { code: 'EIO' });
    }
    this.#isDead = this.#fault.startsWith('dies');
    return never;
  }
}

/** The path, and half of the text that is to be written there. */
function halved([path, text]: unknown[]): unknown[] {
  return [path, String(text).slice(0, String(text).length / 2)];
}

const never = new Promise<never>(() => undefined);
