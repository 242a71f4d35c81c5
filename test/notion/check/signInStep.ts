import { readFile } from 'node:fs/promises';
import { listen } from '#platform/listen';
import { buildAuthorization } from '../../../src/oauth/authorization.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Discovery } from '../../../src/oauth/model.ts';
import { register } from '../../../src/oauth/registration.ts';
import { exchange } from '../../../src/oauth/token.ts';
import { awaitCallback, nextChannel } from '../../../src/signIn/awaitCallback.ts';
import { renderCompletionPage } from '../../../src/signIn/completionPage.ts';
import { openLoopbackChannel } from '../../../src/signIn/loopback.ts';
import { PendingSignIns } from '../../../src/signIn/pending.ts';
import type { Shape } from '../contract.ts';
import type { Check, CheckedGrant } from './check.ts';
import { clientName } from './publicSteps.ts';
import { Matching, OneOf, Only } from './shape.ts';

/** Registers a client and signs in over the loopback channel, as the extension does. @throws Failure */
export async function signIn(check: Check, discovery: Discovery): Promise<CheckedGrant> {
  const { exchanges, findings, signal, clock, randomness, log, attempt } = check;
  const { http } = exchanges;
  const { authorizationServer, resource } = discovery;
  if (listen === undefined) {
    throw new Failure('misconfigured', { step: 'authorization', code: 'no_channel' });
  }
  const channel = await openLoopbackChannel({ listen, completionPage, clock, randomness, path: undefined });
  try {
    const { redirectUri } = channel;
    const client = await attempt(() => register(http, authorizationServer, { redirectUri, clientName, signal }));
    findings.compareResponse(
      'registration response',
      201,
      {
        client_id: 'string',
        redirect_uris: new OneOf([redirectUri]),
        client_name: 'string',
        token_endpoint_auth_method: new OneOf('none'),
        client_id_issued_at: 'number',
      },
      exchanges.last,
    );
    const authorization = await buildAuthorization(discovery, client, { redirectUri, randomness, prompt: 'consent' });
    const pending = new PendingSignIns(log).wait(authorization, 'loopback');
    const whenNextChannel = new Promise<typeof nextChannel>(() => undefined);
    const opening = check.openBrowser(authorization.url);
    const code = await awaitCallback(pending, channel, { opening, signal, whenNextChannel, clock }).catch(
      (error: unknown) => {
        throw noteRefusal(check, error);
      },
    );
    if (code === nextChannel) {
      throw new Failure('misconfigured', { step: 'authorization', code: 'no_channel' });
    }
    const { verifier } = authorization;
    const tokens = await attempt(() =>
      exchange(http, authorizationServer, client, { code, verifier, redirectUri, resource, clock }),
    );
    checkTokenResponse(check, discovery);
    return { discovery, client, tokens };
  } finally {
    channel.close();
  }
}

/** Compares the last response, which has tokens. */
export function checkTokenResponse({ exchanges, findings }: Check, { resource }: Discovery): void {
  const { json } = exchanges.last;
  const token = new Matching(/^[^:]+:[^:]+:[^:]+$/, 'two colons');
  const common = { access_token: token, token_type: new OneOf('bearer'), resource: new OneOf(resource) };
  findings.compare(
    'token response',
    new Only({ ...common, expires_in: new OneOf(3_600), refresh_token: token, scope: 'string' }),
    json,
  );
  if (json !== undefined && !Object.hasOwn(json as object, 'refresh_token')) {
    findings.compare(
      'grant without a refresh token',
      new Only({ ...common, expires_in: 'number', scope: 'string' }),
      json,
    );
  }
}

/** Records how the server refused the user or the client. */
function noteRefusal({ findings }: Check, error: unknown): unknown {
  const shapes: Record<string, Shape> = {
    access_denied: 'consent that the user denies',
    guest_not_allowed: 'user who is not a member',
    client_not_allowed: 'client that an admin did not allow',
  };
  const shape = error instanceof Failure ? shapes[error.details.code] : undefined;
  if (shape !== undefined) {
    findings.agrees(shape);
  }
  return error;
}

async function completionPage(
  outcome: 'allowed' | 'declined',
): Promise<{ html: string; headers: Record<string, string> }> {
  const template = await readFile(new URL('../../../media/completionPage.html', import.meta.url), 'utf8');
  const title = outcome === 'allowed' ? 'Access allowed' : 'Access denied';
  return renderCompletionPage(template, { language: 'en', title, sentence: 'The check goes on in the terminal.' });
}
