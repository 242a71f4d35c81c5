import type { Clock } from '../core/clock.ts';
import { systemErrorCode } from '../core/errorInfo.ts';
import type { Log } from '../core/log.ts';
import { editorAgent, type Permission } from '../gateway/contract.ts';
import { ConsentFiles, type ConsentFilesParts, type ConsentRecord, type Decision } from './consentFiles.ts';

export type { Permission } from '../gateway/contract.ts';

export interface ConsentParts extends ConsentFilesParts {
  /** Whether the user wants MCP servers to be offered in chat at all. */
  isOffered: () => boolean;
  clock: Clock;
  log: Log;
}

/** What one agent may do with one account, and when it last called. */
export interface AgentUse {
  agent: string;
  permission: Permission;
  /** Wall clock, ms. */
  usedAtMs?: number;
}

/** One change writes several files; a short delay makes one read of them. */
const delayMs = 30;

/** How often a use is written at most. */
const useIntervalMs = 60_000;

/**
 * Which agents may use which accounts, for all windows of the installation. The names of agents keep well-behaved ones
 * apart and make the record; a program of the same user can take any of them, so they are no barrier. An account is
 * known here by its handle, which belongs to its identity for ever: consent outlives a sign-out.
 */
export class Consent {
  readonly #parts: ConsentParts;
  readonly #files: ConsentFiles;
  readonly #listeners = new Set<() => void>();
  #records: ReadonlyMap<string, readonly ConsentRecord[]> = new Map();
  /** When each agent used each account in this window, and when that was written. */
  readonly #uses = new Map<string, { usedAtMs: number; writtenAtMs: number }>();
  /** What is under way; each step waits for the one before it. */
  #work: Promise<void> = Promise.resolve();
  #watch: { close(): void } | undefined;
  #cancelDelay: (() => void) | undefined;
  #hasFailed = false;

  constructor(parts: ConsentParts) {
    this.#parts = parts;
    this.#files = new ConsentFiles(parts);
  }

