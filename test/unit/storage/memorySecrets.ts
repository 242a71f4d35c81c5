import type { Secrets } from '../../../src/storage/secretStore.ts';

type Listener = (event: { key: string }) => void;

/**
 * Stands in for the editor's SecretStorage, which needs an editor. `shared`: every window reads and writes one store,
 * as on a desktop. `rewriting`: a page rewrites all secrets from what it loaded, as on web hosts.
 */
export class MemorySecretStorage {
  readonly #kind: 'shared' | 'rewriting';
  #stored = new Map<string, string>();
  readonly #listeners = new Set<Listener>();
  /** Whether windows hear of each other's changes. */
  announces = true;

  constructor(kind: 'shared' | 'rewriting' = 'shared') {
    this.#kind = kind;
  }

  get contents(): Map<string, string> {
    return this.#stored;
  }

  /** A window died before what it stored was on the disk: all is as it was then. */
  restore(contents: ReadonlyMap<string, string>): void {
    this.#stored = new Map(contents);
  }

  /** What one window sees of it from now on. */
  window(): Secrets {
    const loaded = this.#kind === 'shared' ? undefined : new Map(this.#stored);
    const seen = (): Map<string, string> => loaded ?? this.#stored;
    const change = async (key: string, act: (secrets: Map<string, string>) => void): Promise<void> => {
      act(seen());
      this.#stored = loaded === undefined ? this.#stored : new Map(loaded);
      for (const listener of this.announces ? this.#listeners : []) {
        queueMicrotask(() => listener({ key }));
      }
    };
    return {
      get: async (key) => seen().get(key),
      keys: async () => [...seen().keys()],
      store: (key, value) => change(key, (secrets) => secrets.set(key, value)),
      delete: (key) => change(key, (secrets) => secrets.delete(key)),
      onDidChange: (listener: Listener) => {
        this.#listeners.add(listener);
        return { dispose: () => this.#listeners.delete(listener) };
      },
    };
  }
}
