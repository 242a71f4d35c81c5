import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  type FSWatcher,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { systemErrorCode } from '../../src/core/errorInfo.ts';
import { type RecordName, recordsById } from '../../src/storage/journalFiles.ts';

export interface UnkindDiskOptions {
  /** The journal's directory. */
  directory: string;
  random: () => number;
  /**
   * Whether the whole directory may become unusable for a moment. Only where no window is killed: a window that cannot
   * write the disk has the new tokens in memory alone until the secret storage is flushed, and no implementation could
   * keep them if it is killed before.
   */
  mayBlock: boolean;
}

const longestStrayMs = 3_000;
const longestUnreadableMs = 2_000;
const longestInLocksPlaceMs = 1_000;
const longestBlockMs = 1_000;
const longestWatchMs = 2_000;
const retryMs = 100;

interface Stray {
  what: string;
  lay: (path: string) => void;
}

/** What can lie in the journal's directory under the name of a file of ours. */
const strays: readonly Stray[] = [
  { what: 'a directory', lay: (path) => mkdirSync(path) },
  { what: 'a named pipe', lay: makeNamedPipe },
  { what: 'a dangling link', lay: (path) => symlinkSync('nowhere', path) },
  { what: 'an empty file', lay: (path) => writeFileSync(path, '', { flag: 'wx' }) },
  {
    what: 'garbage',
    lay: (path) => writeFileSync(path, Buffer.alloc(5_000, 'b\u00e4\0\n.{', 'latin1'), { flag: 'wx' }),
  },
];

/**
 * Lays stray entries into the directory of a journal in use, and makes files vanish or unreadable for a moment. It never
 * removes the newest record of an account, not even for a moment: a window that is opened then knows only the copy of
 * the last sign-in, and a stopped one only what is in its memory, so either would present a spent refresh token.
 */
export class UnkindDisk {
  /** One line for each fault, in chronological order, as the log lines of a window. */
  readonly lines: string[] = [];
  /** How often every kind of fault has had its turn. */
  rounds = 0;
  readonly #options: UnkindDiskOptions;
  readonly #faults: readonly (() => void)[];
  /** The faults still to come until each has had its turn. */
  #turns: (() => void)[] = [];
  readonly #strays = new Set<string>();
  /** How to end the faults in effect. */
  readonly #undo = new Map<NodeJS.Timeout, () => void>();
  /** A record of each account from earlier. */
  readonly #earlier = new Map<string, { generation: number; text: string }>();

