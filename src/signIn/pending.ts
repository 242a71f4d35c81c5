import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import { type PendingAuthorization, validateCallback } from '../oauth/authorization.ts';
import { Failure } from '../oauth/errors.ts';
import type { AuthorizationServer } from '../oauth/model.ts';
import { callbackParameters } from './callbackQuery.ts';
import type { CallbackResult, ChannelName, Receive } from './channel.ts';

/** Keeps fingerprints of states across a reload; in the editor a `vscode.Memento`. Nothing secret goes in. */
export interface StateMemory {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** A sign-in that waits for the browser. */
export interface PendingSignIn {
  /** Rejects with the `Failure` that the server's answer means. */
  code: Promise<Secret>;
  /** Judges an answer against this sign-in alone, for a channel that was opened for it. */
  receive: Receive;
  /** Stops waiting; the state is never accepted again. */
  end: () => void;
}

interface Waiting {
  authorization: PendingAuthorization;
  authorizationServer: AuthorizationServer;
  channel: ChannelName;
  /** The sign-in's own log. */
  log: Log;
  resolve: (code: Secret) => void;
  reject: (failure: Failure) => void;
}

interface Begun {
  fingerprint: string;
  atMs: number;
}

const memoryKey = 'begunSignIns';
const longestMemoryMs = 15 * 60_000;
const mostRemembered = 20;
const mostForeignLines = 10;

/**
 * The sign-ins of this window that wait for the browser, by their `state`. Nothing is ever stored that did not begin
 * here: an answer whose state is not among them changes nothing.
 */
export class PendingSignIns {
  readonly #waiting = new Map<string, Waiting>();
  readonly #memory: StateMemory;
  readonly #clock: Clock;
  readonly #log: Log;
  #foreign = 0;

  constructor(memory: StateMemory, clock: Clock, log: Log) {
    this.#memory = memory;
    this.#clock = clock;
    this.#log = log;
  }

  /** Waits for the answer to `authorization`, which has to come by the channel whose redirect URI it names. */
  async wait(
    authorization: PendingAuthorization,
    authorizationServer: AuthorizationServer,
    channel: ChannelName,
    log = this.#log,
  ): Promise<PendingSignIn> {
    const state = authorization.state.reveal();
    await this.#remember(state);
    const code = new Promise<Secret>((resolve, reject) => {
      this.#waiting.set(state, { authorization, authorizationServer, channel, log, resolve, reject });
    });
    // Awaited later; a refusal that arrives while the browser still opens is not an unhandled one.
    code.catch(() => undefined);
    return {
      code,
      receive: (query) => this.#receive(query, (candidate) => candidate === state && this.#waiting.has(state)),
      end: () => this.#waiting.delete(state),
    };
  }

  /** Whether a sign-in waits for its answer. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Takes the query of a call to the editor's URI handler. Never throws: what is wrong with an answer is said in the
   * result and the log.
   */
  receive(query: string): Promise<CallbackResult> {
    return this.#receive(query, (state) => this.#waiting.get(state)?.channel === 'uriHandler');
  }

  async #receive(query: string, isExpected: (state: string) => boolean): Promise<CallbackResult> {
    const own = callbackParameters(query, isExpected);
    const state = own?.getAll('state').find(isExpected);
    const waiting = state === undefined ? undefined : this.#waiting.get(state);
    if (own === undefined || state === undefined || waiting === undefined) {
      return (await this.#beganHere(query)) ? this.#ended() : this.#strange();
    }
    let code: Secret;
    try {
      code = validateCallback(waiting.authorization, waiting.authorizationServer, own);
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      if (error.kind === 'unsafe' || error.kind === 'invalidResponse') {
        waiting.log.warn('An answer from the browser was refused; the sign-in keeps waiting.', {
          code: error.details.code,
        });
        return 'unsafe';
      }
      // Single use: the state is spent before anybody acts on the answer.
      this.#waiting.delete(state);
      waiting.reject(error);
      return 'declined';
    }
    this.#waiting.delete(state);
    waiting.resolve(code);
    return 'accepted';
  }

  #ended(): CallbackResult {
    this.#log.info('An answer from the browser came for a sign-in that has ended; nothing was done.');
    return 'ended';
  }

  #strange(): CallbackResult {
    this.#foreign += 1;
    if (this.#foreign <= mostForeignLines) {
      this.#log.warn('An answer from the browser belongs to no sign-in of this window; it was ignored.', {
        silencedFromNowOn: this.#foreign === mostForeignLines,
      });
    }
    return 'foreign';
  }

  async #remember(state: string): Promise<void> {
    const begun = this.#begun();
    begun.push({ fingerprint: await fingerprint(state), atMs: this.#clock.nowMs() });
    await this.#memory.update(memoryKey, begun.slice(-mostRemembered));
  }

  async #beganHere(query: string): Promise<boolean> {
    const begun = new Set(this.#begun().map((entry) => entry.fingerprint));
    const states: string[] = [];
    // Collects the candidate of every reading; none is known yet, so all readings are tried.
    callbackParameters(query, (state) => {
      states.push(state);
      return false;
    });
    const fingerprints = await Promise.all(states.map(fingerprint));
    return fingerprints.some((each) => begun.has(each));
  }

  #begun(): Begun[] {
    const oldestMs = this.#clock.nowMs() - longestMemoryMs;
    const stored = this.#memory.get<Begun[]>(memoryKey);
    return Array.isArray(stored) ? stored.filter((entry) => entry.atMs > oldestMs) : [];
  }
}

/** SHA-256 of a state, in hexadecimal: enough to know it again, useless to forge it. */
async function fingerprint(state: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state));
  return toHex(new Uint8Array(digest));
}
