import { listen } from '#platform/listen';
import { createTransport } from '#platform/transport';
import type { Sentence } from '../../../src/calls/problem.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { displayText } from '../../../src/core/displayText.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import type { GatewayServices, Permission } from '../../../src/gateway/contract.ts';
import { Gateway } from '../../../src/gateway/gateway.ts';
import { NetworkWatch } from '../../../src/http/networkWatch.ts';
import type { Transport } from '../../../src/http/transport.ts';
import { ScriptedAccounts } from '../calls/scriptedAccounts.ts';

export interface GatewayUnderTest {
  gateway: Gateway;
  accounts: ScriptedAccounts;
  /** The reminders that the user got, e.g. `signInNeeded ada`. */
  notified: string[];
  logged: string[];
  /** The scopes that were demanded of an account, e.g. `ada pages`. */
  demanded: string[];
  /** Whether the user offers MCP servers. */
  offer: { isOn: boolean };
  /** What agents other than the editor may do. */
  permissions: Map<string, Permission>;
  /** Which agents called a tool of which account, e.g. `ada codex`. */
  toolCalls: string[];
  /** Sends one request as an authorized caller of an account, by default `ada`. */
  send(init?: RequestInit & { grantId?: string }): Promise<Response>;
  /** Posts a JSON-RPC message or batch. Resolves to the status and the parsed body, undefined if it is empty. */
  call(message: unknown, headers?: Record<string, string>): Promise<{ status: number; body: unknown }>;
}

export interface GatewayOptions {
  /** The clock of calls. */
  clock?: Clock;
  /** The clock of connections. */
  listenerClock?: Clock;
  transport?: Transport;
  addresses?: () => ReadonlySet<string>;
  sentence?: Sentence;
  /** What agents may do, instead of `offer` and `permissions`. */
  consent?: Pick<GatewayServices, 'permission' | 'toolCalled' | 'consentNeeded'>;
}

/** Opens a gateway with one account, `ada` at `serverUrl`, and closes it at the end of the test. */
export async function openGateway(
  t: { after(cleanup: () => Promise<void>): void },
  serverUrl: string,
  {
    clock = systemClock,
    listenerClock = systemClock,
    transport = createTransport(),
    addresses = () => new Set(),
    consent,
    sentence = ({ kind, waitSeconds }) =>
      displayText(`sentence for ${kind}${waitSeconds === undefined ? '' : ` ${waitSeconds} s`}`, 100),
  }: GatewayOptions = {},
): Promise<GatewayUnderTest> {
  const platformListen = listen;
  if (platformListen === undefined) {
    throw new Error('This platform has no gateway.');
  }
  const accounts = new ScriptedAccounts();
  accounts.add('ada', serverUrl, 'token');
  const notified: string[] = [];
  const logged: string[] = [];
  const demanded: string[] = [];
  const offer = { isOn: true };
  const permissions = new Map<string, Permission>();
  const toolCalls: string[] = [];
  const record = (line: string): void => {
    logged.push(line);
  };
  const gateway = new Gateway({
    accounts,
    transport,
    network: new NetworkWatch({ clock, addresses }),
    permission: (_grantId, agent) =>
      permissions.get(agent) ?? (agent === 'editor' ? (offer.isOn ? 'allowed' : 'denied') : 'unknown'),
    toolCalled: (grantId, agent) => toolCalls.push(`${grantId} ${agent}`),
    consentNeeded: (grantId, agent) => notified.push(`consentNeeded ${grantId} ${agent}`),
    ...consent,
    listen: (handle) => platformListen(handle, listenerClock),
    reminders: {
      signInNeeded: (grantId) => notified.push(`signInNeeded ${grantId}`),
      insufficientScope: (grantId, scopes) => notified.push(`insufficientScope ${grantId} ${scopes.join(' ')}`),
    },
    scopesDemanded: (grantId, scopes) => demanded.push([grantId, ...scopes].join(' ')),
    sentence,
    clock,
    randomness: systemRandomness,
    log: new Log({ error: record, warn: record, info: record, debug: record }),
  });
  await gateway.listen();
  t.after(() => gateway.close());
  const send: GatewayUnderTest['send'] = ({ grantId = 'ada', headers, ...init } = {}) =>
    fetch(gateway.urlFor(grantId), {
      method: 'POST',
      ...init,
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        authorization: `Bearer ${gateway.secretFor(grantId).reveal()}`,
        ...(headers as Record<string, string> | undefined),
      },
    });
  return {
    gateway,
    accounts,
    notified,
    logged,
    demanded,
    offer,
    permissions,
    toolCalls,
    send,
    call: async (message, headers = {}) => {
      const response = await send({ body: JSON.stringify(message), headers });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
  };
}

/** Returns a JSON-RPC request. */
export function rpc(id: number | string, method = 'tools/list'): Record<string, unknown> {
  return { jsonrpc: '2.0', id, method };
}
