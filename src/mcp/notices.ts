import type { Problem } from './jsonRpc.ts';

/** What a person should hear of while callers only get an error. */
export interface GatewayNotices {
  /** An account that callers want to use needs its person. */
  signInNeeded(grantId: string): void;
  /** The server wants scopes that the account's grant lacks; none named means that it did not say which. */
  scopeMissing(grantId: string, scopes: readonly string[]): void;
}

/** Tells each thing once: a chat that tries ten tools must not show ten messages. */
export class Notices {
  readonly #notices: GatewayNotices;
  readonly #awaitingSignIn = new Set<string>();
  readonly #scopesTold = new Set<string>();

  constructor(notices: GatewayNotices) {
    this.#notices = notices;
  }

  /** The account's token could be used: should it need a sign-in again, that is news. */
  well(grantId: string): void {
    this.#awaitingSignIn.delete(grantId);
  }

  tell(grantId: string, { kind, scopes = [] }: Problem): void {
    if (kind === 'signInNeeded' && !this.#awaitingSignIn.has(grantId)) {
      this.#awaitingSignIn.add(grantId);
      this.#notices.signInNeeded(grantId);
    }
    const wanted = JSON.stringify([grantId, ...scopes]);
    if (kind === 'scopeMissing' && !this.#scopesTold.has(wanted)) {
      this.#scopesTold.add(wanted);
      this.#notices.scopeMissing(grantId, scopes);
    }
  }
}
