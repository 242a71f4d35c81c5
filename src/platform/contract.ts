import type { IncomingMessage, ServerResponse } from 'node:http';

/** The few things that journal and lock do with a disk. Files are for this user only. */
export interface Files {
  /** Makes a directory and those above it. */
  makeDirectory(path: string): Promise<void>;
  /** The names in a directory; none when it is missing. */
  list(path: string): Promise<string[]>;
  /** The text of a file; `undefined` when it is missing. */
  read(path: string): Promise<string | undefined>;
  /** Makes a new file and brings it to the disk. @returns false when there is one of that name already */
  create(path: string, text: string): Promise<boolean>;
  /** The same, and keeps the file open: what is written later goes into this very file, whoever has its name by then. */
  createOpen(path: string, text: string): Promise<OpenFile | undefined>;
  /** Writes over the beginning of a file that is there and brings it to the disk. */
  overwrite(path: string, text: string): Promise<void>;
  /** Gives a file its name, in one step, and brings the directory to the disk. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file; one that is missing is fine. */
  remove(path: string): Promise<void>;
  /** Calls `changed` when something in the directory may have changed. A hint only: it can stay mute. */
  watch(path: string, changed: () => void): { close(): void };
}

/** A file that is held open. */
export interface OpenFile {
  /** Writes over its beginning. */
  overwrite(text: string): Promise<void>;
  close(): Promise<void>;
}

/** A server that is bound to 127.0.0.1. */
export interface Listener {
  port: number;
  /** Takes no more connections and lets answers that are under way end. */
  close(): void;
  /** Cuts every connection; resolves once the port is free. */
  abort(): Promise<void>;
}

/** Listens on 127.0.0.1, and nowhere else, at a free port. */
export type Listen = (handle: (request: IncomingMessage, response: ServerResponse) => void) => Promise<Listener>;

export interface PlatformHttpOptions {
  /** What is sent as `User-Agent`, where that is ours to set. */
  userAgent: string;
  /** Carries what does not stay on this computer. Default: the global `fetch`, which the editor's host has patched. */
  hostFetch?: typeof fetch;
}
