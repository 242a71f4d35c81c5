import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { AgentMessage } from './bridgeUnderTest.ts';

export const mainProgram = fileURLToPath(new URL('../../../../src/agents/bridge/main.ts', import.meta.url));

export const account = 'notion-engineering-wiki';

export function bridgeArguments(directory: string): string[] {
  return ['--directory', directory, '--account', account, '--agent', 'editor'];
}

interface BridgeProcessOptions {
  env?: Record<string, string>;
  args?: string[];
  program?: string;
}

interface Cleanup {
  after(cleanup: () => unknown): void;
}

/** The bridge's process, with the agent's end of it. */
export class BridgeProcess {
  /** What it wrote to its error output. */
  stderr = '';
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #child: ChildProcess;
  readonly #messages: AgentMessage[] = [];
  #text = '';
  readonly #waiting = new Set<() => void>();

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = once(child, 'close').then(([code, signal]) => ({ code, signal }));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const lines = text.split('\n');
      const rest = lines.pop() ?? '';
      for (const line of lines) {
        this.#messages.push(JSON.parse(this.#text + line));
        this.#text = '';
      }
      this.#text += rest;
      for (const arrived of lines.length > 0 ? this.#waiting : []) {
        arrived();
      }
    });
    child.stdin?.on('error', () => undefined);
  }

  /** Starts the bridge, in need of no environment. */
  static start(
    t: Cleanup,
    directory: string,
    { env = {}, args = bridgeArguments(directory), program = mainProgram }: BridgeProcessOptions = {},
  ): BridgeProcess {
    return BridgeProcess.#follow(t, spawn(process.execPath, [program, ...args], { stdio: 'pipe', env }));
  }

  /** Starts the bridge as agents do, by its launcher. */
  static launch(t: Cleanup, launcher: string, agent: string): BridgeProcess {
    return BridgeProcess.#follow(
      t,
      spawn(launcher, ['--account', account, '--agent', agent], { stdio: 'pipe', env: {} }),
    );
  }

  static #follow(t: Cleanup, child: ChildProcess): BridgeProcess {
    const bridge = new BridgeProcess(child);
    t.after(async () => {
      child.kill('SIGKILL');
      await bridge.ended;
    });
    return bridge;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  /** Sends a request, and waits for its response. */
  async request(message: { id: string | number; method: string; params?: object }): Promise<AgentMessage> {
    this.send(message);
    return this.message(({ id, method }) => id === message.id && method === undefined);
  }

  /** The responses of an id. */
  responses(id: unknown): AgentMessage[] {
    return this.#messages.filter((each) => each.id === id && each.method === undefined);
  }

  /** How many such messages there are so far. */
  count(isWanted: (message: AgentMessage) => boolean): number {
    return this.#messages.filter(isWanted).length;
  }

  /** Waits for the first such message, or a later one. */
  async message(isWanted: (message: AgentMessage) => boolean, number = 1): Promise<AgentMessage> {
    for (;;) {
      const found = this.#messages.filter(isWanted)[number - 1];
      if (found !== undefined) {
        return found;
      }
      await new Promise<void>((resolve) => {
        const arrived = (): void => {
          this.#waiting.delete(arrived);
          resolve();
        };
        this.#waiting.add(arrived);
      });
    }
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Closes the agent's ends, as its death does. */
  abandon(): void {
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
  }

  stopReading(): void {
    this.#child.stdout?.pause();
  }

  readOn(): void {
    this.#child.stdout?.resume();
  }
}
