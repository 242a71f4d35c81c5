import type { Clock } from '../core/clock.ts';
import { toBase64Url } from '../core/encoding.ts';
import { browserLimitMs } from './channel.ts';

/** A value that all windows of an installation share. The last one to write it wins. */
export interface SharedValue {
  /** When each sign-in is over at the latest, in milliseconds since 1970, by the hash of its `state`. */
  get(): Readonly<Record<string, number>>;
  set(value: Readonly<Record<string, number>>): PromiseLike<void>;
}

const maxAnnounced = 20;

/**
 * Tells the other windows which sign-ins wait for the browser, so that a window that receives the response to one of
 * them can say so. Holds only SHA-256 hashes of random values: they accept nothing, and no `state` can be guessed from them.
 */
export class AnnouncedSignIns {
  readonly #shared: SharedValue;
  readonly #clock: Clock;
  #writing: Promise<void> = Promise.resolve();

  constructor(shared: SharedValue, clock: Clock) {
    this.#shared = shared;
    this.#clock = clock;
  }

  /** Announces that a sign-in waits for a response with this `state`. */
  add(state: string): Promise<void> {
    const endMs = this.#clock.nowMs() + browserLimitMs;
    return this.#write(state, (announced, hash) => [...announced, [hash, endMs] as const].slice(-maxAnnounced));
  }

  /** Withdraws the announcement: the sign-in no longer waits. */
  remove(state: string): Promise<void> {
    return this.#write(state, (announced, hash) => announced.filter(([other]) => other !== hash));
  }

  /** Whether a sign-in of any window waits for a response with one of these `state` values. */
  async includesAny(states: readonly string[]): Promise<boolean> {
    const hashes = await Promise.all(states.map(hashOf));
    return this.#announced().some(([hash]) => hashes.includes(hash));
  }

  #announced(): [string, number][] {
    const nowMs = this.#clock.nowMs();
    return Object.entries(this.#shared.get()).filter(([, endMs]) => endMs > nowMs);
  }

  /** In order, as hashing takes a moment. Without an announcement, another window only says less. */
  #write(
    state: string,
    change: (announced: [string, number][], hash: string) => (readonly [string, number])[],
  ): Promise<void> {
    this.#writing = this.#writing
      .then(async () => {
        const hash = await hashOf(state);
        await this.#shared.set(Object.fromEntries(change(this.#announced(), hash)));
      })
      .catch(() => undefined);
    return this.#writing;
  }
}

async function hashOf(state: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state));
  return toBase64Url(new Uint8Array(digest));
}
