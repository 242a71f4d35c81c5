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
import type { Http } from '../../src/http/client.ts';
import type { Identity } from '../../src/notion/identity.ts';
import { files } from '../../src/platform/node/files.ts';
import { createGrantRequests } from '../../src/renewal/grantRequests.ts';
import { fastLocks, type StorageOptions, type WindowOptions, type WindowReport } from './protocol.ts';
import { secretsAt } from './secrets.ts';
import { type ServerKind, type StressServer, startStressServer } from './servers.ts';
import { UnkindDisk, type UnkindDiskOptions } from './unkindDisk.ts';
import { WindowProcess } from './windowProcess.ts';

const testIdentity: Identity = { userId: '', userName: 'User', workspaceId: 'workspace', workspaceName: 'Workspace' };
const storageProgram = fileURLToPath(new URL('storage.ts', import.meta.url));

export interface SwarmOptions {
  accounts: number;
  /** The lifetime of access tokens. */
  lifeSeconds: number;
  server?: ServerKind;
  storage?: StorageOptions['kind'];
  seed?: number;
  /** Present if the disk is to be unkind; see `UnkindDisk`. */
  disk?: Omit<UnkindDiskOptions, 'directory'>;
}

/** A server, a machine with accounts, and the windows that share them. */
export class Swarm {
  readonly server: StressServer;
  readonly windows: WindowProcess[] = [];
  readonly disk: UnkindDisk | undefined;
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

  private constructor(
    server: StressServer,
    directory: string,
    storage: ChildProcess,
    storagePort: number,
    disk: UnkindDisk | undefined,
  ) {
    this.server = server;
    this.#directory = directory;
    this.#storage = storage;
    this.#storagePort = storagePort;
    this.disk = disk;
  }

  /** Starts the server and the storage process, and signs in to the given number of accounts. */
  static async start({
    accounts,
    lifeSeconds,
    server: kind = 'notion',
    storage = 'shared',
    seed = 1,
    disk,
  }: SwarmOptions): Promise<Swarm> {
    const server = await startStressServer(kind);
    server.setTokenLife(lifeSeconds);
    const options: StorageOptions = { kind: storage, seed };
    const storageProcess = fork(storageProgram, [JSON.stringify(options)]);
    const [port] = (await once(storageProcess, 'message')) as [number];
    const directory = await mkdtemp(join(tmpdir(), 'swarm-'));
    const unkindDisk = disk && new UnkindDisk({ ...disk, directory: `${directory}/journal` });
    const swarm = new Swarm(server, directory, storageProcess, port, unkindDisk);
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
    const requests = createGrantRequests(http, systemClock);
    const store = new Accounts({
      secrets,
      files,
      directory: `${this.#directory}/journal`,
      lockTiming: fastLocks,
      requests,
      identify: requests.identify,
      clock: systemClock,
      randomness: systemRandomness,
      log: new Log({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }),
      openedAtMs: Date.now(),
      usage: { get: () => true, set: () => undefined },
      serverUrl: this.server.mcpUrl,
    });
    await store.load();
    await act(store, http);
    await store.dispose();
    await secrets.close();
  }

  open(options: Partial<WindowOptions> = {}): WindowProcess {
    this.#openedCount += 1;
    const window = new WindowProcess({
      options: {
        directory: this.#directory,
        storagePort: this.#storagePort,
        serverUrl: this.server.mcpUrl,
        userAgent: `window/${this.#openedCount}`,
        ...options,
      },
      obeysFileModes: this.disk !== undefined,
      onReport: (report) => this.#recordReport(report),
    });
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

  /** The log lines of all windows and the faults of the disk about an account, in chronological order. */
  logLinesOf(accountId: string): string[] {
    const lines = [...this.windows, ...(this.disk === undefined ? [] : [this.disk])]
      .flatMap((source) => source.lines)
      .filter((line) => line.includes(accountId) || line.includes(' disk the directory '));
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
