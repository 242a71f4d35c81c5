import type { TestContext } from 'node:test';
import type { Grant } from '../../../src/grants/grant.ts';
import { Failure, type FailureCode, type FailureKind } from '../../../src/oauth/errors.ts';
import { files, Machine, type Window, type WindowOptions } from '../accounts/machine.ts';

export const minute = 60_000;
/** The server whose limits are known. */
export const notion = 'https://mcp.notion.com/mcp';

export interface Signed {
  machine: Machine;
  window: Window;
  grant: Grant;
}

/** A machine with one window and one account, whose tokens a test renews. */
export async function signedIn(t: TestContext, options: WindowOptions = {}, serverUrl?: string): Promise<Signed> {
  const machine = await Machine.start(t);
  const window = await machine.open(options);
  const { grant } = await window.accounts.storeSignIn(machine.server.signIn('ada', 'wiki', serverUrl));
  return { machine, window, grant };
}

/** A response of the token server that is a failure; for `TokenServer.next`. */
export function fail(kind: FailureKind, details: { code: FailureCode; status?: number; retryAfterMs?: number }) {
  return () => {
    throw new Failure(kind, { step: 'token', host: 'mcp.example', ...details });
  };
}

export const invalidGrant = fail('invalidGrant', { code: 'invalid_grant', status: 400 });

/** Takes the lock as another window would after this one slept. */
export async function takeLock(machine: Machine, grant: Grant): Promise<void> {
  const path = `${machine.directory}/${grant.id}.lock`;
  await files.remove(path);
  await files.create(path, 'another0 000000000000\n');
}

/** The ids of the accounts of which a window says from now on that they need the user. */
export function announcementsOf({ accounts }: Window): string[] {
  const ids: string[] = [];
  accounts.onDidChange(({ needingUser }) => ids.push(...needingUser.map(({ grant }) => grant.id)));
  return ids;
}
