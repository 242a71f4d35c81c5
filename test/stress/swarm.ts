import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPlatformHttp } from '#platform/transport';
import { Accounts } from '../../src/accounts/accounts.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Log } from '../../src/core/log.ts';
import { systemRandomness } from '../../src/core/random.ts';
import { accountLabel } from '../../src/grants/names.ts';
import type { Http } from '../../src/http/client.ts';
import type { Identity } from '../../src/notion/identity.ts';
import { files } from '../../src/platform/node/files.ts';
import { createGrantRequests } from '../../src/renewal/grantRequests.ts';
import {
  type AccountReport,
  fastLocks,
  type StorageOptions,
  type WindowOptions,
  type WindowReport,
} from './protocol.ts';
import { secretsAt } from './secrets.ts';
import { type ServerKind, type StressServer, startStressServer } from './servers.ts';

const testIdentity: Identity = { userId: '', userName: 'User', workspaceId: 'workspace', workspaceName: 'Workspace' };
const windowProgram = fileURLToPath(new URL('window.ts', import.meta.url));
const storageProgram = fileURLToPath(new URL('storage.ts', import.meta.url));

/** A window that runs in its own process. */
export class WindowProcess {
  readonly child: ChildProcess;
  readonly userAgent: string;
  /** The accounts that it last reported, by id; `undefined` before its first report. */
  accounts: Map<string, AccountReport> | undefined;
  readonly lines: string[] = [];
  readonly #reportListeners = new Set<() => void>();
  #lastRequestId = 0;
  #lastReportId = 0;

  constructor(options: WindowOptions, onReport: (report: WindowReport) => void) {
    this.userAgent = options.userAgent;
    this.child = fork(windowProgram, [JSON.stringify(options)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (message: WindowReport | string) => {
      if (typeof message === 'string') {
        this.lines.push(`${Math.round(performance.now())} ${options.userAgent} ${message}`);
        return;
      }
      const before = message.isComplete ? [] : (this.accounts ?? []);
      this.accounts = new Map([...before, ...message.accounts.map((each) => [each.id, each] as const)]);
      this.#lastReportId = message.requestId ?? this.#lastReportId;
      onReport(message);
      for (const listener of this.#reportListeners) {
        listener();
      }
    });
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until the reported accounts are as expected. @throws Error if the window ends first, or after 30 seconds */
  reports(isExpected: (accounts: AccountReport[]) => boolean): Promise<AccountReport[]> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => end(new Error(`no such report: ${JSON.stringify(reported())}`)), 30_000);
      const reported = (): AccountReport[] => [...(this.accounts?.values() ?? [])];
      const check = (): void => {
        if (this.accounts !== undefined && isExpected(reported())) {
          end();
        }
      };
      const onExit = (): void => end(new Error('the window ended'));
      const end = (error?: Error): void => {
        clearTimeout(limit);
        this.#reportListeners.delete(check);
        this.child.off('exit', onExit);
        if (error === undefined) {
          resolve(reported());
        } else {
          reject(error);
        }
      };
      this.#reportListeners.add(check);
      this.child.once('exit', onExit);
      check();
    });
  }

  /** Makes the window check for changes at once, and waits for its complete report. */
  async requestReport(): Promise<AccountReport[]> {
    this.#lastRequestId += 1;
    const requestId = this.#lastRequestId;
    this.child.send(requestId);
    return this.reports(() => this.#lastReportId === requestId);
  }

  async kill(): Promise<void> {
    if (this.isAlive) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await exited;
    }
  }

  async end(): Promise<void> {
    if (this.isAlive) {
      const exited = once(this.child, 'exit');
      this.child.send('end');
      await exited;
    }
  }
}

export interface SwarmOptions {
  accounts: number;
  /** The lifetime of access tokens. */
  lifeSeconds: number;
  server?: ServerKind;
  storage?: StorageOptions['kind'];
  seed?: number;
}

/** A server, a machine with accounts, and the windows that share them. */
export class Swarm {
  readonly server: StressServer;
  readonly windows: WindowProcess[] = [];
  readonly #directory: string;
  readonly #storage: ChildProcess;
  readonly #storagePort: number;
  /** The last refresh token that a window reported, by account. */
  readonly #lastTokens = new Map<string, string>();
  /** The account of each refresh token that a window reported. */
  readonly #accounts = new Map<string, string>();
  /** Accounts that windows reported as needing sign-in. */
  readonly #needingSignIn = new Set<string>();
  #openedCount = 0;
  #userCount = 0;
  /** Accounts that had to be signed in again. */
  readonly #signOuts = { avoidable: [] as string[], unavoidable: 0 };

  private constructor(server: StressServer, directory: string, storage: ChildProcess, storagePort: number) {
    this.server = server;
    this.#directory = directory;
    this.#storage = storage;
    this.#storagePort = storagePort;
  }

