import { watch } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ask, History, Session, SessionResult } from '../editor/consumer/protocol.ts';

const limitMs = 20_000;

/** The consumer extension in one window, controlled by a test. */
export class Consumer {
  readonly pid: number;
  readonly #port: number;

  private constructor({ port, pid }: { port: number; pid: number }) {
    this.#port = port;
    this.pid = pid;
  }

  /** Waits for the consumer of a window other than those in `known`. @throws Error after 20 seconds */
  static async waitFor(directory: string, known: readonly Consumer[] = []): Promise<Consumer> {
    await mkdir(directory, { recursive: true });
    const stop = AbortSignal.timeout(limitMs);
    for (;;) {
      const changed = nextChange(directory, stop);
      for (const name of await readdir(directory)) {
        const announced = name.endsWith('.json') && (await readAnnouncement(join(directory, name)));
        if (announced && !known.some(({ pid }) => pid === announced.pid)) {
          return new Consumer(announced);
        }
      }
      if (!(await changed)) {
        throw new Error('no consumer appeared');
      }
    }
  }

  requestSession(request: Ask): Promise<SessionResult> {
    return this.#call('/ask', request) as Promise<SessionResult>;
  }

  /** Requests a session silently; returns `undefined` if the editor has none. */
  async silentSession(scopes: string[] = ['default']): Promise<Session | undefined> {
    return sessionIn(await this.requestSession({ scopes, options: { silent: true } }));
  }

  async accounts(): Promise<string[]> {
    const accounts = (await this.#call('/accounts')) as { label: string }[];
    return accounts.map(({ label }) => label).sort();
  }

  history(): Promise<History> {
    return this.#call('/history') as Promise<History>;
  }

  /** Waits until the editor has fired more than `count` session changes. */
  async waitForSessionChangesBeyond(count: number): Promise<void> {
    await this.#call('/changesBeyond', { count });
  }

  /** Calls a tool of Notion's MCP server directly, as the README describes for extension authors. */
  async callNotion(url: string, name: string, input: object): Promise<string> {
    const { content } = (await this.#call('/callNotion', { url, name, input })) as { content: { text: string }[] };
    return content.map(({ text }) => text).join('');
  }

  /** The names of the tools that the editor offers to models. */
  toolNames(): Promise<string[]> {
    return this.#call('/tools') as Promise<string[]>;
  }

  /** Waits for a tool whose name contains `part`. */
  async waitForTool(part: string): Promise<void> {
    await this.#call('/toolsAppear', { part });
  }

  /** Calls a tool as a model does, and returns its text. */
  callTool(name: string, input: object): Promise<string> {
    return this.#call('/callTool', { name, input }) as Promise<string>;
  }

  /** Changes a user setting, as the settings editor does; `undefined` resets it. */
  async changeSetting(name: string, value: unknown): Promise<void> {
    await this.#call('/setting', { name, value });
  }

  command(id: string): Promise<unknown> {
    return this.#call('/command', { id });
  }

  async #call(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, {
      method: 'POST',
      body: body === undefined ? null : JSON.stringify(body),
    });
    if (!response.ok) {
      throw new Error(`the consumer failed: ${await response.text()}`);
    }
    return response.json();
  }
}

/** Returns the session in a result. @throws Error if the request failed */
export function sessionIn(result: SessionResult): Session | undefined {
  if ('error' in result) {
    throw new Error(result.error);
  }
  return result.session ?? undefined;
}

async function readAnnouncement(path: string): Promise<{ port: number; pid: number } | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as { port: number; pid: number };
  } catch {
    // The consumer removed it in the meantime.
    return undefined;
  }
}

function nextChange(directory: string, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const watcher = watch(directory);
    const end = (changed: boolean) => (): void => {
      watcher.close();
      resolve(changed);
    };
    watcher.once('change', end(true));
    stop.addEventListener('abort', end(false), { once: true });
  });
}
