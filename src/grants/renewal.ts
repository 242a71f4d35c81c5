import type { Clock, Randomness } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Tokens } from '../oauth/client.ts';
import { Failure } from '../oauth/failure.ts';
import type { Secret } from '../secret.ts';
import { BackOff } from './backOff.ts';
import type { Grant, NeedsSignInReason } from './grant.ts';
import type { GrantStore, StoreTransaction } from './grantStore.ts';
import { Rejections } from './rejections.ts';
import { isHealthy } from './tokenLife.ts';

/** Why new tokens are wanted. */
export type RenewReason =
  | { reason: 'expiry' }
  /** The server rejected this access token. */
  | { reason: 'rejected'; accessToken: Secret }
  /** The person asked for it. */
  | { reason: 'asked' };

/** What the life of a grant needs of the protocol; its steps go to `log`, that of the operation. */
export interface GrantProtocol {
  /** @throws Failure */
  refresh(grant: Grant, log?: Log): Promise<Tokens>;
  /** Best effort. @throws Failure */
  revoke(grant: Grant, log?: Log): Promise<void>;
  /** One request that spends nothing: shows that the network carries us to the server. @throws Failure */
  probe(grant: Grant, log?: Log): Promise<void>;
}

export interface RenewalParts {
  store: GrantStore;
  protocol: GrantProtocol;
  clock: Clock;
  randomness: Randomness;
  log: Log;
  /** Called in the one window that found a grant to be over, once that is stored. */
  gaveUp: (grant: Grant) => void;
}

/** How long a renewal waits for another window's; longer than that one may take, takeover included. */
const lockWaitMs = 140_000;
const settlingMs = 5 * 60_000;
const confirmAfterMs = 90_000;
const day = 24 * 60 * 60_000;

/** The transaction that exchanges a refresh token for new tokens. At most one for a grant at a time. */
export class Renewal {
  readonly #parts: RenewalParts;
  readonly #running = new Map<string, Promise<Grant>>();
  readonly #backOff: BackOff;
  /** Refusals that may be the server's mistake, to be confirmed once. */
  readonly #doubts = new Map<string, { generation: number; confirmAtMs: number }>();
  readonly #rejections: Rejections;
  #ended = false;
  #slept = false;

  constructor(parts: RenewalParts) {
    this.#parts = parts;
    this.#backOff = new BackOff(parts.clock, parts.randomness);
    this.#rejections = new Rejections(parts.clock);
  }

  /**
   * Renews, or adopts what another window renewed. Callers share what is under way.
   * @throws Failure: `signInAgain` or `registrationGone` when the grant is over; everything else keeps it
   */
  run(grant: Grant, why: RenewReason): Promise<Grant> {
    const running = this.#running.get(grant.id);
    if (running !== undefined) {
      return running;
    }
    const refusal = this.#refusal(grant, why);
    if (refusal !== undefined) {
      return refusal instanceof Failure ? Promise.reject(refusal) : Promise.resolve(refusal);
    }
    const run = this.#run(grant, why).finally(() => this.#running.delete(grant.id));
    this.#running.set(grant.id, run);
    return run;
  }

  /** When a renewal that failed may be tried again, on the monotonic clock; `undefined` when nothing stands against it. */
  retryAtMs(grantId: string): number | undefined {
    const waits = [this.#doubts.get(grantId)?.confirmAtMs, this.#backOff.untilMs(grantId)].filter(
      (wait) => wait !== undefined,
    );
    return waits.length === 0 ? undefined : Math.max(...waits);
  }

  lastFailure(grantId: string): Failure | undefined {
    return this.#backOff.lastFailure(grantId);
  }

  /** The machine slept: the network may be gone or a captive portal's, so the next renewal probes it first. */
  wokeUp(): void {
    this.#slept = true;
  }

