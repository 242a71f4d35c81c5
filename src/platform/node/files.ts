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
        // At position 0 each time: a file handle otherwise continues where the last write ended.
        overwrite: async (newText) => void (await file.write(newText, 0, 'utf8')),
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

/** `undefined` if a file of that name exists. A file that cannot be written completely is removed. */
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

/** Writes all of the text: a single write may silently write only a part, for example on an almost full disk. */
async function writeThrough(file: FileHandle, text: string): Promise<void> {
  await file.writeFile(text);
  await file.sync();
}

/** A crash loses a new name unless its directory was flushed to disk. Windows does that itself and has no such call. */
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

async function unlessMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}
