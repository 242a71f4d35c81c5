import { type Clock, within } from '../core/clock.ts';
import type { Files, OpenFile } from '../platform/contract.ts';
import type { Secrets } from './secretStore.ts';

/** The time limit of one file operation: a disk that does not respond, such as one of the network, must not block us. */
export const fileLimitMs = 10_000;
/** The time limit of one operation of SecretStorage. It may have to wait until the user unlocks the keyring. */
export const secretLimitMs = 60_000;

/** The same files, but an operation that takes too long rejects with code `ETIMEDOUT`. It may still take effect. */
export function limitFiles(files: Files, clock: Clock): Files {
  const limited = limiter(clock, fileLimitMs);
  return {
    makePrivateDirectory: (path) => limited(files.makePrivateDirectory(path)),
    list: (path) => limited(files.list(path)),
    read: (path) => limited(files.read(path)),
    writtenAtMs: (path) => limited(files.writtenAtMs(path)),
    create: (path, text) => limited(files.create(path, text)),
    createOpen: async (path, text) => {
      const opening = files.createOpen(path, text);
      try {
        const file = await limited(opening);
        return file && limitOpenFile(file, limited);
      } catch (error) {
        // It may be created yet, and then has no user.
        opening.then((file) => file?.close()).catch(() => undefined);
        throw error;
      }
    },
    overwrite: (path, text) => limited(files.overwrite(path, text)),
    rename: (from, to) => limited(files.rename(from, to)),
    remove: (path) => limited(files.remove(path)),
    watch: (path, changed) => files.watch(path, changed),
  };
}

/** The same secrets, but an operation that takes too long rejects with code `ETIMEDOUT`. It may still take effect. */
export function limitSecrets(secrets: Secrets, clock: Clock): Secrets {
  const limited = limiter(clock, secretLimitMs);
  return {
    get: (key) => limited(secrets.get(key)),
    store: (key, value) => limited(secrets.store(key, value)),
    delete: (key) => limited(secrets.delete(key)),
    keys: () => limited(secrets.keys()),
    onDidChange: (listener) => secrets.onDidChange(listener),
  };
}

type Limited = <T>(operation: PromiseLike<T>) => Promise<T>;

function limiter(clock: Clock, limitMs: number): Limited {
  const late = (): never => {
    throw Object.assign(new Error('the storage does not respond'), { code: 'ETIMEDOUT' });
  };
  return (operation) => within(Promise.resolve(operation), { clock, limitMs, late });
}

function limitOpenFile(file: OpenFile, limited: Limited): OpenFile {
  return { overwrite: (text) => limited(file.overwrite(text)), close: () => limited(file.close()) };
}
