import { execFile } from 'node:child_process';
import { chown, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Why a test that gives a file to another user is skipped, if it is. */
export const skipUnlessRoot: string | false =
  process.getuid?.() === 0 ? false : 'only root can give a file to another user';

/** A user who does not run the tests. */
const otherUserId = 65_534;

export function giveAway(path: string): Promise<void> {
  return chown(path, otherUserId, otherUserId);
}

/** What may lie where a file of ours is expected, although it is no regular file of this user. */
export interface ForeignEntry {
  what: string;
  lay: (path: string) => Promise<unknown>;
  skip?: string | false;
}

const portable: ForeignEntry[] = [{ what: 'a directory', lay: (path) => mkdir(path) }];

/** Windows has no pipes and sockets among its files, and reserves links for administrators. */
const posix: ForeignEntry[] = [
  { what: 'a named pipe', lay: (path) => promisify(execFile)('mkfifo', [path]) },
  { what: 'a link to nothing', lay: (path) => symlink('nowhere', path) },
  { what: 'a link to itself', lay: (path) => symlink(path, path) },
  { what: 'a link to a directory', lay: (path) => symlink(dirname(path), path) },
  { what: 'a socket', lay: laySocket },
  {
    what: 'a file of another user',
    skip: skipUnlessRoot,
    lay: async (path) => {
      await writeFile(path, '');
      await giveAway(path);
    },
  },
];

export const foreignEntries: readonly ForeignEntry[] =
  process.platform === 'win32' ? portable : [...portable, ...posix];

/** The server is gone, as after a crash: it removes only the name under which it listened. */
async function laySocket(path: string): Promise<void> {
  const server = createServer();
  const first = join(dirname(path), 's');
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(first, resolve));
  await rename(first, path);
  await new Promise((resolve) => server.close(resolve));
}
