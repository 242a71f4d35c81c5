import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Grant } from '../../../src/grants/grant.ts';
import type { GrantRequests } from '../../../src/renewal/grantRequests.ts';
import { Machine, type Window, type WindowOptions } from '../accounts/machine.ts';

/** A read that waits for another process would wait for ever. */
export const timeout = 120_000;
export const ada = 'ada (wiki)';
export const grace = 'grace (wiki)';

/** A machine that is switched off: it has the accounts of ada, renewed once, and of grace, at servers of their own. */
export interface Begun {
  machine: Machine;
  ada: Grant;
  grace: Grant;
  /** What was sent where, as `<server> <refresh token>`. */
  sent: string[];
  /** The name of a record that counts more than every record of ada's account. */
  highest: string;
  /** The file of ada's sign-in, which her renewal has removed. */
  outdated: string;
  open: (options?: WindowOptions) => Promise<Window>;
}

export async function begin(t: TestContext): Promise<Begun> {
  const machine = await Machine.start(t);
  const sent: string[] = [];
  const requests: GrantRequests = {
    ...machine.server.requests,
    refresh: (grant, log) => {
      const { tokenEndpoint } = grant.authorizationServer;
      sent.push(`${new URL(tokenEndpoint).hostname} ${grant.tokens.refreshToken?.reveal()}`);
      return machine.server.requests.refresh(grant, log);
    },
  };
  const window = await machine.open({ requests });
  const signIn = (user: string) => {
    const fresh = machine.server.signIn(user);
    const authorizationServer = { ...fresh.authorizationServer, tokenEndpoint: `https://${user}.example/token` };
    return window.accounts.storeSignIn({ ...fresh, authorizationServer });
  };
  const first = await signIn('ada');
  const outdated = await readFile(await recordOf(machine, first.grant), 'utf8');
  const other = await signIn('grace');
  const renewed = await window.accounts.renew(first.grant.id, { reason: 'asked' });
  await window.accounts.dispose();
  sent.length = 0;
  return {
    machine,
    ada: renewed,
    grace: other.grant,
    sent,
    highest: join(machine.directory, `${renewed.id}.9.0123456789abcdef`),
    outdated,
    open: (options) => machine.open({ requests, ...options }),
  };
}

/** The file of the grant's newest record. */
export async function recordOf({ directory }: Machine, { id, generation }: Grant): Promise<string> {
  const names = await readdir(directory);
  return join(directory, names.find((name) => name.startsWith(`${id}.${generation}.`)) ?? '');
}

/** Renews an account in the window and states that its own newest refresh token was sent to its own server. */
export async function renews({ sent }: Begun, window: Window, grant: Grant): Promise<Grant> {
  sent.length = 0;
  const renewed = await window.accounts.renew(grant.id, { reason: 'asked' });
  const { userName } = grant.identity ?? {};
  assert.deepEqual(sent, [`${userName}.example ${grant.tokens.refreshToken?.reveal()}`]);
  assert.equal(renewed.generation, grant.generation + 1);
  return renewed;
}

export function stateIn(window: Window, grant: Grant): string | undefined {
  const account = window.accounts.find(grant.id);
  return account?.why ?? account?.state;
}
