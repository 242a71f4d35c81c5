import type { Secret } from '../../../src/core/secret.ts';
import { withBearer } from '../../../src/http/bearer.ts';
import { mcpRequest } from '../../../src/notion/mcpClient.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Tokens } from '../../../src/oauth/model.ts';
import { refresh } from '../../../src/oauth/token.ts';
import { type Check, type CheckedGrant, revokeGrant } from './check.ts';
import { checkTokenResponse } from './signInStep.ts';

/** Refreshes, and looks at what became of the earlier tokens. `grant` always has the newest tokens. */
export async function checkRenewal(check: Check, grant: CheckedGrant): Promise<void> {
  const { findings, attempt, risky } = check;
  const { accessToken: firstAccessToken, refreshToken: firstRefreshToken } = grant.tokens;
  if (firstRefreshToken === undefined) {
    return;
  }
  grant.tokens = await refreshedAtLast(check, grant, firstRefreshToken);
  checkTokenResponse(check, grant.discovery);
  const { accessToken } = grant.tokens;
  await attempt(() => ping(check, accessToken));
  if (grant.tokens.refreshToken?.equals(firstRefreshToken) !== false) {
    findings.differs('rotation with two valid refresh tokens', 'no new refresh token');
  }
  if (await isAccepted(check, firstAccessToken)) {
    findings.differs('end of earlier access tokens at a refresh', 'the earlier access token is accepted just after it');
  } else {
    findings.agrees('end of earlier access tokens at a refresh');
  }
  if (risky) {
    await checkReuse(check, grant, firstRefreshToken);
  }
}

async function checkReuse(check: Check, grant: CheckedGrant, previous: Secret): Promise<void> {
  const { findings } = check;
  try {
    grant.tokens = await refreshed(check, grant, previous);
    findings.agrees('rotation with two valid refresh tokens');
  } catch (error) {
    if (!isInvalidGrant(error)) {
      throw error;
    }
    const isAlive = await isAccepted(check, grant.tokens.accessToken);
    const consequence = isAlive ? '' : ', and its use ended the grant';
    findings.differs('rotation with two valid refresh tokens', `the previous refresh token is refused${consequence}`);
    if (!isAlive) {
      findings.agrees('strict detection of reuse');
    }
  }
}

/** Revokes the grant, and looks whether its access token is still accepted. */
export async function checkRevocation(check: Check, grant: CheckedGrant): Promise<void> {
  const { exchanges, findings } = check;
  await revokeGrant(exchanges.http, grant);
  const { status } = exchanges.last;
  if (status !== 200) {
    findings.differs('revocation at /token', `status ${status}`);
  } else if (await isAccepted(check, grant.tokens.accessToken)) {
    findings.differs('revocation at /token', 'the access token is still accepted');
  } else {
    findings.agrees('revocation at /token');
  }
}

/** Not cancelled with the check: the response may have the only tokens by which the grant can be revoked. */
function refreshed({ exchanges, clock }: Check, grant: CheckedGrant, refreshToken: Secret): Promise<Tokens> {
  const { authorizationServer, resource } = grant.discovery;
  return refresh(exchanges.http, authorizationServer, grant.client, { refreshToken, resource, clock });
}

/** Refreshes, and confirms a refusal once, because a token that was just issued may be unknown at first. */
async function refreshedAtLast(check: Check, grant: CheckedGrant, refreshToken: Secret): Promise<Tokens> {
  try {
    return await refreshed(check, grant, refreshToken);
  } catch (error) {
    if (!isInvalidGrant(error)) {
      throw error;
    }
    await new Promise<void>((resolve) => check.clock.after(confirmationDelayMs, resolve));
    const tokens = await refreshed(check, grant, refreshToken);
    check.findings.agrees('credentials that are unknown at first');
    return tokens;
  }
}

const confirmationDelayMs = 5_000;

async function isAccepted(check: Check, accessToken: Secret): Promise<boolean> {
  try {
    await ping(check, accessToken);
    return true;
  } catch (error) {
    if (error instanceof Failure && error.details.code === 'invalid_token') {
      return false;
    }
    throw error;
  }
}

/** Resolves if the MCP endpoint accepts the token, whatever it responds. @throws Failure */
async function ping({ exchanges, serverUrl, signal }: Check, accessToken: Secret): Promise<void> {
  try {
    await mcpRequest(withBearer(exchanges.http, accessToken), serverUrl, 'ping', {}, { signal });
  } catch (error) {
    const isRpcError = error instanceof Failure && error.kind === 'serverRejected';
    if (!isRpcError || error.details.code === 'invalid_token') {
      throw error;
    }
  }
}

function isInvalidGrant(error: unknown): boolean {
  return error instanceof Failure && error.kind === 'invalidGrant';
}