  constructor(options: UnkindDiskOptions) {
    this.#options = options;
    const inLocksPlace = strays.filter(({ what }) => what === 'a directory' || what === 'a dangling link');
    this.#faults = [
      ...strays.map((stray) => () => this.#toSome((account) => this.#lay(stray, this.#recordName(account, -1)))),
      ...strays.map((stray) => () => this.#toSome(({ id }) => this.#lay(stray, `${id}.${this.#hex()}.reserved`))),
      ...inLocksPlace.map((stray) => () => this.#toSome(({ id }) => this.#layInLocksPlace(stray, `${id}.lock`))),
      () => this.#toSome((account) => this.#copyFromOtherAccount(account)),
      () => this.#toSome((account) => this.#copyToHigherGeneration(account)),
      () => this.#toSome((account) => this.#copyWithUnknownKey(account)),
      () => this.#removeNextOlder(),
      () => this.#onNextFile('.reserved', (name) => this.#remove(name)),
      () => this.#onNextFile('.lock', (name) => this.#makeUnreadable(name)),
      () => this.#toSome(({ name }) => this.#makeUnreadable(name)),
      () => this.#makeUnreadable('mark'),
      () => this.#makeUnreadable('machineId'),
      ...(options.mayBlock ? [0o777, 0o500, 0o000] : [0o777]).map((mode) => () => this.#changeDirectory(mode)),
    ];
  }

  /** Brings about faults of one kind, if they are possible now. All kinds take turns, in random order. */
  strike(): void {
    if (this.#turns.length === 0) {
      this.#turns = [...this.#faults];
    }
    const [fault] = this.#turns.splice(this.#integer(this.#turns.length), 1);
    this.rounds += this.#turns.length === 0 ? 1 : 0;
    this.#attempt(() => {
      this.#remember();
      fault?.();
    });
  }

  /** Ends every fault: removes what was laid and restores what was made unreadable. */
  restore(): void {
    chmodSync(this.#options.directory, 0o700);
    for (const [timer, undo] of this.#undo) {
      clearTimeout(timer);
      this.#attempt(undo);
    }
    this.#undo.clear();
  }

  /** Affects a random half of the accounts. */
  #toSome(act: (newest: RecordName) => void): void {
    for (const newest of this.#newest()) {
      if (this.#integer(2) === 0) {
        this.#attempt(() => act(newest));
      }
    }
  }

  /** Ignores that a window is faster, or that an earlier fault is in the way. */
  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (systemErrorCode(error) === undefined) {
        throw error;
      }
    }
  }

  #lay({ what, lay }: Stray, name: string): void {
    this.#strays.add(name);
    lay(this.#path(name));
    this.#began(`${what}: ${name}`, longestStrayMs, () => {
      rmSync(this.#path(name), { recursive: true, force: true });
      this.#strays.delete(name);
    });
  }

  /** Fails if a window holds the lock. */
  #layInLocksPlace({ what, lay }: Stray, name: string): void {
    const path = this.#path(name);
    lay(path);
    const { ino } = lstatSync(path);
    this.#began(`${what}: ${name}`, longestInLocksPlaceMs, () => {
      // A window may have moved it aside and put its lock there.
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) {
        rmSync(path, { recursive: true, force: true });
      }
    });
  }

  #copyFromOtherAccount(account: RecordName): void {
    const others = this.#newest().filter(({ id }) => id !== account.id);
    const { name } = others[this.#integer(others.length)] ?? account;
    this.#layText(`a copy of ${name}`, this.#recordName(account, 1), readFileSync(this.#path(name), 'utf8'));
  }

  #copyToHigherGeneration(account: RecordName): void {
    const earlier = this.#earlier.get(account.id);
    if (earlier !== undefined && earlier.generation < account.generation) {
      this.#layText(`a copy of generation ${earlier.generation}`, this.#recordName(account, 1), earlier.text);
    }
  }

  #copyWithUnknownKey(account: RecordName): void {
    const [header = '', body] = readFileSync(this.#path(account.name), 'utf8').split('\n');
    const name = this.#recordName(account, 1);
    const generation = Number(name.split('.')[1]);
    const text = `${JSON.stringify({ ...JSON.parse(header), keyId: this.#hex(), generation })}\n${body}\n`;
    this.#layText('a record with an unknown key', name, text);
  }

  #layText(what: string, name: string, text: string): void {
    this.#lay({ what, lay: (path) => writeFileSync(path, text, { flag: 'wx', mode: 0o600 }) }, name);
  }

  /** Removes the older records of an account as soon as it gets a newer one. */
  #removeNextOlder(): void {
    this.#onNextFile('', (name) => {
      const [newest, ...others] = [...this.#records().values()].find(([first]) => first?.name === name) ?? [];
      for (const older of others.filter(({ generation }) => generation < (newest?.generation ?? 0))) {
        this.#remove(older.name);
      }
    });
  }

  /** Does something to the next file with this ending that a window creates, while the window uses it. */
  #onNextFile(ending: string, act: (name: string) => void): void {
    const watcher: FSWatcher = watch(this.#options.directory, (_, name) =>
      this.#attempt(() => {
        if (name?.endsWith(ending) && this.#names().includes(name)) {
          act(name);
          watcher.close();
        }
      }),
    );
    this.#later(longestWatchMs, () => watcher.close());
  }

  #remove(name: string): void {
    rmSync(this.#path(name));
    this.#note(`removed: ${name}`);
  }

  #makeUnreadable(name: string): void {
    chmodSync(this.#path(name), 0o000);
    this.#began(`unreadable: ${name}`, longestUnreadableMs, () => {
      // A window may have removed the record or released the lock.
      if (this.#names().includes(name)) {
        chmodSync(this.#path(name), 0o600);
      }
    });
  }

  #changeDirectory(mode: number): void {
    chmodSync(this.#options.directory, mode);
    this.#began(`the directory has mode ${mode.toString(8)}`, longestBlockMs, () =>
      chmodSync(this.#options.directory, 0o700),
    );
  }

  #began(what: string, longestMs: number, undo: () => void): void {
    this.#note(what);
    this.#later(this.#options.random() * longestMs, undo);
  }

  #note(what: string): void {
    this.lines.push(`${Math.round(performance.now())} disk ${what}`);
  }

  /** Ends a fault after a time; again and again while another fault makes the directory unusable. */
  #later(delayMs: number, undo: () => void): void {
    const timer = setTimeout(() => {
      this.#undo.delete(timer);
      try {
        undo();
      } catch {
        this.#later(retryMs, undo);
      }
    }, delayMs).unref();
    this.#undo.set(timer, undo);
  }

  /** Keeps a record of each account, to present it when it is no longer the newest. */
  #remember(): void {
    for (const { id, generation, name } of this.#newest().filter((record) => !this.#earlier.has(record.id))) {
      this.#earlier.set(id, { generation, text: readFileSync(this.#path(name), 'utf8') });
    }
  }

  /** The newest record of each account, not counting strays. */
  #newest(): RecordName[] {
    return [...this.#records().values()].flatMap(([newest]) => (newest === undefined ? [] : [newest]));
  }

  #records(): Map<string, RecordName[]> {
    return recordsById(this.#names());
  }

  #names(): string[] {
    return readdirSync(this.#options.directory).filter((name) => !this.#strays.has(name));
  }

  /** A name like that of another record of the account, at least `ahead` generations ahead of this one. */
  #recordName({ id, generation }: RecordName, ahead: number): string {
    return `${id}.${generation + ahead + this.#integer(3)}.${this.#hex()}`;
  }

  #path(name: string): string {
    return `${this.#options.directory}/${name}`;
  }

  #integer(below: number): number {
    return Math.floor(this.#options.random() * below);
  }

  #hex(): string {
    return Array.from({ length: 16 }, () => this.#integer(16).toString(16)).join('');
  }
}

/** @throws the file system's error */
function makeNamedPipe(path: string): void {
  spawnSync('mkfifo', [path]);
  lstatSync(path);
}
