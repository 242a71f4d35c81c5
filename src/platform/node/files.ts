import { constants, type Stats, watch as watchDirectory } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { systemErrorCode } from '../../core/errorInfo.ts';
import { type Files, notPrivateCode } from '../contract.ts';

/** What others may do with a file or directory: its mode's bits for the group and for everybody else. */
const othersBits = 0o077;
/** Far more than any file of ours has. */
const maxBytes = 1_048_576;

export const files: Files | undefined = {
  makePrivateDirectory: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    const found = await stat(path);
    if (!isOthers(found) && isPrivate(found)) {
      return;
    }
    if (!isOthers(found)) {
      await chmod(path, 0o700);
    }
    // Some file systems ignore the mode.
    if (isOthers(found) || !isPrivate(await stat(path))) {
      throw Object.assign(new Error('other users can change the directory'), { code: notPrivateCode });
    }
  },
  list: async (path) => {
    const entries = (await unlessMissing(readdir(path, { withFileTypes: true }))) ?? [];
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  },
  read: readOwn,
  writtenAtMs: async (path) => (await unlessMissing(lstat(path)))?.mtimeMs,
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

/**
 * Reads a regular file of this user, and nothing else that has its name: a named pipe, for example, would let the
 * reader wait for ever. A file of this user that others can access, or that its user cannot read, is made private.
 */
async function readOwn(path: string): Promise<string | undefined> {
  const file = await openOwn(path);
  if (file === undefined) {
    return undefined;
  }
  try {
    const found = await file.stat();
    if (!found.isFile() || isOthers(found) || found.size > maxBytes) {
      return undefined;
    }
    if (!isPrivate(found)) {
      await file.chmod(0o600);
    }
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** Windows lacks these flags, and the links and pipes that they are for. */
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as Partial<typeof constants> & { O_RDONLY: number };

async function openOwn(path: string, isRepaired = false): Promise<FileHandle | undefined> {
  try {
    return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    switch (systemErrorCode(error)) {
      case 'ENOENT':
      case 'ELOOP':
      case 'EISDIR':
      // A socket.
      case 'ENXIO':
      case 'EOPNOTSUPP':
        return undefined;
      case 'EACCES':
        if (!isRepaired && (await repair(path))) {
          return openOwn(path, true);
        }
    }
    throw error;
  }
}

/** Lets this user read a file of their own. @returns false for anything else */
async function repair(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || !found.isFile() || isOthers(found)) {
    return false;
  }
  return chmod(path, 0o600).then(
    () => true,
    () => false,
  );
}

/** Windows knows no user ids; there, the folders of the user are private. */
function isOthers({ uid }: Stats): boolean {
  return process.getuid !== undefined && uid !== process.getuid();
}

function isPrivate({ mode }: Stats): boolean {
  return process.platform === 'win32' || (mode & othersBits) === 0;
}

/** `undefined` if something of that name exists. A file that cannot be written completely is removed. */
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
