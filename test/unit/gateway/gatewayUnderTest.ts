import type { TestContext } from 'node:test';
import { listen } from '#platform/listen';
import { createDirectUpstream } from '#platform/pools';
import type { GatewayAccounts } from '../../../src/calls/accountCall.ts';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { Log } from '../../../src/core/log.ts';
import { systemRandomness } from '../../../src/core/random.ts';
import { Secret } from '../../../src/core/secret.ts';
import { Gateway } from '../../../src/gateway/gateway.ts';
import type { Grant } from '../../../src/grants/grant.ts';

/** Accounts without a vault: what the gateway asks of them is a list that tests read. */
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
      throw new Error('no such grant');
    }
    return grant;
  }
}

export interface GatewayUnderTest {
  gateway: Gateway;
  accounts: ScriptedAccounts;
  /** What the person was told, e.g. `signInNeeded ada`. */
  told: string[];
  logged: string[];
  /** Sends one request as an admitted caller of the account `ada`. */
  send(init?: RequestInit & { grantId?: string }): Promise<Response>;
  /** Sends a JSON-RPC message, or several, and gives the status and the parsed body, if there is one. */
  call(message: unknown, headers?: Record<string, string>): Promise<{ status: number; answer: unknown }>;
}

/** A gateway that listens, with one account `ada` at `serverUrl`; it is closed with the test. */
export async function openGateway(
  t: TestContext,
  serverUrl: string,
  {
    clock = systemClock,
    upstream = createDirectUpstream(),
  }: { clock?: Clock; upstream?: ReturnType<typeof createDirectUpstream> } = {},
): Promise<GatewayUnderTest> {
  if (listen === undefined || upstream === undefined) {
    throw new Error('this platform has no gateway');
  }
  const accounts = new ScriptedAccounts();
  accounts.add('ada', serverUrl, 'token');
  const told: string[] = [];
  const logged: string[] = [];
  const note = (line: string): void => {
    logged.push(line);
  };
  const gateway = new Gateway({
    accounts,
    upstream,
    listen,
    notices: {
      signInNeeded: (grantId) => told.push(`signInNeeded ${grantId}`),
      insufficientScope: (grantId, scopes) => told.push(`insufficientScope ${grantId} ${scopes.join(' ')}`),
    },
    sentence: ({ kind, waitSeconds }) => `sentence for ${kind}${waitSeconds === undefined ? '' : ` ${waitSeconds} s`}`,
    clock,
    randomness: systemRandomness,
    log: new Log({ error: note, warn: note, info: note, debug: note }),
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
    told,
    logged,
    send,
    call: async (message, headers = {}) => {
      const response = await send({ body: JSON.stringify(message), headers });
      const text = await response.text();
      return { status: response.status, answer: text === '' ? undefined : JSON.parse(text) };
    },
  };
}

/** A request of JSON-RPC. */
export function rpc(id: number | string, method = 'tools/list'): Record<string, unknown> {
  return { jsonrpc: '2.0', id, method };
}
