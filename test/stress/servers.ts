import type { FreshSignIn } from '../../src/accounts/addAccount.ts';
import type { Http } from '../../src/http/client.ts';
import { Authorizer } from '../interop/authorizer.ts';
import { browse } from '../interop/browser.ts';
import { startOidcProvider } from '../interop/oidcProvider.ts';
import { startNotionServer } from '../notion/server.ts';
import { signIn } from '../notion/signIn.ts';
import { Front } from './front.ts';

export type ServerKind = 'notion' | 'oidc';

const redirectUri = 'http://127.0.0.1:50123/callback';

/** An authorization server behind a front that breaks what it can. */
export interface TorturedServer {
  front: Front;
  mcpUrl: string;
  /** Of the access tokens that it issues from now on. */
  setTokenLife(seconds: number): void;
  /** What a person gets who signs in; of nobody in particular. */
  signIn(http: Http): Promise<FreshSignIn>;
  close(): Promise<void>;
}

/**
 * `notion`: takes the last refresh token and the one before. `oidc`: oidc-provider, which ends a grant when any of its
 * refresh tokens comes twice.
 */
export async function startTorturedServer(kind: ServerKind): Promise<TorturedServer> {
  const front = new Front();
  await front.listen();
  const { origin } = front;
  const mcpUrl = `${origin}/mcp`;
  if (kind === 'notion') {
    const notion = await startNotionServer({ version: 'today', origin });
    front.standBefore(notion.address);
    return {
      front,
      mcpUrl,
      setTokenLife: (seconds) => {
        notion.accessTokenLifeSeconds = seconds;
      },
      signIn: async (http) => ({ ...(await signIn(http, notion)), serverUrl: mcpUrl, askedScopes: ['default'] }),
      close: async () => {
        await front.close();
        await notion.close();
      },
    };
  }
  const provider = await startOidcProvider({ origin });
  front.standBefore(provider.address);
  return {
    front,
    mcpUrl,
    setTokenLife: (seconds) => {
      provider.accessTokenLifeSeconds = seconds;
    },
    signIn: async (http) => {
      const authorizer = new Authorizer({
        http,
        serverUrl: provider.mcp,
        redirectUri,
        browse: (url) => browse(url, redirectUri),
      });
      const { server, client, tokens, resource } = await authorizer.authorize(undefined);
      return { authorizationServer: server, client, tokens, resource, serverUrl: mcpUrl, askedScopes: ['default'] };
    },
    close: async () => {
      await front.close();
      provider.close();
    },
  };
}