  /** No renewal starts from now on. Waits for those under way, at most `limitMs`. */
  async end(limitMs: number): Promise<void> {
    this.#ended = true;
    const limit = new Promise<void>((resolve) => this.#parts.clock.after(limitMs, resolve));
    await Promise.race([Promise.allSettled(this.#running.values()), limit]);
  }

  /** What is answered without a transaction: a grant, or why there is none now. */
  #refusal(grant: Grant, why: RenewReason): Grant | Failure | undefined {
    const { clock } = this.#parts;
    if (this.#ended) {
      return new Failure('transient', { step: 'token', code: 'ending' });
    }
    if (grant.needsSignIn !== undefined) {
      return ended(grant);
    }
    if (why.reason === 'rejected') {
      return this.#rejections.calledFor(grant, why.accessToken) ? undefined : grant;
    }
    const untilMs = this.retryAtMs(grant.id);
    const waits = untilMs !== undefined && clock.monotonicMs() < untilMs;
    const doubted = this.#doubts.get(grant.id)?.generation === grant.generation;
    if (waits && (why.reason === 'expiry' || doubted)) {
      const last = this.#backOff.lastFailure(grant.id);
      return last ?? new Failure('transient', { step: 'token', code: 'waiting' });
    }
    return undefined;
  }

  async #run(known: Grant, why: RenewReason): Promise<Grant> {
    const { store, clock, randomness } = this.#parts;
    const log = this.#parts.log.operation('renewal', randomness);
    const startedAtMs = clock.nowMs();
    const transaction = await store.begin(known, lockWaitMs);
    if (transaction === undefined) {
      throw this.#failed(known.id, new Failure('transient', { step: 'storage', code: 'locked' }), log);
    }
    try {
      // The copy from before the lock is only a hint; what is read under the lock counts.
      const grant = await transaction.read();
      if (grant.needsSignIn !== undefined) {
        throw ended(grant);
      }
      if (this.#canAdopt(grant, known, why, startedAtMs)) {
        log.info('Another window has renewed; its tokens are used.', { grant: grant.id, generation: grant.generation });
        this.#settled(grant.id);
        return grant;
      }
      return await this.#renew(transaction, grant, log);
    } catch (error) {
      throw this.#failed(known.id, error, log);
    } finally {
      await transaction.end();
    }
  }

  #canAdopt(grant: Grant, known: Grant, why: RenewReason, startedAtMs: number): boolean {
    switch (why.reason) {
      case 'expiry':
        return grant.generation > known.generation && isHealthy(grant.tokens, this.#parts.clock.nowMs());
      case 'rejected':
        return grant.generation > known.generation;
      case 'asked':
        return grant.generation > known.generation && grant.tokens.obtainedAtMs >= startedAtMs;
    }
  }

  async #renew(transaction: StoreTransaction, grant: Grant, log: Log): Promise<Grant> {
    const { protocol } = this.#parts;
    if (grant.tokens.refreshToken === undefined) {
      return this.#giveUp(transaction, grant, log, 'noRefreshToken');
    }
    // A full disk is found before the refresh token is spent.
    const place = await transaction.reserve(grant);
    try {
      if (this.#slept || this.#backOff.lastFailure(grant.id) !== undefined) {
        await protocol.probe(grant, log);
        this.#slept = false;
      }
      if (!(await transaction.isOurs())) {
        throw new Failure('transient', { step: 'storage', code: 'lock_lost' });
      }
      log.info('Renewing.', { grant: grant.id, generation: grant.generation });
      const renewed = merge(grant, await protocol.refresh(grant, log));
      if (await transaction.isGone()) {
        log.info('The account was signed out meanwhile; what was got is given back.', { grant: grant.id });
        await protocol.revoke(renewed, log).catch(() => undefined);
        throw new Failure('signInAgain', { step: 'token', code: 'signed_out' });
      }
      if (!(await transaction.isOurs())) {
        await place.keepAside(renewed, grant);
        throw new Failure('transient', { step: 'storage', code: 'lock_lost' });
      }
      await place.commit(renewed, grant);
      this.#settled(grant.id);
      log.info('Renewed.', { grant: grant.id, generation: renewed.generation });
      return renewed;
    } catch (error) {
      await place.discard().catch(() => undefined);
      if (error instanceof Failure && error.details.code !== 'signed_out' && isOver(error)) {
        return await this.#doubt(transaction, grant, error, log);
      }
      throw error;
    }
  }

  /** The server says that it is over: believed at once, or after one more try where its stores may lag behind. */
  async #doubt(transaction: StoreTransaction, grant: Grant, failure: Failure, log: Log): Promise<Grant> {
    const { clock, protocol } = this.#parts;
    const doubt = this.#doubts.get(grant.id);
    const rotated = grant.tokens.obtainedAtMs > grant.signedInAtMs;
    const settling = rotated && clock.nowMs() - grant.tokens.obtainedAtMs < settlingMs;
    const confirmed = doubt?.generation === grant.generation && clock.monotonicMs() >= doubt.confirmAtMs;
    if ((settling || failure.kind === 'registrationGone') && !confirmed) {
      this.#doubts.set(grant.id, {
        generation: grant.generation,
        confirmAtMs: doubt?.generation === grant.generation ? doubt.confirmAtMs : clock.monotonicMs() + confirmAfterMs,
      });
      log.warn('The server refuses to renew; asked once more before it is believed.', {
        grant: grant.id,
        code: failure.details.code,
      });
      throw new Failure('transient', { ...failure.details, code: 'unconfirmed', retryAfterMs: confirmAfterMs });
    }
    for (const aside of await transaction.keptAside()) {
      try {
        const renewed = merge({ ...aside, generation: grant.generation }, await protocol.refresh(aside, log));
        await transaction.write(renewed, grant);
        this.#settled(grant.id);
        log.info('Renewed with an answer that was kept aside.', { grant: grant.id, generation: renewed.generation });
        return renewed;
      } catch (error) {
        if (!(error instanceof Failure && isOver(error))) {
          throw error;
        }
      }
    }
    return this.#giveUp(transaction, grant, log, reasonFor(grant, failure, clock.nowMs()), failure.details.code);
  }

  /** The account needs its person; the refresh token is never presented again. */
  async #giveUp(
    transaction: StoreTransaction,
    grant: Grant,
    log: Log,
    reason: NeedsSignInReason,
    serverCode?: string,
  ): Promise<never> {
    const { refreshToken: _, ...tokens } = grant.tokens;
    const over: Grant = {
      ...grant,
      generation: grant.generation + 1,
      tokens,
      needsSignIn: { reason, ...(serverCode !== undefined && { serverCode }) },
    };
    await transaction.write(over, grant);
    this.#settled(grant.id);
    log.warn('The account needs to be signed in again.', { grant: grant.id, reason, serverCode });
    this.#parts.gaveUp(over);
    throw ended(over);
  }

  #settled(grantId: string): void {
    this.#doubts.delete(grantId);
    this.#backOff.succeeded(grantId);
  }

  #failed(grantId: string, error: unknown, log: Log): Failure {
    const failure =
      error instanceof Failure ? error : new Failure('transient', { step: 'storage', code: 'disk', cause: error });
    if (!isOver(failure)) {
      this.#backOff.failed(grantId, failure);
      const { step, code, status } = failure.details;
      log.warn('A renewal failed; the sign-in is kept.', {
        grant: grantId,
        kind: failure.kind,
        step,
        code,
        status,
      });
    }
    return failure;
  }
}

