import type { Clock } from '../../../src/core/clock.ts';
import type { Log } from '../../../src/core/log.ts';
import type { Randomness } from '../../../src/core/random.ts';
import type { Http } from '../../../src/http/client.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Client, Discovery, Tokens } from '../../../src/oauth/model.ts';
import { revoke } from '../../../src/oauth/revocation.ts';
import type { Attempt } from '../../../src/signIn/attempts.ts';
import type { Exchanges } from './exchanges.ts';
import type { Findings } from './findings.ts';

export interface CheckOptions {
  http: Http;
  serverUrl: URL;
  openBrowser: (url: string) => Promise<void>;
  /** Also checks whether the previous refresh token still works, which may end the grant. */
  risky: boolean;
  /** Ends the check early. */
  signal: AbortSignal;
  clock: Clock;
  randomness: Randomness;
}

/** What the steps of a check share. */
export interface Check extends Omit<CheckOptions, 'http'> {
  exchanges: Exchanges;
  findings: Findings;
  log: Log;
  /** Sends a request of the sign-in, and sends it again after a passing failure. */
  attempt: Attempt;
}

/** A grant that the check has to revoke at its end. */
export interface CheckedGrant {
  discovery: Discovery;
  client: Client;
  tokens: Tokens;
}

/** Revokes the newest tokens of a grant. @throws Failure */
export async function revokeGrant(http: Http, { discovery, client, tokens }: CheckedGrant): Promise<void> {
  const { accessToken, refreshToken } = tokens;
  const token = refreshToken ?? accessToken;
  const hint = refreshToken === undefined ? 'access_token' : 'refresh_token';
  await revoke(http, discovery.authorizationServer, client, { token, hint });
}

/** Runs a part that the rest does not need. What it would have seen stays unseen if it fails. */
export async function independently(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof Failure) || error.kind === 'cancelled') {
      throw error;
    }
  }
}
