import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPlatformHttp } from '#platform/transport';
import { systemClock, systemRandomness } from '../../src/clock.ts';
import { Accounts } from '../../src/grants/accounts.ts';
import { grantProtocol } from '../../src/grants/protocol.ts';
import { Log } from '../../src/log.ts';
import { files } from '../../src/node/files.ts';
import { accountLabel } from '../../src/notion/identity.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { signIn } from '../notion/signIn.ts';
import type { WindowOrders, WindowReport } from './protocol.ts';
import { secretsIn } from './secrets.ts';

const program = fileURLToPath(new URL('window.ts', import.meta.url));

/** A window in a process of its own. */
export class WindowProcess {
  readonly child: ChildProcess;
  report: WindowReport | undefined;
  readonly lines: string[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(orders: WindowOrders) {
    this.child = fork(program, [JSON.stringify(orders)], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.child.on('message', (message: WindowReport | string) => {
      if (typeof message === 'string') {
        this.lines.push(message);
        return;
      }
      this.report = message;
      for (const wake of this.#waiting) {
        wake();
      }
    });
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Waits for a report that fits. @throws when the window ends before, or after 30 seconds */
  reports(fits: (report: WindowReport) => boolean): Promise<WindowReport> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => end(new Error(`no such report: ${JSON.stringify(this.report)}`)), 30_000);
      const look = (): void => {
        if (this.report !== undefined && fits(this.report)) {
          end();
        }
      };
      const died = (): void => end(new Error('the window ended'));
      const end = (error?: Error): void => {
        clearTimeout(limit);
        this.#waiting.delete(look);
        this.child.off('exit', died);
        if (error === undefined) {
          resolve(this.report as WindowReport);
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
  async look(): Promise<WindowReport> {
    this.report = undefined;
    this.child.send('look');
    return this.reports(() => true);
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

/** A server, a computer with accounts on it, and the windows that share them. */
export class Swarm {
  readonly notion: NotionServer;
  readonly #directory: string;
  readonly windows: WindowProcess[] = [];

  private constructor(notion: NotionServer, directory: string) {
    this.notion = notion;
    this.#directory = directory;
  }

  /** Signs in `accounts` accounts whose access tokens live `lifeSeconds`. */
  static async start({ accounts, lifeSeconds }: { accounts: number; lifeSeconds: number }): Promise<Swarm> {
    const notion = await startNotionServer({ version: 'today' });
    const swarm = new Swarm(notion, await mkdtemp(join(tmpdir(), 'swarm-')));
    notion.accessTokenLifeSeconds = lifeSeconds;
    const http = createPlatformHttp({ userAgent: 'torture' });
    const store = new Accounts({
      secrets: secretsIn(`${swarm.#directory}/secrets.json`),
      files,
      directory: `${swarm.#directory}/journal`,
      protocol: grantProtocol(http, systemClock),
      clock: systemClock,
      randomness: systemRandomness,
      log: new Log({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} }),
      openedAtMs: Date.now(),
      serverUrl: notion.mcpUrl,
      labelFor: accountLabel,
    });
    await store.load();
    for (let count = 0; count < accounts; count += 1) {
      // Without an identity each is an account of its own, as many as are wanted.
      const signedIn = await signIn(http, notion);
      await store.storeSignIn({ ...signedIn, serverUrl: notion.mcpUrl, askedScopes: ['default'] });
    }
    await store.dispose();
    notion.log.clear();
    return swarm;
  }

  open(orders: Partial<WindowOrders> = {}): WindowProcess {
    const window = new WindowProcess({ directory: this.#directory, serverUrl: this.notion.mcpUrl, ...orders });
    this.windows.push(window);
    return window;
  }

  /** Refreshes that the server granted. */
  get renewals(): number {
    return this.notion.requests({ path: '/token', method: 'POST', status: 200 }).filter(isRefresh).length;
  }

  get refreshRequests(): number {
    return this.notion.requests({ path: '/token', method: 'POST' }).filter(isRefresh).length;
  }

  /** Refreshes that the server refused because their token was spent or their grant was over. */
  get refusals(): number {
    return this.notion.requests({ path: '/token', method: 'POST', status: 400 }).filter(isRefresh).length;
  }

  /** How often a window logged a line with `part` in it. */
  logged(part: string): number {
    return this.windows.flatMap(({ lines }) => lines).filter((line) => line.includes(part)).length;
  }

  async stop(): Promise<void> {
    await Promise.all(this.windows.map((window) => window.kill()));
    await this.notion.close();
    await rm(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function isRefresh({ grantType }: { grantType?: string | undefined }): boolean {
  return grantType === 'refresh_token';
}
