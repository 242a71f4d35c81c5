import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  Ask,
  CallTimes,
  History,
  NetworkResult,
  OfferedProgram,
  OfferedServer,
  Session,
  SessionResult,
} from '../editor/consumer/protocol.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { waitInFolder } from './driver/waitInFolder.ts';

/** After so many minutes, the extension believes a server that does not know what it issued. */
export const settledMinutes = 6;

/** What a consumer writes into the directory that `directoryVariable` names. */
interface Announcement {
  port: number;
  pid: number;
}

/** The announcements of the consumers in all windows of one editor. */
export class Announcements {
  readonly #directory: string;
  readonly #seen = new Set<number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Waits for an announcement that it has not returned before. @throws Error after 20 seconds */
  async next(): Promise<Announcement> {
    const announcement = await waitInFolder(this.#directory, async () => {
      const names = (await readdir(this.#directory)).filter((name) => name.endsWith('.json'));
      const all = await Promise.all(names.map((name) => readAnnouncement(join(this.#directory, name))));
      return all.find((each) => each !== undefined && !this.#seen.has(each.pid));
    });
    if (announcement === undefined) {
      throw new Error('no consumer appeared');
    }
    this.#seen.add(announcement.pid);
    return announcement;
  }
}

/** The consumer extension in one window, controlled by a test. */
export class Consumer {
  readonly #announcements: Announcements;
  #announcement: Announcement;

  private constructor(announcements: Announcements, announcement: Announcement) {
    this.#announcements = announcements;
    this.#announcement = announcement;
  }

  /** Waits for the consumer of a window that has just been opened. @throws Error after 20 seconds */
  static async waitFor(announcements: Announcements): Promise<Consumer> {
    return new Consumer(announcements, await announcements.next());
  }

  /** Waits until it runs again, after its window was reloaded. @throws Error after 20 seconds */
  async waitForRestart(): Promise<void> {
    this.#announcement = await this.#announcements.next();
  }

  /** Posts to a server over the extension's transport, in this window's extension host. */
  post(url: string): Promise<NetworkResult> {
    return this.#call('/post', { url }) as Promise<NetworkResult>;
  }

  /** Opens a gateway of the extension's before an MCP server, in this window's extension host. */
  openGateway(url: string): Promise<Omit<OfferedServer, 'label'>> {
    return this.#call('/openGateway', { url }) as Promise<Omit<OfferedServer, 'label'>>;
  }

  /** Offers MCP servers to the editor. */
  async offerServers(servers: (OfferedServer | OfferedProgram)[]): Promise<void> {
    await this.#call('/offer', { servers });
  }

  /** Calls a tool without arguments as a model does, so many times at once. */
  timeCalls(name: string, count = 1): Promise<CallTimes> {
    return this.#call('/timeCalls', { name, count }) as Promise<CallTimes>;
  }

  /** Lets names under `.test` lead to this computer in this window's extension host. */
  async mapTestNames(): Promise<void> {
    await this.#call('/mapTestNames');
  }

  /** Sets an environment variable of this window's extension host. */
  async setEnvironment(name: string, value: string): Promise<void> {
    await this.#call('/environment', { name, value });
  }

  /** The process of its window's extension host. */
  get pid(): number {
    return this.#announcement.pid;
  }

  requestSession(request: Ask): Promise<SessionResult> {
    return this.#call('/ask', request) as Promise<SessionResult>;
  }

  /** Requests a session silently; returns `undefined` if the editor has none. */
  async silentSession(scopes: string[] = ['default']): Promise<Session | undefined> {
    return sessionIn(await this.requestSession({ scopes, options: { silent: true } }));
  }

  /** Requests a session, which the user allows in `window` for the account with this label. */
  async requestConsent(window: EditorWindow, label: string): Promise<Session> {
    const result = this.requestSession({ scopes: ['default'], options: { createIfNone: true } });
    await window.page.bringToFront();
    await window.dialog.click('Allow');
    await window.quickInput.choose(label);
    const session = sessionIn(await result);
    assert.ok(session);
    return session;
  }

  async accounts(): Promise<string[]> {
    const accounts = (await this.#call('/accounts')) as { label: string }[];
    return accounts.map(({ label }) => label).sort();
  }

  /** Whether an extension runs in the same extension host. */
  hasBeside(id: string): Promise<boolean> {
    return this.#call('/hasBeside', { id }) as Promise<boolean>;
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

  /** Waits for a tool, or several, whose names contain `part`. */
  async waitForTool(part: string, count = 1): Promise<void> {
    await this.#call('/toolsAppear', { part, count });
  }

  /** Calls a tool as a model does, and returns its text. */
  callTool(name: string, input: object): Promise<string> {
    return this.#call('/callTool', { name, input }) as Promise<string>;
  }

  /** Changes a user setting, as the settings editor does; `undefined` resets it. */
  async changeSetting(name: string, value: unknown): Promise<void> {
    await this.#call('/setting', { name, value });
  }

  /** Sets the clock of its window's extension host forward, for all extensions there. */
  async advanceClock(minutes: number): Promise<void> {
    await this.#call('/clock', { minutes });
  }

  /** Lets timers of its window's extension host that are set to `ofMs` end after `toMs`, for all extensions there. */
  async changeTimers(change: { ofMs: number; toMs: number }): Promise<void> {
    await this.#call('/timers', change);
  }

  command(id: string, ...args: unknown[]): Promise<unknown> {
    return this.#call('/command', { id, args });
  }

  async #call(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`http://127.0.0.1:${this.#announcement.port}${path}`, {
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

async function readAnnouncement(path: string): Promise<Announcement | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Announcement;
  } catch {
    // The consumer removed it in the meantime.
    return undefined;
  }
}
