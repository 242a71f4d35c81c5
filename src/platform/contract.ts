import type { Clock } from '../core/clock.ts';
import type { NetworkWatch } from '../http/networkWatch.ts';
import type { Transport } from '../http/transport.ts';

/** The code of the error for a directory that other users can change and that cannot be made private. */
export const notPrivateCode = 'not_private';

/** The file operations that the journal and the lock need. Only the current user can access the files. */
export interface Files {
  /**
   * Creates a directory and its parents, or makes an existing one accessible to its user alone.
   * @throws the file system's error; one with `notPrivateCode` if it belongs to another user or remains accessible
   */
  makePrivateDirectory(path: string): Promise<void>;
  /** The names of the regular files in a directory; none if it does not exist. */
  list(path: string): Promise<string[]>;
  /**
   * The text of a regular file of this user; `undefined` if there is none of that name, whatever else has the name, or
   * if it is larger than 1 MiB.
   */
  read(path: string): Promise<string | undefined>;
  /** When a file was last written (wall clock, ms); `undefined` if it does not exist. */
  writtenAtMs(path: string): Promise<number | undefined>;
  /** Creates a file and flushes it to disk. @returns false if anything of that name exists */
  create(path: string, text: string): Promise<boolean>;
  /**
   * Like `create`, but keeps the file open: later writes go to this very file, even if another file has its name then.
   * @returns undefined if anything of that name exists
   */
  createOpen(path: string, text: string): Promise<OpenFile | undefined>;
  /** Overwrites the beginning of an existing file and flushes it to disk. */
  overwrite(path: string, text: string): Promise<void>;
  /** Renames a file atomically and flushes the directory to disk. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; it may be missing. @throws for a directory */
  remove(path: string): Promise<void>;
  /** Calls `changed` when something in the directory may have changed. Best effort: it can miss changes. */
  watch(path: string, changed: () => void): { close(): void };
}

/** A file that is kept open. */
export interface OpenFile {
  /** Overwrites the beginning of the file. */
  overwrite(text: string): Promise<void>;
  close(): Promise<void>;
}

/** An HTTP server bound to 127.0.0.1. */
export interface Listener {
  port: number;
  /** Accepts no more connections, closes those that are not admitted, and lets responses in progress finish. */
  close(): void;
  /** Drops every connection; resolves once the port is free. */
  abort(): Promise<void>;
}

/** What the sign-in's listener reads of a request; Node's `IncomingMessage` is one. */
export interface ListenerRequest {
  method?: string | undefined;
  url?: string | undefined;
  headers: { host?: string | undefined };
}

/** What the sign-in's listener does with a response; Node's `ServerResponse` is one. */
export interface ListenerResponse {
  writeHead(status: number, headers: Record<string, string>): ListenerResponse;
  end(body?: string): unknown;
  destroy(): unknown;
}

/** Lets the connection of a request stay open. A connection on which no request is admitted is closed within seconds. */
export type Admit = () => void;

/**
 * Listens on a free port of 127.0.0.1, and on no other address. `handle` calls `admit` as soon as it knows the caller of
 * a request; of other connections only a bounded number is open. What is not a plain request gets an empty 404.
 */
export type Listen = (
  handle: (request: ListenerRequest, response: ListenerResponse, admit: Admit) => void,
  clock?: Clock,
) => Promise<Listener>;

export interface TransportOptions {
  /** Sends requests to other machines. Default: the global `fetch`, which the extension host patches. */
  hostFetch?: typeof fetch;
  /** Whether requests to other machines may use connections that the host opens and we keep. Default: never. */
  usesHostSockets?: () => boolean;
  /** Looked at before each request to another machine; a change closes idle connections. */
  network?: NetworkWatch;
}

export interface PlatformHttpOptions extends TransportOptions {
  /** Default: a transport with the other options. */
  transport?: Transport;
  /** The `User-Agent`, where it can be set. */
  userAgent: string;
}

/** The process of the extension host. */
export interface HostProcess {
  nodeVersion: string;
  /** As `process.platform` and `process.arch` name them. */
  system: string;
  architecture: string;
  environment(name: string): string | undefined;
}
