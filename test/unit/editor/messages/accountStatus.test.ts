import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Account } from '../../../../src/accounts/registry.ts';
import { grantOf } from '../../storage/storageUnderTest.ts';
import { openEditor } from '../vscode.ts';

openEditor();
const { describeAccount } = await import('../../../../src/editor/messages/accountStatus.ts');

const describe = (account: Omit<Account, 'grant'> & Partial<Account>): string =>
  describeAccount({ grant: grantOf(1), ...account }, undefined);

test('an account that the server refuses to renew is described with the reason, and never as offline', () => {
  const grant = { ...grantOf(1), refusal: { code: 'invalid_scope', count: 1, retryAtMs: 0 } as const };
  assert.equal(
    describe({ grant, state: 'serverRejected' }),
    'Notion refuses to renew it (invalid_scope); tried again from time to time',
  );
});

test('an account that this window must not change is described with what helps', () => {
  const descriptions = (['stale', 'newer', 'unreadable'] as const).map((why) => describe({ state: 'readOnly', why }));
  assert.deepEqual(descriptions, [
    'reload this window to use it',
    'stored by a newer version of this extension; update the extension to use it',
    'cannot be read on this computer just now; sign in again to replace it',
  ]);
});
