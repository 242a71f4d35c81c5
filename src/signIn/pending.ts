import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import { type PendingAuthorization, validateCallback } from '../oauth/authorization.ts';
import { Failure } from '../oauth/errors.ts';
import type { AnnouncedSignIns } from './announcedSignIns.ts';
import { callbackParameters, maxQueryLength } from './callbackQuery.ts';
import type { CallbackResult, ChannelName, Receive } from './channel.ts';

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
  channel: ChannelName;
  /** The log of this sign-in. */
  log: Log;
  onRefused: (failure: Failure) => void;
  resolve: (code: Secret) => void;
  reject: (failure: Failure) => void;
}

export interface WaitOptions {
  /** The log of this sign-in. */
  log?: Log;
  /** Called for each callback that has the right `state` but is refused; the sign-in keeps waiting. */
  onRefused?: (failure: Failure) => void;
}

const maxEnded = 20;
const maxIgnoredLines = 10;

/**
 * The sign-ins of this window that are waiting for their callback, by `state`. Only a sign-in that began here can lead
 * to a stored grant: a callback with any other `state` changes nothing.
 */
export class PendingSignIns {
  readonly #waiting = new Map<string, WaitingSignIn>();
  /** The `state` values of the sign-ins that ended last, oldest first, and what a further callback of each is. */
  #ended: readonly (readonly [state: string, result: 'repeated' | 'ended'])[] = [];
  readonly #log: Log;
  readonly #announced: AnnouncedSignIns | undefined;
  readonly #ignoredCallbacks = { repeated: 0, ended: 0, otherWindow: 0, foreign: 0 };

  /** Without `announced`, the response to a sign-in of another window belongs to none. */
  constructor(log: Log, announced?: AnnouncedSignIns) {
    this.#log = log;
    this.#announced = announced;
  }

  /** Waits for the response to `authorization`, which must arrive over the channel whose redirect URI it names. */
  wait(
    authorization: PendingAuthorization,
    channel: ChannelName,
    { log = this.#log, onRefused = () => undefined }: WaitOptions = {},
  ): PendingSignIn {
    const state = authorization.state.reveal();
    const code = new Promise<Secret>((resolve, reject) => {
      this.#waiting.set(state, { authorization, channel, log, onRefused, resolve, reject });
    });
    void this.#announced?.add(state);
    // Awaited later; an error that arrives while the browser is still opening must not be an unhandled rejection.
    code.catch(() => undefined);
    return {
      code,
      receive: (query) => this.#receive(query, (candidate) => candidate === state && this.#waiting.has(state)),
      end: () => this.#end(state, 'ended'),
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
      return this.#receiveUnexpected(query);
    }
    let code: Secret;
    try {
      code = validateCallback(waiting.authorization, parameters);
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
      if (error.kind === 'unsafe' || error.kind === 'invalidResponse') {
        return refuse(waiting, error);
      }
      // Single use: the `state` is removed before the sign-in acts on the callback.
      this.#end(state, 'repeated');
      waiting.reject(error);
      return 'declined';
    }
    this.#end(state, 'repeated');
    waiting.resolve(code);
    return 'accepted';
  }

  async #receiveUnexpected(query: string): Promise<CallbackResult> {
    const states: string[] = [];
    callbackParameters(query, (candidate) => {
      states.push(candidate);
      return false;
    });
    for (const state of states) {
      const waiting = this.#waiting.get(state);
      if (waiting !== undefined) {
        const { host } = new URL(waiting.authorization.authorizationServer.issuer);
        return refuse(waiting, new Failure('unsafe', { step: 'authorization', code: 'redirect_mismatch', host }));
      }
    }
    const ended = this.#ended.find(([state]) => states.includes(state));
    if (ended !== undefined) {
      return this.#ignore(ended[1], query);
    }
    const isAnnounced = (await this.#announced?.includesAny(states)) ?? false;
    return this.#ignore(isAnnounced ? 'otherWindow' : 'foreign', query);
  }

  #end(state: string, result: 'repeated' | 'ended'): void {
    if (this.#waiting.delete(state)) {
      this.#ended = [...this.#ended, [state, result] as const].slice(-maxEnded);
      void this.#announced?.remove(state);
    }
  }

  #ignore(result: 'repeated' | 'ended' | 'otherWindow' | 'foreign', query: string): CallbackResult {
    this.#ignoredCallbacks[result] += 1;
    const count = this.#ignoredCallbacks[result];
    if (count <= maxIgnoredLines) {
      const values = { furtherLinesSuppressed: count === maxIgnoredLines };
      if (result === 'repeated') {
        this.#log.info('A callback from the browser was delivered again; it was ignored.', values);
      } else if (result === 'ended') {
        this.#log.info('A callback from the browser belongs to a sign-in that has ended; it was ignored.', values);
      } else if (result === 'otherWindow') {
        this.#log.info('A callback from the browser belongs to a sign-in of another window; it was ignored.', values);
      } else if (query.length > maxQueryLength) {
        this.#log.warn('A callback from the browser is too long; it was ignored.', { ...values, length: query.length });
      } else {
        this.#log.warn('A callback from the browser belongs to no sign-in of this window; it was ignored.', values);
      }
    }
    return result;
  }
}

/** Refuses a callback of a sign-in that keeps waiting: its sender must not be able to end the sign-in. */
function refuse({ log, onRefused }: WaitingSignIn, failure: Failure): 'unsafe' {
  log.warn('A callback from the browser was refused; the sign-in keeps waiting.', { code: failure.details.code });
  onRefused(failure);
  return 'unsafe';
}
