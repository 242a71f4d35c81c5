import { once } from 'node:events';
import { connect } from 'node:net';
import type { Secrets } from '../../src/storage/secretStore.ts';
import { onLine, sendLine } from './lines.ts';
import type { StorageMessage } from './protocol.ts';

/** How long the editor collects writes before it sends them out of the window. */
const flushMs = 100;

type Listener = (event: { key: string }) => void;

/**
 * Connects a window to the secrets that `storage.ts` stores. The window has its own cache, which events update. A write
 * resolves before it leaves the window, so it is lost if the window is killed.
 */
export async function secretsAt(port: number): Promise<Secrets & { close(): Promise<void> }> {
  const cache = new Map<string, string>();
  const listeners = new Set<Listener>();
  const flushes = new Set<Promise<void>>();
  const loaded = Promise.withResolvers<void>();
  const socket = connect(port, '127.0.0.1');
  const put = (key: string, value: string | null): void => {
    if (value === null) {
      cache.delete(key);
    } else {
      cache.set(key, value);
    }
    for (const listener of listeners) {
      listener({ key });
    }
  };
  onLine<StorageMessage>(socket, (message) => {
    if ('all' in message) {
      for (const [key, value] of Object.entries(message.all)) {
        cache.set(key, value);
      }
      loaded.resolve();
    } else {
      put(message.key, message.value);
    }
  });
  const change = async (key: string, value: string | null): Promise<void> => {
    put(key, value);
    const flush = new Promise<void>((flushed) => {
      setTimeout(() => {
        sendLine(socket, { key, value, snapshot: Object.fromEntries(cache) });
        flushes.delete(flush);
        flushed();
      }, flushMs);
    });
    flushes.add(flush);
  };
  await loaded.promise;
  socket.unref();
  return {
    get: async (key) => cache.get(key),
    keys: async () => [...cache.keys()],
    store: (key, value) => change(key, value),
    delete: (key) => change(key, null),
    onDidChange: (listener: Listener) => {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
    // As in a window that is closed, not killed: waits until the storage process has received all writes.
    close: async () => {
      await Promise.all(flushes);
      socket.ref();
      socket.end();
      await once(socket, 'close');
    },
  };
}
