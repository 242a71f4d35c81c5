import type { Problem } from '../calls/problem.ts';
import type { GatewayReminders } from './contract.ts';

/**
 * Passes a reminder on only once for each account and cause, so that a chat that tries ten tools does not show ten
 * messages, and a server that makes up fifty scopes does not show fifty.
 */
export class OnceReminders {
  readonly #reminders: GatewayReminders;
  readonly #awaitingSignIn = new Set<string>();
  /** The sign-in of each account (when it was) that lacked scopes. */
  readonly #lackingScopes = new Map<string, number | undefined>();

  constructor(reminders: GatewayReminders) {
    this.#reminders = reminders;
  }

  /** Call this when the account's token was usable: the next time it needs a sign-in, the user is reminded again. */
  clearSignInNeeded(grantId: string): void {
    this.#awaitingSignIn.delete(grantId);
  }

  /** Reminds the user of a problem that needs them, unless they were reminded of it since the account signed in. */
  remind(grantId: string, { kind, scopes = [] }: Problem, signedInAtMs: number | undefined): void {
    if (kind === 'signInNeeded' && !this.#awaitingSignIn.has(grantId)) {
      this.#awaitingSignIn.add(grantId);
      this.#reminders.signInNeeded(grantId);
    }
    const isTold = this.#lackingScopes.has(grantId) && this.#lackingScopes.get(grantId) === signedInAtMs;
    if (kind === 'insufficientScope' && !isTold) {
      this.#lackingScopes.set(grantId, signedInAtMs);
      this.#reminders.insufficientScope(grantId, scopes);
    }
  }
}
