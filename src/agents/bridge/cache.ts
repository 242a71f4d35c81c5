import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isObject, parseJson } from '../../core/json.ts';
import { serverInfoInMeta } from '../../mcp/serverTitle.ts';

/** What an account's MCP server said last about itself: the results of these methods. */
export interface ServerFacts {
  initialize?: Record<string, unknown>;
  'server/discover'?: Record<string, unknown>;
  'tools/list'?: Record<string, unknown>;
}

export type CachedMethod = keyof ServerFacts;

/**
 * Keeps what an account's MCP server says about itself, so that an agent can start while no window is open. The file is
 * its user's alone; no workspace or user is named in it.
 */
export class ServerCache {
  readonly #path: string;
  #facts: ServerFacts = {};
  /** The write that is under way. */
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async load(): Promise<void> {
    const facts = parseJson(await readFile(this.#path, 'utf8').catch(() => ''));
    this.#facts = isObject(facts) ? facts : {};
  }

  /** Resolves once the disk has everything, or has failed to take it. */
  get stored(): Promise<void> {
    return this.#writing;
  }

  get(method: CachedMethod): Record<string, unknown> | undefined {
    const result = this.#facts[method];
    return isObject(result) ? result : undefined;
  }

  /** Remembers a result. A failure to store it matters only to the next start. */
  async set(method: CachedMethod, result: Record<string, unknown>): Promise<void> {
    const before = JSON.stringify(this.#facts);
    this.#facts = { ...this.#facts, [method]: withoutTitles(result) };
    const text = JSON.stringify(this.#facts);
    if (text !== before) {
      this.#writing = this.#writing.then(() => this.#write(text)).catch(() => undefined);
    }
    await this.#writing;
  }

  /** Forgets everything: the agent may not use the account any more. */
  async clear(): Promise<void> {
    this.#facts = {};
    this.#writing = this.#writing.then(() => rm(this.#path, { force: true })).catch(() => undefined);
    await this.#writing;
  }

  async #write(text: string): Promise<void> {
    const temporary = `${this.#path}.${process.pid}`;
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    await writeFile(temporary, text, { mode: 0o600 });
    await rename(temporary, this.#path);
  }
}

/** The title is the workspace's name. */
function withoutTitles(result: Record<string, unknown>): Record<string, unknown> {
  const { serverInfo, _meta } = result;
  return {
    ...result,
    ...(isObject(serverInfo) && { serverInfo: withoutTitle(serverInfo) }),
    ...(isObject(_meta) &&
      isObject(_meta[serverInfoInMeta]) && {
        _meta: { ..._meta, [serverInfoInMeta]: withoutTitle(_meta[serverInfoInMeta]) },
      }),
  };
}

function withoutTitle({ title: _title, ...others }: Record<string, unknown>): Record<string, unknown> {
  return others;
}
