import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import type { Tokens } from '../../../src/oauth/model.ts';
import { files } from '../accounts/machine.ts';
import { invalidGrant, minute, type Signed, signedIn } from './renewals.ts';

describe('a window that was suspended for hours after sending a refresh request', () => {
  /** The window is suspended after its request; another window takes over and renews; then the response is read. */
  async function suspended(t: TestContext, respond: (signed: Signed) => Tokens): Promise<Signed> {
    const signed = await signedIn(t);
    const { machine, window, grant } = signed;
    machine.server.next.push(async () => {
      await files.remove(`${machine.directory}/${grant.id}.lock`);
      machine.clock.aheadMs += 5 * 60 * minute;
      const other = await machine.open();
      await other.accounts.renew(grant.id, { reason: 'expiry' });
      return respond(signed);
    });
    await window.accounts.renew(grant.id, { reason: 'asked' }).catch((error: unknown) => {
      assert.ok(error instanceof Failure && error.kind === 'transient', String(error));
    });
    return signed;
  }

  for (const [response, respond] of [
    ['a rejection', invalidGrant],
    ['tokens', ({ machine, grant }: Signed) => ({ ...grant.tokens, obtainedAtMs: machine.clock.nowMs() })],
  ] as const) {
    test(`a window that receives ${response} after suspension keeps another window’s renewal`, async (t) => {
      const { machine, window, grant } = await suspended(t, respond);
      await window.accounts.wakeUp();
      for (const each of [window, await machine.open()]) {
        assert.equal(each.only().state, 'healthy');
        assert.equal(each.only().grant.generation, 2);
      }
      await window.accounts.renew(grant.id, { reason: 'asked' });
      assert.equal(window.only().grant.generation, 3);
    });
  }
});
