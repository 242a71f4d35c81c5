/** The command that the MCP conformance suite runs: a window of the extension, whose user does what a message asks. */

import { isObject } from '../../src/core/json.ts';
import { Secret } from '../../src/core/secret.ts';
import type { RpcError } from '../../src/mcp/jsonRpc.ts';
import { Failure } from '../../src/oauth/errors.ts';
import type { ConfiguredClient } from '../../src/oauth/registration.ts';
import { HeadlessWindow } from './headlessWindow.ts';
import { McpClient } from './mcpClient.ts';

/** How many times the user signs in before giving up (A17). */
const maxSignIns = 3;

/** The problems of an account that a new sign-in may solve. */
const solvedBySignIn = new Set<unknown>(['signInNeeded', 'tokenRejected', 'insufficientScope']);

/** The client that the scenario demands; without one, each sign-in registers its own. */
function configuredClient(): ConfiguredClient | undefined {
  if (process.env.MCP_CONFORMANCE_SCENARIO === 'auth/basic-cimd') {
    return { clientId: 'https://conformance-test.local/client-metadata.json' };
  }
  const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}') as Record<string, string>;
  const { client_id: clientId, client_secret: secret } = context;
  return clientId && secret ? { clientId, clientSecret: new Secret(secret) } : undefined;
}

/** A call that no sign-in helps. */
class CallError extends Error {}

/** The `data` of an error that the gateway made. */
function problemKind({ data }: RpcError): unknown {
  return isObject(data) ? data.kind : undefined;
}

async function run(window: HeadlessWindow, version: string): Promise<void> {
  let grant = await window.signIn();
  let signIns = 1;
  let mcp = new McpClient(window.gateway, grant.id, version);
  for (const [method, params] of [
    ['tools/list', {}],
    ['tools/call', { name: 'test-tool', arguments: {} }],
  ] as const) {
    for (;;) {
      const error = await mcp.request(method, params);
      if (error === undefined) {
        break;
      }
      const kind = problemKind(error);
      // A message offers Reconnect also while a rejection of the account is still to be confirmed.
      const needsUser = solvedBySignIn.has(kind) || window.accounts.trouble(grant.id) === 'beingConfirmed';
      if (!needsUser || signIns === maxSignIns) {
        throw new CallError(`${method} failed after ${signIns} sign-ins: ${error.message}`);
      }
      grant = await window.signIn(grant);
      signIns += 1;
      mcp = new McpClient(window.gateway, grant.id, version);
    }
  }
}

const address = process.argv.at(-1) ?? '';
if (!URL.canParse(address)) {
  console.error('usage: npm run --silent conformance:client -- <MCP server URL>');
  process.exit(2);
}
const print = (line: string): void => console.error(line);
const window = await HeadlessWindow.open({
  serverUrl: new URL(address),
  redirectUri: 'http://127.0.0.1:33418/callback',
  client: configuredClient(),
  log: { error: print, warn: print, info: print, debug: print },
});
try {
  await run(window, process.env.MCP_CONFORMANCE_PROTOCOL_VERSION ?? '2025-11-25');
} catch (error) {
  const isExpected = error instanceof Failure || error instanceof CallError;
  console.error(isExpected ? error.message : error);
  process.exitCode = 1;
} finally {
  await window.close();
}
