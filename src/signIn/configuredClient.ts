import type { Account } from '../accounts/registry.ts';
import { Failure } from '../oauth/errors.ts';
import { type ConfiguredClient, isClientMetadataUrl } from '../oauth/registration.ts';

/** Remembers which authorization server each configured client id belongs to. */
export interface ClientIssuers {
  get(clientId: string): string | undefined;
  set(clientId: string, issuer: string): void;
}

/** What the user has to know before a configured client is used. */
export type ClientQuestion =
  /** The client id has only been used at another authorization server yet. */
  | { kind: 'otherIssuer'; clientId: string; knownIssuer: string; issuer: string }
  /** Accounts are signed in with this client; if the same user signs in again, the server ends the first sign-in. */
  | { kind: 'clientInUse'; clientId: string; labels: string[] };

export interface ConfiguredClientParts {
  clientIssuers: ClientIssuers;
  accounts: { list(): Account[] };
  /** Asks the user whether to go on. */
  confirmClient: (question: ClientQuestion) => Promise<boolean>;
}

/**
 * Asks the user before a configured client is used where it may not belong, or where its use ends another sign-in.
 * @throws Failure of kind `cancelled` if the user declines
 */
export async function confirmClientUse(
  { clientId }: ConfiguredClient,
  issuer: string,
  { clientIssuers, accounts, confirmClient }: ConfiguredClientParts,
): Promise<void> {
  const questions: ClientQuestion[] = [];
  const knownIssuer = clientIssuers.get(clientId);
  // A client metadata document is the same client at every authorization server (A7).
  if (knownIssuer !== undefined && knownIssuer !== issuer && !isClientMetadataUrl(clientId)) {
    questions.push({ kind: 'otherIssuer', clientId, knownIssuer, issuer });
  }
  const labels = accounts
    .list()
    .map(({ grant }) => grant)
    .filter(
      ({ client, authorizationServer, needsSignIn }) =>
        client.clientId === clientId && authorizationServer.issuer === issuer && needsSignIn === undefined,
    )
    .map(({ label }) => label);
  if (labels.length > 0) {
    questions.push({ kind: 'clientInUse', clientId, labels });
  }
  for (const question of questions) {
    if (!(await confirmClient(question))) {
      throw new Failure('cancelled', { step: 'registration', code: 'client_declined' });
    }
  }
}
