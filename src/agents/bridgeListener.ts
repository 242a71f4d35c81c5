import { rmdir } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { basename, dirname } from 'node:path';
import type { SocketListener, SocketListenerOptions } from '#platform/listenSocket';
import { toBase64Url, toHex } from '../core/encoding.ts';
import { errorInfo, systemErrorCode } from '../core/errorInfo.ts';
import { Secret } from '../core/secret.ts';
import { bearerHeader, presents } from '../gateway/authorize.ts';
import { editorAgent } from '../gateway/contract.ts';
import type { Grant } from '../grants/grant.ts';
import type { Files } from '../platform/contract.ts';
import { agentsDirectory } from './cachePath.ts';
import type { Consent } from './consent.ts';
import type { AgentsParts } from './contract.ts';
import {
  type Endpoint,
  endpointIn,
  maxGreetingBytes,
  nonceIn,
  proofLine,
  prove,
  type WindowStatus,
} from './protocol.ts';
import { entryName, formatEntry, isEntryName, parseEntry } from './windowEntry.ts';

export interface BridgeListenerParts
  extends Pick<AgentsParts, 'directory' | 'accounts' | 'gateway' | 'clock' | 'randomness' | 'log'> {
  consent: Pick<Consent, 'permission' | 'uses' | 'refresh'>;
  files: Files;
  listen: (options: SocketListenerOptions) => Promise<SocketListener>;
  /** As `process.platform` names it. */
  system: string;
  /** Where a socket may lie if its path beside the journal would be too long, best first. */
  temporaryDirectories: readonly string[];
}

/** How often the entry and the socket are looked at: programs that tidy up may have removed them. */
const checkMs = 60_000;

/** The longest path of a socket, in bytes. macOS allows 103, Linux 107. */
export const maxSocketPathBytes = 100;

/** The beginning of the names of temporary folders for sockets. */
const folderPrefix = 'notion-mcp-';

/**
 * Lets bridges reach this window, while an agent may use one of its accounts, by a socket and by an entry that tells
 * where the socket is. What they send is handled by the gateway.
 */
export class BridgeListener {
  readonly #parts: BridgeListenerParts;
  #open: Open | undefined;
  /** What is under way; each step waits for the one before it. */
  #work: Promise<void> = Promise.resolve();
  #stopTimer: (() => void) | undefined;
  #isClosed = false;
  /** Whether the log says that bridges cannot reach this window. */
  #hasFailed = false;

  constructor(parts: BridgeListenerParts) {
    this.#parts = parts;
  }

  /** Begins or ends listening, as the accounts and consent require, and repairs what was removed meanwhile. */
  update(): void {
    this.#work = this.#work.then(() => this.#update());
  }

  /** Removes entry and socket, and drops every connection. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.update();
    return this.#work;
  }

  /** Resolves once everything that `update` began is done. */
  settled(): Promise<void> {
    return this.#work;
  }

