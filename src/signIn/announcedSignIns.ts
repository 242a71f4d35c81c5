import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import type { Files } from '../platform/contract.ts';
import { browserLimitMs } from './channel.ts';

export interface AnnouncedSignInsParts {
  files: Pick<Files, 'makePrivateDirectory' | 'create' | 'list' | 'remove'>;
  /** The journal's directory. */
  directory: string;
  clock: Clock;
}

/** Has the hash of the `state`, and until when the sign-in waits at the latest, in milliseconds since 1970. */
const fileName = /^([0-9a-f]{64})\.(\d{1,15})\.waiting$/;

/**
 * Tells the other windows which sign-ins wait for the browser, so that a window that receives the response to one of
 * them can say so. Each has a file of its own, because a window writes the editor's global state as a whole, and with it
 * over what another one wrote. Its name has the SHA-256 hash of the `state`, a random value that no hash reveals.
 */
export class AnnouncedSignIns {
  readonly #parts: AnnouncedSignInsParts;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: AnnouncedSignInsParts) {
    this.#parts = parts;
  }

  /** Announces that a sign-in waits for a response with this `state`. */
  add(state: string): Promise<void> {
    return this.#inOrder(async ({ files, directory, clock }) => {
      const nowMs = clock.nowMs();
      await files.makePrivateDirectory(directory);
      await files.create(`${directory}/${await hashOf(state)}.${nowMs + browserLimitMs}.waiting`, '');
      // What a window left behind that closed or crashed.
      await this.#remove(({ endMs }) => endMs <= nowMs);
    });
  }

  /** Withdraws the announcement: the sign-in no longer waits. */
  remove(state: string): Promise<void> {
    return this.#inOrder(async () => {
      const hash = await hashOf(state);
      await this.#remove((each) => each.hash === hash);
    });
  }

  /** Whether a sign-in of any window waits for a response with one of these `state` values. */
  async includesAny(states: readonly string[]): Promise<boolean> {
    const hashes = await Promise.all(states.map(hashOf));
    const announced = await this.#announced().catch(() => []);
    return announced.some(({ hash, endMs }) => endMs > this.#parts.clock.nowMs() && hashes.includes(hash));
  }

  async #announced(): Promise<Announcement[]> {
    const { files, directory } = this.#parts;
    return (await files.list(directory)).flatMap((name) => {
      const [, hash, endMs] = fileName.exec(name) ?? [];
      return hash === undefined ? [] : [{ path: `${directory}/${name}`, hash, endMs: Number(endMs) }];
    });
  }

  async #remove(isOver: (announcement: Announcement) => boolean): Promise<void> {
    for (const { path } of (await this.#announced()).filter(isOver)) {
      await this.#parts.files.remove(path);
    }
  }

  /** In order, as a sign-in may end before it is announced. Without an announcement, another window only says less. */
  #inOrder(write: (parts: AnnouncedSignInsParts) => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(() => write(this.#parts)).catch(() => undefined);
    return this.#writing;
  }
}

interface Announcement {
  path: string;
  hash: string;
  endMs: number;
}

async function hashOf(state: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state));
  return toHex(new Uint8Array(digest));
}
