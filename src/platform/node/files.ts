import { watch as watchDirectory } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';

/** The few things that journal and lock do with a disk. Files are for this user only. */
export interface Files {
  /** Makes a directory and those above it. */
  makeDirectory(path: string): Promise<void>;
  /** The names in a directory; none when it is missing. */
  list(path: string): Promise<string[]>;
  /** The text of a file; `undefined` when it is missing. */
  read(path: string): Promise<string | undefined>;
  /** Makes a new file and brings it to the disk. @returns false when there is one of that name already */
  create(path: string, text: string): Promise<boolean>;
  /** The same, and keeps the file open: what is written later goes into this very file, whoever has its name by then. */
  createOpen(path: string, text: string): Promise<OpenFile | undefined>;
  /** Writes over the beginning of a file that is there and brings it to the disk. */
  overwrite(path: string, text: string): Promise<void>;
  /** Gives a file its name, in one step, and brings the directory to the disk. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is missing is fine. */
  remove(path: string): Promise<void>;
  /** Calls `changed` when something in the directory may have changed. A hint only: it can stay mute. */
  watch(path: string, changed: () => void): { close(): void };
}

/** A file that is held open. */
export interface OpenFile {
  /** Writes over its beginning. */
  overwrite(text: string): Promise<void>;
  close(): Promise<void>;
}

export const files: Files | undefined = {
  makeDirectory: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
  },
  list: async (path) => (await unlessMissing(readdir(path))) ?? [],
  read: (path) => unlessMissing(readFile(path, 'utf8')),
  create: async (path, text) => {
    const file = await openNew(path, text);
    await file?.close();
    return file !== undefined;
  },
  createOpen: async (path, text) => {
    const file = await openNew(path, text);
    return (
      file && {
        // At the beginning each time; a handle goes on where it stopped.
        overwrite: async (later) => void (await file.write(later, 0, 'utf8')),
        close: () => file.close(),
      }
    );
  },
  overwrite: async (path, text) => {
    const file = await open(path, 'r+');
    try {
      await writeThrough(file, text);
    } finally {
      await file.close();
    }
  },
  rename: async (from, to) => {
    await rename(from, to);
    await syncDirectory(to.slice(0, to.lastIndexOf('/')));
  },
  remove: (path) => rm(path, { force: true }),
  watch: (path, changed) => {
    try {
      const watcher = watchDirectory(path, { persistent: false }, changed);
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return { close: () => undefined };
    }
  },
};

/** `undefined` when there is a file of that name. One that cannot be written whole does not stay. */
async function openNew(path: string, text: string): Promise<FileHandle | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') {
      return undefined;
    }
    throw error;
  }
  try {
    await writeThrough(file, text);
    return file;
  } catch (error) {
    await file.close();
    await rm(path, { force: true });
    throw error;
  }
}

/** All of it: a single write may take a part only, as on a disk that is about to be full, and say nothing. */
async function writeThrough(file: FileHandle, text: string): Promise<void> {
  await file.writeFile(text);
  await file.sync();
}

/** A name is lost in a crash unless its directory reached the disk; Windows does that by itself and has no such call. */
async function syncDirectory(path: string): Promise<void> {
  if (process.platform === 'win32') {
    return;
  }
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
