import type { TestContext } from 'node:test';
import { listen } from '#platform/listen';
import { createTransport } from '#platform/transport';
import type { GatewayAccounts } from '../../../src/calls/accountCall.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { displayText } from '../../../src/core/displayText.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { Gateway } from '../../../src/gateway/gateway.ts';
import type { Grant } from '../../../src/grants/grant.ts';
import type { Transport } from '../../../src/http/transport.ts';

/** Accounts without storage, whose behaviour a test can script. */
export class ScriptedAccounts implements GatewayAccounts {
  readonly grants = new Map<string, Grant>();
  /** The access tokens that `renew` was called with. */
  readonly rejected: string[] = [];
  fresh: GatewayAccounts['fresh'] = async (grantId) => this.#grant(grantId);
  renew: GatewayAccounts['renew'] = async (grantId, { accessToken }) => {
    this.rejected.push(accessToken.reveal());
    const grant = this.#grant(grantId);
    if (grant.tokens.accessToken.equals(accessToken)) {
      this.add(grantId, grant.serverUrl, `${accessToken.reveal()}+`);
    }
    return this.#grant(grantId);
  };

  add(id: string, serverUrl: string, accessToken: string): void {
    const { origin } = new URL(serverUrl);
    this.grants.set(id, {
      id,
      generation: 1,
      serverUrl,
      resource: serverUrl,
      authorizationServer: {
        issuer: origin,
        authorizationEndpoint: `${origin}/authorize`,
        tokenEndpoint: `${origin}/token`,
      },
      client: { clientId: 'client', authMethod: 'none' },
      tokens: { accessToken: new Secret(accessToken), obtainedAtMs: 0 },
      label: id,
      askedScopes: [],
      signedInAtMs: 0,
    });
  }

  find(grantId: string): Grant | undefined {
    return this.grants.get(grantId);
  }

  #grant(grantId: string): Grant {
    const grant = this.grants.get(grantId);
    if (grant === undefined) {
      throw new Error(`There is no grant ${grantId}.`);
    }
    return grant;
  }
}

export interface GatewayUnderTest {
  gateway: Gateway;
  accounts: ScriptedAccounts;
  /** The reminders that the user got, e.g. `signInNeeded ada`. */
  notified: string[];
  logged: string[];
  /** The scopes that were demanded of an account, e.g. `ada pages`. */
  demanded: string[];
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
}

/** Opens a gateway with one account, `ada` at `serverUrl`, and closes it at the end of the test. */
export async function openGateway(
  t: TestContext,
  serverUrl: string,
  { clock = systemClock, listenerClock = systemClock, transport = createTransport() }: GatewayOptions = {},
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
  const record = (line: string): void => {
    logged.push(line);
  };
  const gateway = new Gateway({
    accounts,
    transport,
    listen: (handle) => platformListen(handle, listenerClock),
    reminders: {
      signInNeeded: (grantId) => notified.push(`signInNeeded ${grantId}`),
      insufficientScope: (grantId, scopes) => notified.push(`insufficientScope ${grantId} ${scopes.join(' ')}`),
    },
    scopesDemanded: (grantId, scopes) => demanded.push([grantId, ...scopes].join(' ')),
    sentence: ({ kind, waitSeconds }) =>
      displayText(`sentence for ${kind}${waitSeconds === undefined ? '' : ` ${waitSeconds} s`}`, 100),
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
