import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { files as platformFiles } from '#platform/files';
import { listenSocket } from '#platform/listenSocket';
import { WindowConnection } from '../../../src/agents/bridge/windowConnection.ts';
import { BridgeListener, type BridgeListenerParts } from '../../../src/agents/bridgeListener.ts';
import { Consent } from '../../../src/agents/consent.ts';
import { keyedHash } from '../../../src/agents/keyedHash.ts';
import { parseEntry, type WindowEntry } from '../../../src/agents/windowEntry.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import type { RunningGateway } from '../../../src/gateway/contract.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Files } from '../../../src/platform/contract.ts';
import { FakeClock } from '../fakeClock.ts';

export const files = platformFiles as Files;

/** A new folder, whose path is short enough for sockets. */
export function temporaryFolder(t: TestContext, prefix = 'a-'): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  // A bridge, a window or what was left by an uninstallation may still be writing into it.
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }));
  return folder;
}

/** One window of an installation whose files are in `home`. */
export class ListenerUnderTest {
  readonly directory: string;
  readonly clock = new FakeClock();
  readonly logged: string[] = [];
  readonly listener: BridgeListener;
  readonly consent: Consent;
  grants: Grant[];
  isOffered = true;

  constructor(
    t: { after(cleanup: () => unknown): void },
    home: string,
    { grants = [grantOf('ada')], ...parts }: ListenerOptions = {},
  ) {
    this.directory = join(home, 'journal');
    this.grants = grants;
    const record = (line: string): void => {
      this.logged.push(line);
    };
    const log = new Log({ error: record, warn: record, info: () => undefined, debug: () => undefined });
    this.consent = new Consent({
      ...{ files, directory: this.directory, clock: this.clock, randomness: systemRandomness, log },
      hash: keyedHash,
      keys: () => [],
      isOffered: () => this.isOffered,
    });
    this.listener = new BridgeListener({
      directory: this.directory,
      accounts: () => this.grants,
      consent: this.consent,
      gateway: async () => undefined,
      clock: this.clock,
      randomness: systemRandomness,
      log,
      files,
      listen: listenSocket,
      system: 'linux',
      temporaryDirectories: [],
      ...parts,
    });
    t.after(() => this.listener.close());
  }

  /** Updates the listener, and waits until that is done. */
  async update(): Promise<void> {
    this.listener.update();
    await this.listener.settled();
  }

  /** Lets a minute pass. */
  async check(): Promise<void> {
    this.clock.advance(60_000);
    await this.listener.settled();
  }

  /** The names of the window entries of the installation. */
  entryNames(): string[] {
    return readdirSync(this.directory)
      .filter((name) => name.endsWith('.window'))
      .sort();
  }

  /** The only window entry. */
  entry(): WindowEntry {
    const [name = ''] = this.entryNames();
    const entry = parseEntry(readFileSync(join(this.directory, name), 'utf8'));
    if (entry === undefined) {
      throw new Error(`${name} is no window entry.`);
    }
    return entry;
  }

  /** What a bridge of an agent has of this window. */
  connect(t: TestContext, { handle = 'notion-ada', agent = 'editor' } = {}): WindowConnection {
    const connection = new WindowConnection(this.entry(), { handle, agent }, connectionParts);
    t.after(() => connection.close());
    return connection;
  }
}

const connectionParts = { randomness: systemRandomness, clock: systemClock };

type ListenerOptions = Partial<BridgeListenerParts> & { grants?: Grant[]; gateway?: () => Promise<RunningGateway> };

/** A grant of a name, with an MCP server of the name. */
export function grantOf(id: string): Grant {
  return { id, generation: 1, serverNames: { handle: `notion-${id}`, title: `Notion – ${id}` } } as Grant;
}
