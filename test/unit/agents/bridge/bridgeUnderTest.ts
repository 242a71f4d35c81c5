import { mkdirSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Bridge } from '../../../../src/agents/bridge/bridge.ts';
import { ServerCache } from '../../../../src/agents/bridge/cache.ts';
import { linesOf } from '../../../../src/agents/bridge/stdio.ts';
import { Windows } from '../../../../src/agents/bridge/windows.ts';
import { cachePath } from '../../../../src/agents/cachePath.ts';
import { type Clock, systemClock } from '../../../../src/core/clock.ts';
import { systemRandomness } from '../../../../src/core/random.ts';
import { respondAsServer, TestWindow } from './testWindow.ts';

interface Cleanup {
  after(cleanup: () => unknown): void;
}

/** A directory for the entries of windows, whose path is short enough for sockets. */
export function windowDirectory(t: Cleanup): string {
  const root = mkdtempSync(join(tmpdir(), 'bridge-'));
  // A bridge may still be writing its cache.
  t.after(() => rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));
  const directory = join(root, 'journal');
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

export interface AgentMessage {
  id?: unknown;
  method?: string;
  result?: { [name: string]: unknown; content?: { text: string }[]; tools?: unknown[]; isError?: boolean };
  error?: { code: number; message: string; data?: unknown };
}

/** A bridge in this process, with the agent's end of it. */
export class BridgeUnderTest {
  readonly account = 'notion-engineering-wiki';
  /** What the agent got. */
  readonly lines: string[] = [];
  /** Whether the bridge waits for windows. */
  isWatching = false;
  /** Resolves a `send` of the bridge; absent if the agent takes everything at once. */
  hold: Promise<void> | undefined;
  readonly #cache: ServerCache;
  readonly #input = new PassThrough();
  /** What waits for a message. */
  readonly #waiting = new Set<(message: AgentMessage) => void>();
  #changed = (): void => undefined;
  #decided = (): void => undefined;

  private constructor(cache: ServerCache) {
    this.#cache = cache;
  }

  static async start(
    t: Cleanup,
    directory: string,
    {
      clock = systemClock,
      silenceMs = () => undefined,
      id = 'editor',
    }: { clock?: Clock; silenceMs?: (method: string) => number | undefined; id?: string } = {},
  ): Promise<BridgeUnderTest> {
    const handle = 'notion-engineering-wiki';
    const path = await cachePath(directory, { handle, agent: id });
    const cache = new ServerCache(path);
    await cache.load();
    const agent = new BridgeUnderTest(cache);
    const bridge = new Bridge({
      windows: new Windows(directory, { handle, agent: id }, { randomness: systemRandomness, clock }),
      cache,
      send: async (message) => {
        agent.lines.push(message);
        const parsed = JSON.parse(message);
        for (const arrived of agent.#waiting) {
          arrived(parsed);
        }
        await agent.hold;
      },
      watch: (changed) => {
        agent.isWatching = true;
        agent.#changed = changed;
        return () => {
          agent.isWatching = false;
        };
      },
      watchConsent: (changed) => {
        agent.#decided = changed;
        return () => undefined;
      },
      silenceMs,
      editor: 'VS Code',
    });
    t.after(() => bridge.close());
    void (async () => {
      for await (const line of linesOf(agent.#input)) {
        void bridge.receive(line);
      }
    })();
    return agent;
  }

  /** Resolves once the disk has what the bridge has to remember so far. */
  get stored(): Promise<void> {
    return this.#cache.stored;
  }

  /** Writes a line to the bridge. */
  write(line: string): void {
    this.#input.write(`${line}\n`);
  }

  send(message: object): void {
    this.write(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  /** Sends a request, and waits for its response. */
  async request(id: string | number, method: string, params?: object): Promise<AgentMessage> {
    const arrival = this.#arrival((each) => each.id === id && each.method === undefined);
    this.send({ id, method, ...(params && { params }) });
    return arrival;
  }

  /** Begins a session, as agents do. */
  async open(): Promise<AgentMessage> {
    const clientInfo = { name: 'agent', version: '1' };
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
    const response = await this.request('open', 'initialize', params);
    this.send({ method: 'notifications/initialized' });
    return response;
  }

  /** Calls a tool. @returns the text of its result */
  async call(id: string | number): Promise<string> {
    const { result } = await this.request(id, 'tools/call', { name: 'notion-fetch' });
    return result?.content?.[0]?.text ?? '';
  }

  async response(id: unknown): Promise<AgentMessage> {
    return this.message((each) => each.id === id && each.method === undefined);
  }

  /** Waits for a message, unless it is there. */
  async message(isWanted: (message: AgentMessage) => boolean): Promise<AgentMessage> {
    return this.messages.find(isWanted) ?? this.#arrival(isWanted);
  }

  #arrival(isWanted: (message: AgentMessage) => boolean): Promise<AgentMessage> {
    return new Promise((resolve) => {
      const arrived = (message: AgentMessage): void => {
        if (isWanted(message)) {
          this.#waiting.delete(arrived);
          resolve(message);
        }
      };
      this.#waiting.add(arrived);
    });
  }

  get messages(): AgentMessage[] {
    return this.lines.map((line) => JSON.parse(line));
  }

  /** The responses of an id. */
  responses(id: unknown): AgentMessage[] {
    return this.messages.filter((each) => each.id === id && each.method === undefined);
  }

  /** Lets the bridge notice that the user may have decided what an agent may do. */
  noticeDecision(): void {
    this.#decided();
  }

  /** Lets the bridge notice that windows may have come. */
  noticeWindows(): void {
    this.#changed();
  }
}

/** A bridge and a window whose next responses to a method a test gives itself. */
export async function bridgeWithWindow(t: Cleanup) {
  const directory = windowDirectory(t);
  const window = await TestWindow.start(t, directory);
  const agent = await BridgeUnderTest.start(t, directory);
  await agent.open();
  const held = (method: string): Promise<ServerResponse> =>
    new Promise((resolve) => {
      window.respond = (response, request) =>
        request.method === method ? resolve(response) : respondAsServer(response, request);
    });
  return { directory, window, agent, held };
}