  /** Starts the server and the storage process, and signs in to the given number of accounts. */
  static async start({
    accounts,
    lifeSeconds,
    server: kind = 'notion',
    storage = 'shared',
    seed = 1,
  }: SwarmOptions): Promise<Swarm> {
    const server = await startStressServer(kind);
    server.setTokenLife(lifeSeconds);
    const options: StorageOptions = { kind: storage, seed };
    const storageProcess = fork(storageProgram, [JSON.stringify(options)]);
    const [port] = (await once(storageProcess, 'message')) as [number];
    const swarm = new Swarm(server, await mkdtemp(join(tmpdir(), 'swarm-')), storageProcess, port);
    await swarm.signIn(accounts);
    return swarm;
  }

  /** Signs in to the given number of new accounts, in a window that is closed afterwards. */
  signIn(accounts: number): Promise<void> {
    return this.#inWindow(async (store, http) => {
      for (let count = 0; count < accounts; count += 1) {
        this.#userCount += 1;
        const identity = { ...testIdentity, userId: `user-${this.#userCount}` };
        await store.storeSignIn({ ...(await this.server.signIn(http)), identity });
      }
    });
  }

  /** Signs in again to each account that needs it, and counts whether its sign-out was avoidable. */
  signInAgain(): Promise<void> {
    return this.#inWindow(async (store, http) => {
      for (const { grant } of store.list().filter(({ state }) => state === 'needsSignIn')) {
        if (this.hasLostResponse(grant.id)) {
          this.#signOuts.unavoidable += 1;
        } else {
          this.#signOuts.avoidable.push(grant.id);
        }
        await store.storeSignIn({ ...(await this.server.signIn(http)), identity: grant.identity ?? testIdentity });
        this.#needingSignIn.delete(grant.id);
      }
    });
  }

  async #inWindow(act: (store: Accounts, http: Http) => Promise<void>): Promise<void> {
    const http = createPlatformHttp({ userAgent: 'sign-in' });
    const secrets = await secretsAt(this.#storagePort);
    const store = new Accounts({
      secrets,
      files,
      directory: `${this.#directory}/journal`,
      lockTiming: fastLocks,
      requests: createGrantRequests(http, systemClock),
      clock: systemClock,
      randomness: systemRandomness,
      log: new Log({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }),
      openedAtMs: Date.now(),
      serverUrl: this.server.mcpUrl,
      labelFor: accountLabel,
    });
    await store.load();
    await act(store, http);
    await store.dispose();
    await secrets.close();
  }

  open(options: Partial<WindowOptions> = {}): WindowProcess {
    this.#openedCount += 1;
    const window = new WindowProcess(
      {
        directory: this.#directory,
        storagePort: this.#storagePort,
        serverUrl: this.server.mcpUrl,
        userAgent: `window/${this.#openedCount}`,
        ...options,
      },
      (report) => this.#recordReport(report),
    );
    window.child.on('exit', () => this.server.front.ledger.noteEnd(window.userAgent));
    this.windows.push(window);
    return window;
  }

  /** The number of accounts that windows reported as needing sign-in. */
  get accountsNeedingSignIn(): number {
    return this.#needingSignIn.size;
  }

  /** Accounts that had to be signed in again: the ids of those without a lost response, and the count of the others. */
  get signOuts(): { avoidable: readonly string[]; unavoidable: number } {
    return this.#signOuts;
  }

  /** Whether a response for this account was lost since its last sign-in. */
  hasLostResponse(accountId: string): boolean {
    const token = this.#lastTokens.get(accountId);
    return token !== undefined && this.server.front.ledger.hasLost(token);
  }

  /** The log lines of all windows about an account, in chronological order. */
  logLinesOf(accountId: string): string[] {
    const lines = this.windows.flatMap((window) => window.lines).filter((line) => line.includes(accountId));
    return lines.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  }

  /** The account of a refresh token, if a window ever reported it. */
  accountOf(refreshToken: string): string | undefined {
    return this.#accounts.get(refreshToken);
  }

  /** The number of log lines of all windows that contain `part`. */
  countLogLines(part: string): number {
    return this.windows.flatMap(({ lines }) => lines).filter((line) => line.includes(part)).length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.windows.map((window) => window.kill()));
    this.#storage.kill();
    await this.server.close();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  #recordReport({ accounts }: WindowReport): void {
    for (const { id, refreshToken, state } of accounts) {
      if (state === 'needsSignIn') {
        this.#needingSignIn.add(id);
      }
      if (refreshToken !== undefined) {
        this.server.front.ledger.noteHeld(refreshToken);
        this.#lastTokens.set(id, refreshToken);
        this.#accounts.set(refreshToken, id);
      }
    }
  }
}
