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
import { type AccountReport, fastLocks, type StorageOrders, type WindowOrders, type WindowReport } from './protocol.ts';
import { secretsAt } from './secrets.ts';
import { type ServerKind, startTorturedServer, type TorturedServer } from './servers.ts';

const nobody: Identity = { userId: '', userName: 'Nobody', workspaceId: 'workspace', workspaceName: 'Workspace' };
const windowProgram = fileURLToPath(new URL('window.ts', import.meta.url));
const storageProgram = fileURLToPath(new URL('storage.ts', import.meta.url));

/** A window in a process of its own. */
export class WindowProcess {
  readonly child: ChildProcess;
  readonly userAgent: string;
  /** All that it said of its accounts, by their ids; `undefined` until it said anything. */
  accounts: Map<string, AccountReport> | undefined;
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #looks = 0;
  #lastLook = 0;

  constructor(orders: WindowOrders, heard: (report: WindowReport) => void) {
    this.userAgent = orders.userAgent;
    this.child = fork(windowProgram, [JSON.stringify(orders)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (message: WindowReport | string) => {
      if (typeof message === 'string') {
        this.lines.push(`${Math.round(performance.now())} ${orders.userAgent} ${message}`);
        return;
      }
      const before = message.isWhole ? [] : (this.accounts ?? []);
      this.accounts = new Map([...before, ...message.accounts.map((each) => [each.id, each] as const)]);
      this.#lastLook = message.look ?? this.#lastLook;
      heard(message);
      for (const wake of this.#waiting) {
        wake();
      }
    });
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits until what it said of its accounts fits. @throws when the window ends before, or after 30 seconds */
  reports(fits: (accounts: AccountReport[]) => boolean): Promise<AccountReport[]> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => end(new Error(`no such report: ${JSON.stringify(said())}`)), 30_000);
      const said = (): AccountReport[] => [...(this.accounts?.values() ?? [])];
      const look = (): void => {
        if (this.accounts !== undefined && fits(said())) {
          end();
        }
      };
      const died = (): void => end(new Error('the window ended'));
      const end = (error?: Error): void => {
        clearTimeout(limit);
        this.#waiting.delete(look);
        this.child.off('exit', died);
        if (error === undefined) {
          resolve(said());
        } else {
          reject(error);
        }
      };
      this.#waiting.add(look);
      this.child.once('exit', died);
      look();
    });
  }

  /** Makes it look around at once and waits for what it says then. */
  async look(): Promise<AccountReport[]> {
    this.#looks += 1;
    const number = this.#looks;
    this.child.send(number);
    return this.reports(() => this.#lastLook === number);
  }

  async kill(): Promise<void> {
    if (this.isAlive) {
      const gone = once(this.child, 'exit');
      this.child.kill('SIGKILL');
      await gone;
    }
  }

  async end(): Promise<void> {
    if (this.isAlive) {
      const gone = once(this.child, 'exit');
      this.child.send('end');
      await gone;
    }
  }
}

export interface SwarmOptions {
  accounts: number;
  /** Of access tokens. */
  lifeSeconds: number;
  server?: ServerKind;
  storage?: StorageOrders['kind'];
  seed?: number;
}

/** A server, a computer with accounts on it, and the windows that share them. */
export class Swarm {
  readonly server: TorturedServer;
  readonly windows: WindowProcess[] = [];
  readonly #directory: string;
  readonly #storage: ChildProcess;
  readonly #storagePort: number;
  /** The last refresh token that a window held, by account. */
  readonly #lastTokens = new Map<string, string>();
  /** The account of each refresh token that a window held. */
  readonly #accounts = new Map<string, string>();
  /** Accounts that need their person, as far as windows have said. */
  readonly #waiting = new Set<string>();
  #opened = 0;
  #people = 0;
  /** Accounts whose person had to sign in again. */
  readonly #signOuts = { avoidable: [] as string[], unavoidable: 0 };

  private constructor(server: TorturedServer, directory: string, storage: ChildProcess, storagePort: number) {
    this.server = server;
    this.#directory = directory;
    this.#storage = storage;
    this.#storagePort = storagePort;
  }

