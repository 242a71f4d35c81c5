import { constants, type Stats } from 'node:fs';
import { access, chmod, lstat, mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toHex } from '../../core/encoding.ts';
import { systemErrorCode } from '../../core/errorInfo.ts';
import type { Randomness } from '../../core/random.ts';
import type { ConfigurationFile } from './contract.ts';
import { ConfigurationProblem } from './problem.ts';

/** Far more than a configuration has, also if an agent keeps its state in it. */
const maxBytes = 32 * 1_048_576;
const newFileMode = 0o600;

/** Windows lacks these flags, and the links and pipes that they are for. */
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants as Partial<typeof constants> & { O_RDONLY: number };

/**
 * Reads a regular file of this user, also where a link points to it. Anything else is left alone: a named pipe, for
 * example, would let the reader wait for ever.
 * @throws ConfigurationProblem or the file system's error
 */
export async function readConfiguration(path: string): Promise<ConfigurationFile> {
  const target = await targetOf(path);
  if (target === undefined) {
    return { path, target: path, text: undefined, mode: newFileMode };
  }
  // Before it is opened, because opening a device may already do something.
  assertReadable(await stat(target));
  const file = await open(target, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = await file.stat();
    assertReadable(found);
    return { path, target, text: decoded(await file.readFile()), mode: found.mode & 0o777 };
  } finally {
    await file.close();
  }
}

/**
 * Replaces a configuration at once; its permissions and the link to it stay.
 * @returns the folder that had to be made for it
 * @throws ConfigurationProblem or the file system's error; then the file is as it was
 */
export async function writeConfiguration(
  { path, target, text: before, mode }: ConfigurationFile,
  text: string,
  randomness: Randomness,
): Promise<string | undefined> {
  const madeFolder = await mkdir(dirname(target), { recursive: true });
  await assertWritable(target, before);
  const temporary = join(dirname(target), `.${toHex(randomness.bytes(8))}.new`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(temporary, mode);
    await assertUnchanged(path, before);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw readOnlyOr(error);
  }
  return madeFolder;
}

/** Removes a configuration that was made by us. @throws ConfigurationProblem or the file system's error */
export async function removeConfiguration({ path, target, text }: ConfigurationFile): Promise<void> {
  await assertWritable(target, text);
  await assertUnchanged(path, text);
  await rm(target, { force: true }).catch((error: unknown) => {
    throw readOnlyOr(error);
  });
}

/** The path of a file without links; undefined if there is none. */
async function targetOf(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' && (await lstat(path).catch(() => undefined)) === undefined) {
      return undefined;
    }
    if (['ENOENT', 'ELOOP', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) {
      throw new ConfigurationProblem('notAFile', { cause: error });
    }
    throw error;
  }
}

function assertReadable(found: Stats): void {
  if (!found.isFile()) {
    throw new ConfigurationProblem('notAFile');
  }
  if (process.getuid !== undefined && found.uid !== process.getuid()) {
    throw new ConfigurationProblem('ofAnotherUser');
  }
  if (found.size > maxBytes) {
    throw new ConfigurationProblem('tooLarge');
  }
}

function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new ConfigurationProblem('invalid', { cause: error });
  }
}

/** A read-only file could be replaced in a folder that is not, and by the superuser; but its user protected it. */
async function assertWritable(target: string, before: string | undefined): Promise<void> {
  if (before === undefined) {
    return;
  }
  try {
    await access(target, constants.W_OK);
  } catch (error) {
    throw readOnlyOr(error);
  }
  if (((await stat(target)).mode & 0o200) === 0) {
    throw new ConfigurationProblem('readOnly');
  }
}

async function assertUnchanged(path: string, before: string | undefined): Promise<void> {
  if ((await readConfiguration(path)).text !== before) {
    throw new ConfigurationProblem('changedMeanwhile');
  }
}

function readOnlyOr(error: unknown): unknown {
  const isReadOnly = ['EACCES', 'EPERM', 'EROFS'].includes(systemErrorCode(error) ?? '');
  return isReadOnly ? new ConfigurationProblem('readOnly', { cause: error }) : error;
}
