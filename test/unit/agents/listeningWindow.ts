import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { callConsent } from '../../../src/agents/callConsent.ts';
import { openGateway } from '../gateway/gatewayUnderTest.ts';
import { respondWithResult, ScriptedServer } from '../gateway/scriptedServer.ts';
import { ListenerUnderTest, temporaryFolder } from './listenerUnderTest.ts';

/** What a bridge sends to learn whether it has reached its window. */
export const nonce = 'A'.repeat(43);
/** A signal that ends no request of a test. */
export const inAnHour = () => AbortSignal.timeout(3_600_000);

/** A window whose account `ada` is at a scripted MCP server. */
export async function openWindow(t: TestContext) {
  const server = await ScriptedServer.start();
  t.after(() => server.stop());
  server.script = respondWithResult;
  const home = temporaryFolder(t);
  const window = new ListenerUnderTest(t, home, { gateway: async () => gateway });
  const consent = callConsent(window.consent, (grantId) => `notion-${grantId}`);
  const { gateway, logged } = await openGateway(t, server.url, { consent });
  await window.update();
  const post = async (to: { handle?: string; agent?: string }, message: unknown) => {
    const response = await window.connect(t, to).send({
      method: 'POST',
      headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(message)),
      signal: inAnHour(),
    });
    const body = await text(response);
    return { status: response.statusCode, body: body === '' ? undefined : JSON.parse(body) };
  };
  return { window, server, home, post, gateway, logged };
}

/** Connects to the socket of a window, until the end of the test. */
export function connectTo(t: TestContext, path: string): Socket {
  const socket = connect(path);
  t.after(() => socket.destroy());
  return socket;
}
