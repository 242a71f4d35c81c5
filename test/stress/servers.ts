import type { FreshSignIn } from '../../src/accounts/addAccount.ts';
import { Log } from '../../src/core/log.ts';
import type { Http } from '../../src/http/client.ts';
import { HeadlessSignIn } from '../interop/headlessSignIn.ts';
import { startOidcProvider } from '../interop/oidcProvider.ts';
import { startNotionServer } from '../notion/server.ts';
import { signIn } from '../notion/signIn.ts';
import { Front } from './front.ts';
import { lifetimeScale, scaledDown } from './protocol.ts';

export type ServerKind = 'notion' | 'oidc';

const redirectUri = 'http://127.0.0.1:50123/callback';

/** An authorization server behind a proxy that injects faults. */
export interface StressServer {
  front: Front;
  mcpUrl: string;
  /** Sets the lifetime, as windows see it, of access tokens that are issued from now on. */
  setTokenLife(seconds: number): void;
  /** Signs in and returns the result, which has no identity. */
  signIn(http: Http): Promise<FreshSignIn>;
  close(): Promise<void>;
}

/**
 * Starts a server behind the proxy. `notion` accepts the current refresh token and the previous one. `oidc` is
 * oidc-provider, which ends a grant when any of its refresh tokens is used twice.
 */
export async function startStressServer(kind: ServerKind): Promise<StressServer> {
  const front = new Front();
  await front.listen();
  const { origin } = front;
  const mcpUrl = `${origin}/mcp`;
  if (kind === 'notion') {
    // Without a grace period, so that a window that refreshes with an old token is noticed at once.
    const notion = await startNotionServer({ version: 'today', origin, profile: { refreshGraceSeconds: 0 } });
    front.forwardTo(notion.address);
    return {
      front,
      mcpUrl,
      setTokenLife: (seconds) => {
        notion.profile.accessTokenLifeSeconds = seconds * lifetimeScale;
      },
      signIn: async (http) => {
        const { tokens, ...signedIn } = await signIn(http, notion);
        return { ...signedIn, tokens: scaledDown(tokens), serverUrl: mcpUrl, askedScopes: ['default'] };
      },
      close: async () => {
        await front.close();
        await notion.close();
      },
    };
  }
  const provider = await startOidcProvider({ origin });
  front.forwardTo(provider.address);
  return {
    front,
    mcpUrl,
    setTokenLife: (seconds) => {
      provider.accessTokenLifeSeconds = seconds * lifetimeScale;
    },
    signIn: async (http) => {
      const fresh = Promise.withResolvers<FreshSignIn>();
      const accounts = {
        list: () => [],
        // Each window stores the sign-in itself.
        storeSignIn: async (signIn: FreshSignIn) => {
          fresh.resolve(signIn);
          return { grant: { ...signIn, id: '', generation: 1, label: '', signedInAtMs: 0 }, reconnected: false };
        },
      };
      const log = new Log({ error: () => {}, warn: () => {}, info: () => {}, debug: () => {} });
      await new HeadlessSignIn({ http, accounts, serverUrl: provider.mcp, redirectUri, log }).run();
      const { tokens, ...signedIn } = await fresh.promise;
      return { ...signedIn, tokens: scaledDown(tokens), serverUrl: mcpUrl };
    },
    close: async () => {
      await front.close();
      provider.close();
    },
  };
}