  /** Signs in `accounts` accounts. */
  static async start({
    accounts,
    lifeSeconds,
    server: kind = 'notion',
    storage = 'shared',
    seed = 1,
  }: SwarmOptions): Promise<Swarm> {
    const server = await startTorturedServer(kind);
    server.setTokenLife(lifeSeconds);
    const orders: StorageOrders = { kind: storage, seed };
    const scheduler = fork(storageProgram, [JSON.stringify(orders)]);
    const [port] = (await once(scheduler, 'message')) as [number];
    const swarm = new Swarm(server, await mkdtemp(join(tmpdir(), 'swarm-')), scheduler, port);
    await swarm.signIn(accounts);
    return swarm;
  }

  /** As many people sign in for the first time, in a window that ends afterwards. */
  signIn(accounts: number): Promise<void> {
    return this.#inWindow(async (store, http) => {
      for (let count = 0; count < accounts; count += 1) {
        this.#people += 1;
        const identity = { ...nobody, userId: `user-${this.#people}` };
        await store.storeSignIn({ ...(await this.server.signIn(http)), identity });
      }
    });
  }

  /** Everybody whose account needs it signs in again; whether that could have been avoided is judged before. */
  signInAgain(): Promise<void> {
    return this.#inWindow(async (store, http) => {
      for (const { grant } of store.list().filter(({ state }) => state === 'needsSignIn')) {
        if (this.hasLostAnswer(grant.id)) {
          this.#signOuts.unavoidable += 1;
        } else {
          this.#signOuts.avoidable.push(grant.id);
        }
        await store.storeSignIn({ ...(await this.server.signIn(http)), identity: grant.identity ?? nobody });
        this.#waiting.delete(grant.id);
      }
    });
  }

  async #inWindow(act: (store: Accounts, http: Http) => Promise<void>): Promise<void> {
    const http = createPlatformHttp({ userAgent: 'person' });
    const secrets = await secretsAt(this.#storagePort);
    const store = new Accounts({
      secrets,
      files,
      directory: `${this.#directory}/journal`,
      lockTiming: fastLocks,
      protocol: createGrantRequests(http, systemClock),
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

  open(orders: Partial<WindowOrders> = {}): WindowProcess {
    this.#opened += 1;
    const window = new WindowProcess(
      {
        directory: this.#directory,
        storagePort: this.#storagePort,
        serverUrl: this.server.mcpUrl,
        userAgent: `window/${this.#opened}`,
        ...orders,
      },
      (report) => this.#note(report),
    );
    window.child.on('exit', () => this.server.front.ledger.killed(window.userAgent));
    this.windows.push(window);
    return window;
  }

  /** How many accounts need their person, as far as windows have said. */
  get waitingForTheirPerson(): number {
    return this.#waiting.size;
  }

  /** Those that were signed in again: the ids of those for whom nothing had been lost, and how many others. */
  get signOuts(): { avoidable: readonly string[]; unavoidable: number } {
    return this.#signOuts;
  }

  /** Whether an answer of this account's was lost since it signed in last. */
  hasLostAnswer(accountId: string): boolean {
    const token = this.#lastTokens.get(accountId);
    return token !== undefined && this.server.front.ledger.hasLost(token);
  }

  /** Everything that windows logged of an account, in the order of time. */
  linesOf(accountId: string): string[] {
    const lines = this.windows.flatMap((window) => window.lines).filter((line) => line.includes(accountId));
    return lines.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10));
  }

  /** The account that a refresh token was of, if a window ever held it. */
  accountOf(refreshToken: string): string | undefined {
    return this.#accounts.get(refreshToken);
  }

  /** How often a window logged a line with `part` in it. */
  logged(part: string): number {
    return this.windows.flatMap(({ lines }) => lines).filter((line) => line.includes(part)).length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.windows.map((window) => window.kill()));
    this.#storage.kill();
    await this.server.close();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }

  #note({ accounts }: WindowReport): void {
    for (const { id, refreshToken, state } of accounts) {
      if (state === 'needsSignIn') {
        this.#waiting.add(id);
      }
      if (refreshToken !== undefined) {
        this.server.front.ledger.held(refreshToken);
        this.#lastTokens.set(id, refreshToken);
        this.#accounts.set(refreshToken, id);
      }
    }
  }
}