/** The new tokens in the old grant. What the answer leaves out stays as it was (modelcontextprotocol/python-sdk#2270). */
function merge(grant: Grant, tokens: Tokens): Grant {
  const { refreshToken, scopes } = grant.tokens;
  return {
    ...grant,
    generation: grant.generation + 1,
    tokens: { ...(refreshToken && { refreshToken }), ...(scopes && { scopes }), ...tokens },
  };
}

function isOver({ kind }: Failure): boolean {
  return kind === 'signInAgain' || kind === 'registrationGone';
}

/** What is to be said of a grant that needs its person. */
function ended({ needsSignIn, authorizationServer }: Grant): Failure {
  const details = { step: 'token', code: 'ended', host: new URL(authorizationServer.tokenEndpoint).host } as const;
  return new Failure(needsSignIn?.reason === 'registrationGone' ? 'registrationGone' : 'signInAgain', details);
}

/** Our own clock knows some reasons; the server names none. */
function reasonFor({ signedInAtMs, tokens }: Grant, { kind }: Failure, nowMs: number): NeedsSignInReason {
  if (kind === 'registrationGone') {
    return 'registrationGone';
  }
  if (nowMs - signedInAtMs >= 180 * day) {
    return 'tooOld';
  }
  return nowMs - tokens.obtainedAtMs >= 30 * day ? 'idle' : 'ended';
}
