import type { TestContext } from 'node:test';
import { createPlatformHttp } from '#platform/transport';
import type { Secret } from '../../../src/core/secret.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import { createGrantRequests } from '../../../src/renewal/grantRequests.ts';
import { Machine, type Window, type WindowOptions } from '../accounts/machine.ts';
import type { LoopbackServer, Route } from '../oauth/loopbackServer.ts';
import { notionLike, openIdAt, serverAt } from '../oauth/notionLike.ts';

export const http = createPlatformHttp({ userAgent: 'test/1' });

export interface SignedInAtServer {
  machine: Machine;
  server: LoopbackServer & { mcp: URL };
  window: Window;
  grant: Grant;
  open(): Promise<Window>;
  /** The same user signs in once more. */
  signInAgain(): Promise<unknown>;
  /** The refresh requests that the server received, as forms. */
  refreshes(): Record<string, string>[];
}

/** A machine with one account of a real loopback server, whose windows send real requests. */
export async function signedInAtServer(t: TestContext, { clock }: WindowOptions = {}): Promise<SignedInAtServer> {
  const machine = await Machine.start(t);
  const server = await notionLike(t);
  server.routes['POST /token'] = granting();
  const options = {
    serverUrl: server.mcp.href,
    requests: createGrantRequests(http, clock ?? machine.clock),
    ...(clock && { clock }),
  };
  const open = () => machine.open(options);
  const window = await open();
  const signIn = () => {
    const fresh = machine.server.signIn('ada', 'wiki', server.mcp.href);
    return window.accounts.storeSignIn({
      ...fresh,
      authorizationServer: {
        issuer: server.origin,
        authorizationEndpoint: `${server.origin}/authorize`,
        tokenEndpoint: `${server.origin}/token`,
      },
      tokens: { ...fresh.tokens, obtainedAtMs: (clock ?? machine.clock).nowMs() },
    });
  };
  const { grant } = await signIn();
  return {
    machine,
    server,
    window,
    grant,
    open,
    signInAgain: signIn,
    refreshes: () => server.received.filter(({ method }) => method === 'POST').map(({ form }) => form),
  };
}

/** A token endpoint that grants each refresh request, with new tokens each time. */
export function granting(expiresInSeconds = 3_600): Route {
  let count = 0;
  return () => {
    count += 1;
    return {
      body: {
        access_token: `new-access-${count}`,
        refresh_token: `new-refresh-${count}`,
        token_type: 'bearer',
        expires_in: expiresInSeconds,
      },
    };
  };
}

/** A response of the token endpoint with an OAuth error. */
export function oauthError(error: string, status = 400): Route {
  return { status, body: { error } };
}

/** A connection that breaks off before there is a response. */
export const brokenOff: Route = (_received, response) => {
  response.destroy();
  return undefined;
};

/** The texts of secrets that may be missing. */
export function textOf(secret: Secret | undefined): string | undefined {
  return secret?.reveal();
}

/** Gives the same response to all requests of a probe. */
export function respondToProbes({ routes }: LoopbackServer, route: Route): void {
  for (const path of ['GET /token', serverAt, openIdAt]) {
    routes[path] = route;
  }
}
