import dns from 'node:dns';
import { inspect } from 'node:util';
import { lm } from 'vscode';
import { isFetchSupported, onNetworkSettingsChange } from '../../../src/editor/networkSettings.ts';
import { HttpFailure } from '../../../src/http/errors.ts';
import { readText } from '../../../src/http/transport.ts';
import { createTransport } from '../../../src/platform/node/transport.ts';
import { openGateway } from '../../unit/gateway/gatewayUnderTest.ts';
import type { CallTimes, NetworkResult } from './protocol.ts';

const transport = createTransport({ usesHostSockets: isFetchSupported, hostFetch: countedFetch });
let fetches = 0;
onNetworkSettingsChange(() => transport.reset());

/** Posts to a server as the extension does, over its transport, in the extension host and with the editor's settings. */
export async function post(url: string): Promise<NetworkResult> {
  fetches = 0;
  const { signal } = new AbortController();
  try {
    const response = await transport.send({
      ...{ method: 'POST', url: new URL(url), headers: { authorization: 'Bearer secret' }, signal },
      body: Buffer.from('{}'),
    });
    await readText(response, 1000);
    return { outcome: String(response.status), fetches, error: '' };
  } catch (error) {
    const outcome = error instanceof HttpFailure ? error.kind : 'unknown';
    return { outcome, fetches, error: inspect(error, { depth: 10, showHidden: true }) };
  }
}

/** Opens a gateway of the extension's before an MCP server, in this extension host. Returns how to reach it. */
export async function openGatewayTo(url: string): Promise<{ url: string; authorization: string }> {
  const { gateway } = await openGateway({ after: () => undefined }, url, { transport });
  return { url: gateway.urlFor('ada'), authorization: `Bearer ${gateway.secretFor('ada').reveal()}` };
}

/** Calls a tool as a model does, so many times at once. */
export async function timeCalls(name: string, count: number): Promise<CallTimes> {
  const before = process.cpuUsage();
  const startMs = performance.now();
  const calls = Array.from({ length: count }, () => lm.invokeTool(name, { input: {}, toolInvocationToken: undefined }));
  await Promise.all(calls);
  const ms = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000 };
}

function countedFetch(...parameters: Parameters<typeof fetch>): Promise<Response> {
  fetches += 1;
  return globalThis.fetch(...parameters);
}

/** Lets names under `.test` lead to this computer, for which a test cannot make DNS entries. */
export function mapTestNames(): void {
  const lookup = dns.lookup as (...parameters: unknown[]) => unknown;
  const mapped = (name: string, ...rest: unknown[]): unknown =>
    lookup(name.endsWith('.test') ? '127.0.0.1' : name, ...rest);
  Object.assign(dns, { lookup: mapped });
}
