import { Log } from '../../../src/core/log.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { type Attempt, createAttempt } from '../../../src/signIn/attempts.ts';
import { type Check, type CheckedGrant, type CheckOptions, revokeGrant } from './check.ts';
import { Exchanges } from './exchanges.ts';
import { Findings } from './findings.ts';
import { checkMetadata, checkRegistration } from './publicSteps.ts';
import { signIn } from './signInStep.ts';
import { checkRenewal, checkRevocation } from './tokenSteps.ts';
import { checkTools } from './toolSteps.ts';

export interface CheckResult {
  findings: Findings;
  /** Why the check ended early. Its message contains no text of the server. */
  failure?: Failure;
  /** Why the grant could not be revoked. */
  notRevoked?: Failure;
}

/** Compares a server with the contract, step by step, with one sign-in whose grant is revoked in the end. */
export async function checkNotion({ http, ...options }: CheckOptions): Promise<CheckResult> {
  const exchanges = new Exchanges(http);
  const findings = new Findings();
  const { clock, randomness, signal } = options;
  const log = new Log({ error: ignore, warn: ignore, info: ignore, debug: ignore });
  const seenUnknown = (failure: Failure): void => {
    if (failure.kind === 'invalidClient' || failure.details.code === 'invalid_token') {
      findings.agrees('credentials that are unknown at first');
    }
  };
  const attempt: Attempt = (send) =>
    createAttempt({ isNewClient: true, signal, onPause: seenUnknown, clock, randomness, log })(send);
  const check: Check = { ...options, exchanges, findings, log, attempt };
  const grants: CheckedGrant[] = [];
  let failure: Failure | undefined;
  let notRevoked: Failure | undefined;
  try {
    failure = await failureOf(async () => {
      const discovery = await checkMetadata(check);
      await checkRegistration(check, discovery);
      const grant = await signIn(check, discovery);
      grants.push(grant);
      await checkTools(check, grant);
      await checkRenewal(check, grant);
      await checkRevocation(check, grant);
    });
  } finally {
    // Also after a revocation that succeeded, which is harmless: the check may have failed before it or in between.
    notRevoked = await failureOf(async () => {
      for (const grant of grants) {
        await revokeGrant(http, grant);
      }
    });
  }
  return { findings, ...(failure && { failure }), ...(notRevoked && { notRevoked }) };
}

/** The failure with which `run` rejects. Any other error is a bug and is rethrown. */
async function failureOf(run: () => Promise<void>): Promise<Failure | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) {
      return error;
    }
    throw error;
  }
}

function ignore(): void {}
