import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AccountReport, WindowOptions, WindowReport } from './protocol.ts';

const windowProgram = fileURLToPath(new URL('window.ts', import.meta.url));
/** Much longer than a window waits at its end for a renewal in progress. */
const endLimitMs = 20_000;

export interface WindowProcessParts {
  options: WindowOptions;
  /** Whether file modes apply to the window even if root starts it. */
  obeysFileModes: boolean;
  onReport: (report: WindowReport) => void;
}

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

  constructor({ options, obeysFileModes, onReport }: WindowProcessParts) {
    this.userAgent = options.userAgent;
    this.child = fork(windowProgram, [JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      ...(obeysFileModes && withoutOverride()),
    });
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

  /** Closes the window. @throws Error if it does not end by itself */
  async end(): Promise<void> {
    if (this.isAlive) {
      const exited = once(this.child, 'exit');
      this.child.send('end');
      const limit = setTimeout(() => this.child.kill('SIGKILL'), endLimitMs);
      const [, signal] = (await exited) as [number | null, NodeJS.Signals | null];
      clearTimeout(limit);
      if (signal !== null) {
        throw new Error(`${this.userAgent} did not end: ${this.lines.at(-1) ?? 'it logged nothing'}`);
      }
    }
  }
}

/** Starts a child process of root without the capabilities that override file modes (Linux). */
function withoutOverride(): ForkOptions {
  const capabilities = '-dac_override,-dac_read_search';
  return process.getuid?.() === 0
    ? {
        execPath: 'setpriv',
        execArgv: ['--bounding-set', capabilities, '--inh-caps', capabilities, process.execPath, ...process.execArgv],
      }
    : {};
}