  async #update(): Promise<void> {
    const { consent, accounts, clock, log } = this.#parts;
    this.#stopTimer?.();
    const isUsed = ({ serverNames }: Grant): boolean =>
      serverNames !== undefined &&
      (consent.permission(serverNames.handle, editorAgent) === 'allowed' ||
        consent.uses(serverNames.handle).some(({ permission }) => permission === 'allowed'));
    const isWanted = !this.#isClosed && accounts().some(isUsed);
    try {
      await (isWanted ? this.#listen() : this.#end());
      this.#hasFailed = false;
    } catch (error) {
      if (!this.#hasFailed) {
        log.warn('Agents cannot reach this window.', errorInfo(error));
      }
      this.#hasFailed = true;
    }
    if (isWanted) {
      this.#stopTimer = clock.after(checkMs, () => {
        this.#work = this.#work.then(() => consent.refresh());
        this.update();
      });
    }
  }

  /** Makes socket and entry unless they are there. @throws the system's error */
  async #listen(): Promise<void> {
    const { directory, files, randomness, log } = this.#parts;
    if (this.#open === undefined) {
      await files.makePrivateDirectory(directory);
      await removeDeadEntries(directory, files);
      const secret = new Secret(toBase64Url(randomness.bytes(32)));
      this.#open = { entryPath: `${directory}/${entryName(this.#randomId(8))}`, secret, sockets: new Map() };
      log.info('The window listens for bridges.');
    }
    const { entryPath, secret, sockets } = this.#open;
    const [newest = ''] = [...sockets.keys()].reverse();
    // A socket cannot be made anew at its path. What is connected to the removed one goes on.
    const path = (await this.#exists(newest)) ? newest : await this.#listenAnywhere(this.#open);
    const text = formatEntry({ path, secret });
    if ((await files.read(entryPath)) !== text) {
      await files.makePrivateDirectory(directory);
      await files.create(`${entryPath}.new`, text);
      await files.rename(`${entryPath}.new`, entryPath);
    }
  }

  async #exists(path: string): Promise<boolean> {
    const { system, files } = this.#parts;
    // A pipe exists for as long as its process.
    return path !== '' && (system === 'win32' || (await files.writtenAtMs(path)) !== undefined);
  }

  /** Listens on the first path that can be used. @throws the error of the last one */
  async #listenAnywhere({ secret, sockets }: Open): Promise<string> {
    const { listen, clock, system, files } = this.#parts;
    let reason: unknown = new Error('every path is too long');
    for (const path of this.#paths()) {
      try {
        if (system !== 'win32') {
          await files.makePrivateDirectory(dirname(path));
        }
        const listener = await listen({
          path,
          maxGreetingBytes,
          greet: async (line) => {
            const nonce = nonceIn(line);
            return nonce === undefined ? undefined : proofLine(await prove(secret, nonce, path));
          },
          handle: (request, response, admit) => this.#handle(secret, request, response, admit),
          clock,
        });
        sockets.set(path, listener);
        return path;
      } catch (error) {
        reason = error;
      }
    }
    throw reason;
  }

  /** New paths for a socket, best first. */
  #paths(): string[] {
    const { directory, system, temporaryDirectories } = this.#parts;
    if (system === 'win32') {
      return [`\\\\.\\pipe\\${folderPrefix}${this.#randomId(16)}`];
    }
    const name = `${this.#randomId(8)}.sock`;
    // Other users cannot take a name that they do not know.
    const folders = temporaryDirectories.map((each) => `${each}/${folderPrefix}${this.#randomId(8)}`);
    return [agentsDirectory(directory), ...folders]
      .map((folder) => `${folder}/${name}`)
      .filter((path) => Buffer.byteLength(path) <= maxSocketPathBytes);
  }

  #randomId(bytes: number): string {
    return toHex(this.#parts.randomness.bytes(bytes));
  }

  #handle(secret: Secret, request: IncomingMessage, response: ServerResponse, admit: () => void): void {
    const endpoint = endpointIn(request.url ?? '');
    const { authorization, origin } = request.headers;
    if (endpoint === undefined || origin !== undefined || !presents(authorization, bearerHeader(secret))) {
      response.writeHead(404, { connection: 'close', 'content-length': 0 }).end();
      return;
    }
    admit();
    if (endpoint.kind === 'status') {
      // A bridge asks once for a window, not for each request, so what the watch may have missed can be read.
      void this.#parts.consent.refresh().then(() => {
        const status = this.#statusFor(endpoint);
        response.writeHead(200, { 'content-type': 'text/plain', 'content-length': status.length }).end(status);
      });
      return;
    }
    this.#pass(endpoint, request, response).catch((error: unknown) => {
      this.#parts.log.error('The gateway could not be opened for an agent.', errorInfo(error));
      response.destroy();
    });
  }

  #statusFor({ handle, agent }: Endpoint): WindowStatus {
    if (this.#grantIdOf(handle) === undefined) {
      return 'unknownAccount';
    }
    if (this.#parts.consent.permission(handle, agent) === 'allowed') {
      return 'ready';
    }
    return agent === editorAgent ? 'notAllowed' : 'noConsent';
  }

  async #pass({ handle, agent }: Endpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gateway = await this.#parts.gateway();
    if (gateway === undefined || response.destroyed) {
      response.destroy();
      return;
    }
    // To the gateway, no account of this id is a signed-out one.
    gateway.serve({ grantId: this.#grantIdOf(handle) ?? '', agent }, request, response);
  }

  #grantIdOf(handle: string): string | undefined {
    return this.#parts.accounts().find(({ serverNames }) => serverNames?.handle === handle)?.id;
  }

  async #end(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) {
      await this.#parts.files.remove(open.entryPath);
      for (const [path, listener] of open.sockets) {
        await listener.close();
        await removeFolderOf(path);
      }
    }
  }
}

interface Open {
  entryPath: string;
  secret: Secret;
  /** By its path, each socket that was made; the last one is in the entry. */
  sockets: Map<string, SocketListener>;
}

/** Removes what windows left behind that were killed. */
async function removeDeadEntries(directory: string, files: Files): Promise<void> {
  for (const name of (await files.list(directory)).filter(isEntryName)) {
    const entry = parseEntry((await files.read(`${directory}/${name}`)) ?? '');
    if (entry !== undefined && (await isRefused(entry.path))) {
      await files.remove(`${directory}/${name}`);
      await files.remove(entry.path);
      await removeFolderOf(entry.path);
    }
  }
}

/** Whether no process listens on a socket or pipe any more. */
function isRefused(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', (error) => resolve(['ECONNREFUSED', 'ENOENT'].includes(systemErrorCode(error) ?? '')));
  });
}

/** Removes the temporary folder of a socket, if it has one of its own. */
async function removeFolderOf(path: string): Promise<void> {
  const folder = dirname(path);
  if (basename(folder).startsWith(folderPrefix)) {
    await rmdir(folder).catch(() => undefined);
  }
}
