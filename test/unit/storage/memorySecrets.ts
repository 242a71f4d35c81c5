import type { Secrets } from '../../../src/storage/secretStore.ts';

type Listener = (event: { key: string }) => void;

/**
 * A substitute for SecretStorage, which needs an editor. `shared`: every window reads and writes one store, as on a
 * desktop. `rewriting`: each page rewrites all secrets that it loaded, as on web hosts.
 */
export class MemorySecretStorage {
  readonly kind: 'shared' | 'rewriting';
  #stored = new Map<string, string>();
  readonly #listeners = new Set<Listener>();
  /** Whether windows receive events about each other's changes. */
  announces = true;

  constructor(kind: 'shared' | 'rewriting' = 'shared') {
    this.kind = kind;
  }

  get contents(): Map<string, string> {
    return this.#stored;
  }

  /** A window died before its changes were flushed to disk: restores the earlier contents. */
  restore(contents: ReadonlyMap<string, string>): void {
    this.#stored = new Map(contents);
  }

  /** The SecretStorage of a window that is opened now. */
  window(): Secrets {
    const loaded = this.kind === 'shared' ? undefined : new Map(this.#stored);
    const visible = (): Map<string, string> => loaded ?? this.#stored;
    const change = async (key: string, apply: (secrets: Map<string, string>) => void): Promise<void> => {
      apply(visible());
      this.#stored = loaded === undefined ? this.#stored : new Map(loaded);
      for (const listener of this.announces ? this.#listeners : []) {
        queueMicrotask(() => listener({ key }));
      }
    };
    return {
      get: async (key) => visible().get(key),
      keys: async () => [...visible().keys()],
      store: (key, value) => change(key, (secrets) => secrets.set(key, value)),
      delete: (key) => change(key, (secrets) => secrets.delete(key)),
      onDidChange: (listener: Listener) => {
        this.#listeners.add(listener);
        return { dispose: () => this.#listeners.delete(listener) };
      },
    };
  }
}
