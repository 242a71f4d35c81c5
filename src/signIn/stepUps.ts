import type { Clock } from '../core/clock.ts';
import type { Grant } from '../grants/grant.ts';
import { Failure } from '../oauth/errors.ts';
import { stepUpScopes } from '../oauth/scopes.ts';

/** After this many sign-ins that requested a scope, and got none that the MCP server accepts, it is not requested again. */
const maxTries = 2;
const pauseMs = 60_000;
/** A server that makes up scopes must not make the authorization request grow. */
const maxOpen = 64;
/** Stands for the scopes of a challenge that names none. */
const unnamed = '';

interface Demands {
  /** The scopes that the next sign-in is to request. */
  open: Set<string>;
  /** How many sign-ins requested each scope. */
  tries: Map<string, number>;
  /** When a request was sent only to learn what the MCP server demands. */
  probedAtMs?: number;
}

/** Remembers which scopes the MCP servers demanded of the accounts' tokens, until a sign-in has requested them (A17). */
export class StepUps {
  readonly #clock: Clock;
  readonly #demands = new Map<string, Demands>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Remembers the scopes of a challenge to the account's token; without any, that a new sign-in may help. */
  demand(grantId: string, scopes: readonly string[]): void {
    const { open, tries } = this.#of(grantId);
    for (const scope of scopes.length === 0 ? [unnamed] : scopes) {
      if (open.size < maxOpen && (tries.get(scope) ?? 0) < maxTries) {
        open.add(scope);
      }
    }
  }

  /** The same for a failed request with the account's token, whatever it failed of. @returns whether scopes lack */
  learn(grantId: string, error: unknown): boolean {
    const { code, scopes } = error instanceof Failure ? error.details : {};
    const lacksScopes = code === 'insufficient_scope';
    if (lacksScopes || scopes !== undefined) {
      this.demand(grantId, scopes ?? []);
    }
    return lacksScopes;
  }

  /** Passes on what `request`, sent with the account's token, returns, and learns from its failure. */
  async learnFrom<T>(grantId: string, request: () => Promise<T>): Promise<T> {
    try {
      return await request();
    } catch (error) {
      this.learn(grantId, error);
      throw error;
    }
  }

  /**
   * Learns what the MCP server demands, by a request with the account's token; at most one a minute.
   * @returns whether the token lacks scopes; a failure of another kind says nothing about that
   */
  async probe(grantId: string, request: () => Promise<unknown>): Promise<boolean> {
    const demands = this.#of(grantId);
    const nowMs = this.#clock.monotonicMs();
    if (demands.probedAtMs !== undefined && nowMs - demands.probedAtMs < pauseMs) {
      return false;
    }
    demands.probedAtMs = nowMs;
    try {
      await request();
      return false;
    } catch (error) {
      return this.learn(grantId, error);
    }
  }

  /** Whether the MCP server demanded scopes that no sign-in has requested since. */
  isOpen(grantId: string): boolean {
    return this.#of(grantId).open.size > 0;
  }

  /** The scopes for the account's next sign-in: those that it has, and those that were demanded. */
  scopesFor({ id, tokens }: Pick<Grant, 'id' | 'tokens'>): string[] | undefined {
    const demanded = [...this.#of(id).open].filter((scope) => scope !== unnamed);
    return stepUpScopes(tokens.scopes, demanded);
  }

  /** The account was signed in again, with a request for `scopes`. */
  signedIn(grantId: string, scopes: readonly string[] = []): void {
    const { open, tries } = this.#of(grantId);
    for (const scope of [unnamed, ...scopes]) {
      if (open.delete(scope)) {
        tries.set(scope, (tries.get(scope) ?? 0) + 1);
      }
    }
  }

  #of(grantId: string): Demands {
    const demands = this.#demands.get(grantId) ?? { open: new Set(), tries: new Map() };
    this.#demands.set(grantId, demands);
    return demands;
  }
}
