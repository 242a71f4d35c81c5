import { watch as watchDirectory } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { systemErrorCode } from '../../core/errorInfo.ts';
import type { Files } from '../contract.ts';

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
    if (systemErrorCode(error) === 'EEXIST') {
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
    if (systemErrorCode(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
