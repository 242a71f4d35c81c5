import { isDeepStrictEqual } from 'node:util';
import type { BridgeCommand } from '../bridgeCommand.ts';
import type { ServerRegistry } from './contract.ts';
import { ConfigurationProblem } from './problem.ts';

/** Servers by the names under which they are registered. */
export type RegisteredLaunches = ReadonlyMap<string, BridgeCommand>;

/**
 * The servers that this window has registered with its editor. Cursor documents no end of a registration and no list of
 * them, so what this window has registered is remembered here, and registered once.
 */
export class RegisteredServers {
  readonly #registry: ServerRegistry;
  readonly #launches = new Map<string, BridgeCommand>();
  /** What is under way; each update waits for the one before it, so that the last one counts. */
  #work: Promise<void> = Promise.resolve();

  constructor(registry: ServerRegistry) {
    this.#registry = registry;
  }

  /**
   * Registers what is wanted and unregisters everything else.
   * @throws what `wanted` throws, or ConfigurationProblem `commandFailed` if the editor refuses
   */
  update(wanted: () => Promise<RegisteredLaunches>): Promise<void> {
    const done = this.#work.then(async () => this.#replace(await wanted()));
    this.#work = done.catch(() => undefined);
    return done;
  }

  #replace(wanted: RegisteredLaunches): void {
    try {
      for (const [name, launch] of [...this.#launches]) {
        if (!isDeepStrictEqual(wanted.get(name), launch)) {
          this.#registry.unregister(name);
          this.#launches.delete(name);
        }
      }
      for (const [name, launch] of wanted) {
        if (!this.#launches.has(name)) {
          this.#registry.register(name, launch);
          this.#launches.set(name, launch);
        }
      }
    } catch (error) {
      throw new ConfigurationProblem('commandFailed', { cause: error });
    }
  }
}