  /** Reads what was decided, and watches what other windows decide. Never rejects. */
  async load(): Promise<void> {
    this.#watch ??= this.#parts.files.watch(this.#parts.directory, () => {
      this.#cancelDelay ??= this.#parts.clock.after(delayMs, () => {
        this.#cancelDelay = undefined;
        void this.refresh();
      });
    });
    await this.refresh();
  }

  /** Reads what other windows decided: the watch can miss it. Never rejects. */
  refresh(): Promise<void> {
    return this.#enqueue(async () => undefined).catch(() => undefined);
  }

  /** Whether an agent may use an account. From memory. The editor may while the account is offered in chat. */
  permission(handle: string, agent: string): Permission {
    if (agent === editorAgent) {
      return this.#parts.isOffered() && this.isOffered(handle) ? 'allowed' : 'denied';
    }
    return permissionOf(this.#recordOf(handle, agent));
  }

  /** *Offer in chat* of an account, which counts only while MCP servers are offered at all. From memory. */
  isOffered(handle: string): boolean {
    const decision = this.#recordOf(handle, editorAgent)?.decision;
    return decision === undefined || decision === 'allowed';
  }

  /** @throws the file system's error, as the next three do */
  setOffered(handle: string, offered: boolean): Promise<void> {
    return this.#decide(handle, editorAgent, offered ? 'allowed' : 'denied');
  }

  allow(handle: string, agent: string): Promise<void> {
    return this.#decide(handle, agent, 'allowed');
  }

  deny(handle: string, agent: string): Promise<void> {
    return this.#decide(handle, agent, 'denied');
  }

  /** Removes all that is known of an agent and an account: the agent was disconnected. */
  async forget(handle: string, agent: string): Promise<void> {
    this.#uses.delete(keyOf(handle, agent));
    await this.#enqueue(() => this.#files.remove(handle, agent, ['consent', 'used', 'asked']));
  }

  /** Notes that an agent uses an account just now. */
  recordUse(handle: string, agent: string): void {
    const nowMs = this.#parts.clock.nowMs();
    const key = keyOf(handle, agent);
    const { writtenAtMs = Number.NEGATIVE_INFINITY } = this.#uses.get(key) ?? {};
    const isDue = Math.abs(nowMs - writtenAtMs) >= useIntervalMs;
    this.#uses.set(key, { usedAtMs: nowMs, writtenAtMs: isDue ? nowMs : writtenAtMs });
    if (isDue) {
      // What cannot be written now is written after the next use.
      this.#enqueue(() => this.#files.write(handle, agent, 'used', String(nowMs))).catch(() => undefined);
    }
  }

  /** The agents that use an account, or were allowed or denied it, the last one first. */
  uses(handle: string): readonly AgentUse[] {
    const agents = new Set(this.#recordsOf(handle).map(({ agent }) => agent));
    for (const key of this.#uses.keys()) {
      if (key.startsWith(`${handle} `)) {
        agents.add(key.slice(handle.length + 1));
      }
    }
    return [...agents]
      .map((agent) => {
        const usedAtMs = Math.max(
          this.#uses.get(keyOf(handle, agent))?.usedAtMs ?? 0,
          this.#recordOf(handle, agent)?.usedAtMs ?? 0,
        );
        return { agent, permission: this.permission(handle, agent), ...(usedAtMs > 0 && { usedAtMs }) };
      })
      .sort((a, b) => (b.usedAtMs ?? 0) - (a.usedAtMs ?? 0) || (a.agent < b.agent ? -1 : 1));
  }

  /** Lets a window that the user looks at ask whether an agent may use an account, unless that is known. */
  ask(handle: string, agent: string): void {
    const record = this.#recordOf(handle, agent);
    if (permissionOf(record) === 'unknown' && record?.isAsked !== true) {
      this.#enqueue(() => this.#files.write(handle, agent, 'asked', '')).catch(() => undefined);
    }
  }

  /** The agents about which the user is to be asked. From memory. */
  questions(handle: string): readonly string[] {
    return this.#recordsOf(handle)
      .filter((record) => record.isAsked && permissionOf(record) === 'unknown')
      .map(({ agent }) => agent);
  }

  /** Takes a question, to put it to the user. Never rejects. @returns false if another window has taken it */
  async takeQuestion(handle: string, agent: string): Promise<boolean> {
    let isTaken = false;
    await this.#enqueue(async () => {
      isTaken = await this.#files.takeQuestion(handle, agent);
    });
    return isTaken;
  }

  /** Gives an account what was decided for another one that was merged with it. @throws the file system's error */
  async carryOver(from: string, to: string): Promise<void> {
    await this.#enqueue(async () => {
      for (const { agent, decision, usedAtMs } of this.#recordsOf(from)) {
        const ours = this.#recordOf(to, agent);
        if (ours?.decision === undefined && (decision === 'allowed' || decision === 'denied')) {
          await this.#files.write(to, agent, 'consent', decision);
        }
        if (ours?.usedAtMs === undefined && usedAtMs !== undefined) {
          await this.#files.write(to, agent, 'used', String(usedAtMs));
        }
        await this.#files.remove(from, agent, ['consent', 'used', 'asked']);
      }
    });
  }

  /** Calls `listener` after a decision or a question, also of another window, but not after a use. */
  onDidChange(listener: () => void): { dispose(): void } {
    this.#listeners.add(listener);
    return { dispose: () => void this.#listeners.delete(listener) };
  }

  dispose(): void {
    this.#watch?.close();
    this.#cancelDelay?.();
  }

  #decide(handle: string, agent: string, decision: Decision): Promise<void> {
    return this.#enqueue(async () => {
      await this.#files.write(handle, agent, 'consent', decision);
      await this.#files.remove(handle, agent, ['asked']);
    });
  }

  /** Changes the files, reads them all and tells of changes. One change at a time. @throws the error of `change` */
  #enqueue(change: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      try {
        await change();
      } finally {
        await this.#read();
      }
    });
    this.#work = done.catch(() => undefined);
    return done;
  }

  async #read(): Promise<void> {
    const before = this.#decisions();
    try {
      this.#records = await this.#files.read();
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) {
        this.#parts.log.warn('What agents may do cannot be read now.', { code: systemErrorCode(error) });
      }
      this.#hasFailed = true;
    }
    if (this.#decisions() !== before) {
      for (const listener of this.#listeners) {
        listener();
      }
    }
  }

  #decisions(): string {
    const all = [...this.#records].flatMap(([hash, records]) =>
      records
        .filter(({ decision, isAsked }) => decision !== undefined || isAsked)
        .map(({ agent, decision = '', isAsked }) => `${hash} ${agent} ${decision} ${isAsked}`),
    );
    return all.sort().join('\n');
  }

  #recordOf(handle: string, agent: string): ConsentRecord | undefined {
    const records = this.#recordsOf(handle).filter((record) => record.agent === agent);
    return records.find(({ decision }) => decision !== undefined) ?? records[0];
  }

  #recordsOf(handle: string): ConsentRecord[] {
    return this.#files.hashesOf(handle).flatMap((hash) => this.#records.get(hash) ?? []);
  }
}

function permissionOf(record: ConsentRecord | undefined): Permission {
  return record?.decision === 'allowed' || record?.decision === 'denied' ? record.decision : 'unknown';
}

function keyOf(handle: string, agent: string): string {
  return `${handle} ${agent}`;
}
