import type { Clock } from '../core/clock.ts';
import { toHex } from '../core/encoding.ts';
import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import { type PendingAuthorization, validateCallback } from '../oauth/authorization.ts';
import { Failure } from '../oauth/errors.ts';
import type { AuthorizationServer } from '../oauth/model.ts';
import { callbackParameters } from './callbackQuery.ts';
import type { CallbackResult, ChannelName, Receive } from './channel.ts';

/** Keeps hashes of `state` values across a reload; in the editor a `vscode.Memento`. It never receives a secret. */
export interface StateMemory {
  get<T>(key: string): T | undefined;
  update(key: string, value: unknown): PromiseLike<void>;
}

/** A sign-in that is waiting for its callback. */
export interface PendingSignIn {
  /** Rejects with the `Failure` for the error that the authorization server returned. */
  code: Promise<Secret>;
  /** Validates a callback against this sign-in only; for a channel that was opened for it. */
  receive: Receive;
  /** Stops waiting; the `state` is never accepted again. */
  end: () => void;
}

interface WaitingSignIn {
  authorization: PendingAuthorization;
  authorizationServer: AuthorizationServer;
  channel: ChannelName;
  /** The log of this sign-in. */
  log: Log;
  resolve: (code: Secret) => void;
  reject: (failure: Failure) => void;
}

interface StartedSignIn {
  fingerprint: string;
  atMs: number;
}

const memoryKey = 'begunSignIns';
const maxAgeMs = 15 * 60_000;
const maxRemembered = 20;
const maxForeignLines = 10;

/**
 * The sign-ins of this window that are waiting for their callback, by `state`. Only a sign-in that began here can lead
 * to a stored grant: a callback with any other `state` changes nothing.
 */
export class PendingSignIns {
  readonly #waiting = new Map<string, WaitingSignIn>();
  readonly #memory: StateMemory;
  readonly #clock: Clock;
  readonly #log: Log;
  #foreignCallbacks = 0;

  constructor(memory: StateMemory, clock: Clock, log: Log) {
    this.#memory = memory;
    this.#clock = clock;
    this.#log = log;
  }

  /** Waits for the response to `authorization`, which must arrive over the channel whose redirect URI it names. */
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
    // Awaited later; an error that arrives while the browser is still opening must not be an unhandled rejection.
    code.catch(() => undefined);
    return {
      code,
      receive: (query) => this.#receive(query, (candidate) => candidate === state && this.#waiting.has(state)),
      end: () => this.#waiting.delete(state),
    };
  }

  /** Whether a sign-in is waiting for its callback. */
  get isWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  /**
   * Receives the query of a URI that the editor passed to its URI handler. An invalid callback does not reject; the
   * result and the log say what is wrong.
   */
  receive(query: string): Promise<CallbackResult> {
    return this.#receive(query, (state) => this.#waiting.get(state)?.channel === 'uriHandler');
  }

  async #receive(query: string, isExpected: (state: string) => boolean): Promise<CallbackResult> {
    const parameters = callbackParameters(query, isExpected);
    const state = parameters?.getAll('state').find(isExpected);
    const waiting = state === undefined ? undefined : this.#waiting.get(state);
    if (parameters === undefined || state === undefined || waiting === undefined) {
      return (await this.#beganHere(query)) ? this.#reportEnded() : this.#reportForeign();
    }
    let code: Secret;
    try {
      code = validateCallback(waiting.authorization, waiting.authorizationServer, parameters);
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      if (error.kind === 'unsafe' || error.kind === 'invalidResponse') {
        waiting.log.warn('A callback from the browser was rejected; the sign-in keeps waiting.', {
          code: error.details.code,
        });
        return 'unsafe';
      }
      // Single use: the `state` is removed before the sign-in acts on the callback.
      this.#waiting.delete(state);
      waiting.reject(error);
      return 'declined';
    }
    this.#waiting.delete(state);
    waiting.resolve(code);
    return 'accepted';
  }

  #reportEnded(): CallbackResult {
    this.#log.info('A callback from the browser belongs to a sign-in that has ended; it was ignored.');
    return 'ended';
  }

  #reportForeign(): CallbackResult {
    this.#foreignCallbacks += 1;
    if (this.#foreignCallbacks <= maxForeignLines) {
      this.#log.warn('A callback from the browser belongs to no sign-in of this window; it was ignored.', {
        furtherLinesSuppressed: this.#foreignCallbacks === maxForeignLines,
      });
    }
    return 'foreign';
  }

  async #remember(state: string): Promise<void> {
    const started = this.#startedSignIns();
    started.push({ fingerprint: await fingerprint(state), atMs: this.#clock.nowMs() });
    await this.#memory.update(memoryKey, started.slice(-maxRemembered));
  }

  async #beganHere(query: string): Promise<boolean> {
    const known = new Set(this.#startedSignIns().map((entry) => entry.fingerprint));
    const states: string[] = [];
    // Collects the `state` of every decoding: since none is accepted, all decodings are tried.
    callbackParameters(query, (state) => {
      states.push(state);
      return false;
    });
    const fingerprints = await Promise.all(states.map(fingerprint));
    return fingerprints.some((each) => known.has(each));
  }

  #startedSignIns(): StartedSignIn[] {
    const oldestMs = this.#clock.nowMs() - maxAgeMs;
    const stored = this.#memory.get<StartedSignIn[]>(memoryKey);
    return Array.isArray(stored) ? stored.filter((entry) => entry.atMs > oldestMs) : [];
  }
}

/** SHA-256 of a `state`, in hexadecimal: enough to recognise it, useless for forging it. */
async function fingerprint(state: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(state));
  return toHex(new Uint8Array(digest));
}
