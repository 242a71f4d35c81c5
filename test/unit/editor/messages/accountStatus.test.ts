import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renewalProblemOf } from '../../../../src/accounts/accountState.ts';
import type { Account } from '../../../../src/accounts/registry.ts';
import { Failure, type FailureCode, type FailureStep } from '../../../../src/oauth/errors.ts';
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
    'Notion refuses to renew the sign-in (invalid_scope); tried again now and then',
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

test('an account whose renewal fails because of a certificate or a proxy is described with that cause, and not as offline', () => {
  const account: Account = { grant: grantOf(1), state: 'expired' };
  const describeFailed = (code: FailureCode, step: FailureStep = 'token'): string =>
    describeAccount(account, renewalProblemOf(new Failure('transient', { step, code })));
  assert.equal(
    describeFailed('certificate'),
    'the certificate of the server is not trusted on this computer; the sign-in is kept',
  );
  assert.equal(describeFailed('proxy'), 'the proxy blocked the renewal; the sign-in is kept');
  assert.match(describeFailed('unreachable'), /^offline/);
  assert.match(describeFailed('timeout', 'storage'), /^cannot be renewed on this computer/);
});
