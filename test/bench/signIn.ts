import { auth, type OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type {
  OAuthClientInformationMixed,
  OAuthClientMetadata,
  OAuthTokens,
} from '@modelcontextprotocol/sdk/shared/auth.js';
import { createPlatformHttp } from '#platform/transport';
import { withBearer } from '../../src/http/bearer.ts';
import { readIdentity } from '../../src/notion/identity.ts';
import { mcpRequest } from '../../src/notion/mcpClient.ts';
import { approve } from '../notion/approve.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { signIn } from '../notion/signIn.ts';
import { type Figure, figure, median } from './figure.ts';

const redirectUrl = 'http://127.0.0.1:50123/callback';
const rounds = 5;

/** The requests and the duration of a sign-in, ours and the MCP SDK client's, with the same server. */
export async function signInFigures(): Promise<Figure[]> {
  const notion = await startNotionServer({ version: 'today' });
  try {
    const figures: Figure[] = [];
    for (const latencyMs of [0, 100]) {
      notion.faults.latencyMs = latencyMs;
      const ours: number[] = [];
      const theirs: number[] = [];
      for (let round = 0; round < rounds; round += 1) {
        ours.push(await timed(notion, () => ourSignIn(notion)));
        theirs.push(await timed(notion, () => theirSignIn(notion)));
      }
      const title = `sign-in to the first tools/list, ${latencyMs} ms a request, vs the MCP SDK`;
      figures.push(figure(title, 'ms', median(ours), median(theirs), ours));
    }
    notion.faults.latencyMs = 0;
    const ours = await counted(notion, () => ourSignIn(notion));
    const theirs = await counted(notion, () => theirSignIn(notion));
    figures.push(figure('sign-in to the first tools/list, vs the MCP SDK', 'requests', ours, theirs));
    const labelled = await counted(notion, () => ourLabelledSignIn(notion));
    figures.push(figure('sign-in to a labelled account (aim: 6)', 'requests', labelled, Number.NaN));
    return figures;
  } finally {
    await notion.close();
  }
}

const http = createPlatformHttp({ userAgent: 'bench' });

/** Signs in as the extension does, except for the browser. */
async function ourLabelledSignIn(
  notion: NotionServer,
  olderOrigins = new Set<string>(),
): Promise<Awaited<ReturnType<typeof signIn>>> {
  const signedIn = await signIn(http, notion);
  await readIdentity(withBearer(http, signedIn.tokens.accessToken), new URL(notion.mcpUrl), { olderOrigins });
  return signedIn;
}

/** Signs in to a labelled account, and then makes the first request of an MCP client. */
async function ourSignIn(notion: NotionServer): Promise<void> {
  const olderOrigins = new Set<string>();
  const { tokens } = await ourLabelledSignIn(notion, olderOrigins);
  await mcpRequest(withBearer(http, tokens.accessToken), new URL(notion.mcpUrl), 'tools/list', {}, { olderOrigins });
}

async function theirSignIn(notion: NotionServer): Promise<void> {
  const provider = new MemoryProvider();
  const serverUrl = new URL(notion.mcpUrl);
  // The SDK's client first sends a request without a token and learns from the 401 where to sign in.
  const first = new Client({ name: 'bench', version: '1' });
  await first.connect(transport(serverUrl, provider)).catch(() => undefined);
  const callbackUrl = await approve(provider.authorizationUrl);
  await auth(provider, { serverUrl, authorizationCode: callbackUrl.searchParams.get('code') ?? '' });
  const client = new Client({ name: 'bench', version: '1' });
  await client.connect(transport(serverUrl, provider));
  await client.listTools();
  await client.close();
}

function transport(serverUrl: URL, authProvider: OAuthClientProvider): Parameters<Client['connect']>[0] {
  return new StreamableHTTPClientTransport(serverUrl, { authProvider }) as Parameters<Client['connect']>[0];
}

async function timed(notion: NotionServer, run: () => Promise<unknown>): Promise<number> {
  notion.log.clear();
  const startMs = performance.now();
  await run();
  return performance.now() - startMs;
}

/** The number of requests, not counting those of the browser. */
async function counted(notion: NotionServer, run: () => Promise<unknown>): Promise<number> {
  notion.log.clear();
  await run();
  return notion.requests().filter(({ path }) => path !== '/authorize' && path !== '/callback').length;
}

/** What the SDK requires of an application: it stores the client, tokens and verifier, and opens the browser. */
class MemoryProvider implements OAuthClientProvider {
  readonly redirectUrl = redirectUrl;
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'bench',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  authorizationUrl = '';
  #client: OAuthClientInformationMixed | undefined;
  #tokens: OAuthTokens | undefined;
  #verifier = '';

  clientInformation(): OAuthClientInformationMixed | undefined {
    return this.#client;
  }
  saveClientInformation(client: OAuthClientInformationMixed): void {
    this.#client = client;
  }
  tokens(): OAuthTokens | undefined {
    return this.#tokens;
  }
  saveTokens(tokens: OAuthTokens): void {
    this.#tokens = tokens;
  }
  redirectToAuthorization(url: URL): void {
    this.authorizationUrl = url.href;
  }
  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }
  codeVerifier(): string {
    return this.#verifier;
  }
}
