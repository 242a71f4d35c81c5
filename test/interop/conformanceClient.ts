/** The command that the MCP conformance suite runs: an MCP client that uses only `src/oauth` for authorization. */

import { Secret } from '../../src/core/secret.ts';
import { HttpFailure } from '../../src/http/errors.ts';
import { parseChallenge } from '../../src/oauth/challenge.ts';
import { Failure } from '../../src/oauth/errors.ts';
import { fetchHttp as http } from '../unit/oauth/fetchHttp.ts';
import { Authorizer } from './authorizer.ts';
import { McpClient } from './mcpClient.ts';

/** How many times one run signs in before it gives up (A17). */
const maxSignIns = 3;

/** Opens the suite's `/authorize`, which redirects without a consent page, and returns the target of the redirect. */
async function browse(url: string): Promise<URL> {
  const response = await fetch(url, { redirect: 'manual' });
  const location = response.headers.get('location');
  if (location === null) {
    throw new Error(`the authorization page returned ${response.status} without a redirect`);
  }
  return new URL(location);
}

function preregistered() {
  const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as Record<string, string>;
  const { client_id: clientId, client_secret: secret, issuer } = context;
  return clientId && secret && issuer ? { clientId, clientSecret: new Secret(secret), issuer } : undefined;
}

async function run(serverUrl: URL, version: string): Promise<void> {
  const client = preregistered();
  const authorizer = new Authorizer({
    http,
    serverUrl,
    redirectUri: 'http://127.0.0.1:33418/callback',
    clientMetadataUrl: 'https://conformance-test.local/client-metadata.json',
    browse,
    ...(client && { preregistered: client }),
  });
  const mcp = new McpClient(http, serverUrl, version);
  let token: Secret | undefined;
  let signIns = 0;
  for (const [method, params] of [
    ['tools/list', {}],
    ['tools/call', { name: 'test-tool', arguments: {} }],
  ] as const) {
    for (;;) {
      const { status, headers, body } = await mcp.request(method, params, token);
      if (status >= 200 && status < 300) {
        break;
      }
      const challenge = parseChallenge(headers.get('www-authenticate'));
      const needsSignIn = status === 401 || (status === 403 && challenge?.error === 'insufficient_scope');
      if (!needsSignIn || signIns === maxSignIns) {
        throw new Error(`${method} returned ${status} after ${signIns} sign-ins: ${body.slice(0, 300)}`);
      }
      signIns += 1;
      token = (await authorizer.authorize(challenge)).tokens.accessToken;
    }
  }
}

const address = process.argv.at(-1) ?? '';
if (!URL.canParse(address)) {
  console.error('usage: npm run --silent conformance:client -- <MCP server URL>');
  process.exit(2);
}
try {
  await run(new URL(address), process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25');
} catch (error) {
  const isExpected = error instanceof Failure || error instanceof HttpFailure;
  console.error(isExpected ? error.message : error);
  process.exitCode = 1;
}
