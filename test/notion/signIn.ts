import { systemClock as clock } from '../../src/core/clock.ts';
import { systemRandomness as randomness } from '../../src/core/random.ts';
import type { Grant } from '../../src/grants/grant.ts';
import type { Http } from '../../src/http/client.ts';
import { buildAuthorization, validateCallback } from '../../src/oauth/authorization.ts';
import { discover } from '../../src/oauth/discovery.ts';
import type { Client } from '../../src/oauth/model.ts';
import { register } from '../../src/oauth/registration.ts';
import { exchange } from '../../src/oauth/token.ts';
import { type Approval, approve } from './approve.ts';
import type { NotionServer } from './server.ts';

const redirectUri = 'http://127.0.0.1:50123/callback';

export type SignedIn = Pick<Grant, 'authorizationServer' | 'resource' | 'client' | 'tokens'>;

/** A complete sign-in, from discovery to tokens, without an editor or a browser. */
export async function signIn(
  http: Http,
  notion: NotionServer,
  approval: Approval = {},
  client?: Client,
): Promise<SignedIn> {
  const discovery = await discover(http, new URL(notion.mcpUrl));
  const { authorizationServer, resource } = discovery;
  const usedClient = client ?? (await register(http, authorizationServer, { redirectUri, clientName: 'Test' }));
  const pending = await buildAuthorization(discovery, usedClient, { redirectUri, randomness, prompt: 'consent' });
  const callback = await approve(pending.url, approval);
  const code = validateCallback(pending, callback.searchParams);
  const { verifier } = pending;
  const tokens = await exchange(http, authorizationServer, usedClient, {
    code,
    verifier,
    redirectUri,
    resource,
    clock,
  });
  return { authorizationServer, resource, client: usedClient, tokens };
}
