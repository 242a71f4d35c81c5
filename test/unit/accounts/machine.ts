import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { Accounts } from '../../../src/accounts/accounts.ts';
import type { Account, AccountsChange } from '../../../src/accounts/registry.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Identity } from '../../../src/notion/identity.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { files as platformFiles } from '../../../src/platform/node/files.ts';
import type { GrantRequests } from '../../../src/renewal/grantRequests.ts';
import { Journal } from '../../../src/storage/journal.ts';
import type { LockTiming } from '../../../src/storage/lock.ts';
import { SecretStore, type Secrets } from '../../../src/storage/secretStore.ts';
import { TokenServer } from '../renewal/tokenServer.ts';
import { MemorySecretStorage } from '../storage/memorySecrets.ts';

export const files = platformFiles as Files;

/** Real time that a test can move forward. */
export class MovableClock implements Clock {
  aheadMs = 0;
  nowMs(): number {
    return systemClock.nowMs() + this.aheadMs;
  }
  monotonicMs(): number {
    return systemClock.monotonicMs() + this.aheadMs;
  }
  after(delayMs: number, action: () => void): () => void {
    return systemClock.after(delayMs, action);
  }
}

export interface WindowOptions {
  files?: Files | undefined;
  serverUrl?: string;
  clock?: Clock;
  /** The window's SecretStorage, if the window loaded it earlier. */
  secrets?: Secrets;
  openedAtMs?: number;
  requests?: GrantRequests;
  /** Reads whose account it is, with the window's accounts. By default, one of the `requests`. */
  identify?: (accounts: Accounts, grant: Grant) => Promise<Identity>;
  /** The journal of another machine, or another profile’s path to the journal of this one. */
  directory?: string;
}

/** One computer: a real disk, a secret store, a clock, and as many windows as a test opens. */
export class Machine {
  readonly clock = new MovableClock();
  readonly server = new TokenServer(() => this.clock.nowMs());
  readonly logLines: string[] = [];
  /**
   * A pause of the process of more than twenty polls counts as sleep, and a lock is then not taken over: on a busy
   * machine such pauses are frequent up to some tenths of a second.
   */
  lockTiming: LockTiming = { heartbeatMs: 5, pollMs: 20, takeoverAgeMs: 1_000, longestHoldMs: 5_000 };
  /** The random fraction for all jitter. */
  fraction = 0.01;
  readonly secrets: MemorySecretStorage;
  /** Whether the installation has accounts, as its windows remember. */
  hasAccounts = false;
  readonly directory: string;
  readonly #windows: Window[] = [];

  private constructor(directory: string, secrets: MemorySecretStorage) {
    this.directory = directory;
    this.secrets = secrets;
  }

  static async start(t: TestContext, secrets = new MemorySecretStorage()): Promise<Machine> {
    const root = await mkdtemp(join(tmpdir(), 'machine-'));
    const machine = new Machine(join(root, 'journal'), secrets);
    t.after(async () => {
      await Promise.all(machine.#windows.map(({ accounts }) => accounts.dispose()));
      await rm(root, { recursive: true, force: true, maxRetries: 5 });
    });
    return machine;
  }

  /** Opens a window and loads its accounts. */
  async open(options: WindowOptions = {}): Promise<Window> {
    const window = this.openUnloaded(options);
    this.#windows.push(window);
    await window.accounts.load();
    return window;
  }

  /** Opens a window that the test loads itself. It is not disposed, as it may be dead when the test ends. */
  openUnloaded(options: WindowOptions = {}): Window {
    const { serverUrl, clock, secrets, openedAtMs, requests = this.server.requests, directory } = options;
    const line = (text: string): void => void this.logLines.push(text);
    const accounts = new Accounts({
      secrets: secrets ?? this.secrets.window(),
      openedAtMs: openedAtMs ?? this.clock.nowMs(),
      files: 'files' in options ? options.files : files,
      directory: directory ?? this.directory,
      lockTiming: this.lockTiming,
      requests,
      identify: (grant) => options.identify?.(accounts, grant) ?? requests.identify(grant),
      clock: clock ?? this.clock,
      randomness: { ...systemRandomness, fraction: () => this.fraction },
      log: new Log({ error: line, warn: line, info: line, debug: line }),
      usage: {
        get: () => this.secrets.kind === 'rewriting' || this.hasAccounts,
        set: (hasAccounts) => {
          this.hasAccounts = hasAccounts;
        },
      },
      serverUrl: serverUrl ?? 'https://mcp.example/mcp',
    });
    return new Window(accounts);
  }

  /** Stores an account under another label, as another version of the extension may have done, for `window` to read. */
  async relabel({ accounts }: Pick<Window, 'accounts'>, grantId: string, label: string): Promise<void> {
    const { grant } = accounts.find(grantId) ?? {};
    if (grant === undefined) {
      throw new Error('no such account');
    }
    const { directory, clock } = this;
    const journal = new Journal({ files, directory, clock, randomness: systemRandomness, openedAtMs: 0 });
    journal.addKeys(await new SecretStore(this.secrets.window()).readKeys());
    await journal.write({ ...grant, generation: grant.generation + 1, label });
    await accounts.wakeUp();
  }

  /** The contents of the journal's files, by name. */
  async journal(): Promise<Map<string, string>> {
    const names = await readdir(this.directory);
    return new Map(
      await Promise.all(
        names.map(
          async (name): Promise<[string, string]> => [name, await readFile(join(this.directory, name), 'utf8')],
        ),
      ),
    );
  }
}

/** A window and the events that it fired. */
export class Window {
  readonly accounts: Accounts;
  /** In order, such as `added ada (wiki)`; without the codes of labels. */
  readonly events: string[] = [];
  readonly #waiting: { event: string; resolve: () => void }[] = [];

  constructor(accounts: Accounts) {
    this.accounts = accounts;
    accounts.onDidChange((change) => this.#record(change));
  }

  /** The labels, without their codes. */
  get labels(): string[] {
    return this.accounts.list().map(({ grant }) => withoutCode(grant.label));
  }

  only(): Account {
    const [account, ...others] = this.accounts.list();
    if (account === undefined || others.length > 0) {
      throw new Error(`there are ${others.length + (account ? 1 : 0)} accounts`);
    }
    return account;
  }

  /** Waits until the window fires the event, unless it already has. */
  async waitForEvent(event: string): Promise<void> {
    if (!this.events.includes(event)) {
      await new Promise<void>((resolve) => this.#waiting.push({ event, resolve }));
    }
  }

  #record(change: AccountsChange): void {
    for (const kind of ['added', 'changed', 'removed'] as const) {
      for (const { grant } of change[kind]) {
        const event = `${kind} ${withoutCode(grant.label)}`;
        this.events.push(event);
        for (const waiting of this.#waiting.filter((each) => each.event === event)) {
          waiting.resolve();
        }
      }
    }
  }
}

/** A label without the code that makes it differ from all others. */
export function withoutCode(label: string): string {
  return label.replace(/ · [0-9A-Z]{5}$/, '');
}
