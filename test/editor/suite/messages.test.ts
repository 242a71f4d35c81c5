import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { messageFor, remedyLabel, storageMessage } from '../../../src/editor/messages.ts';
import { Failure, type FailureDetails, type FailureKind } from '../../../src/oauth/failure.ts';

const failures: [FailureKind, FailureDetails][] = [
  ['misconfigured', { step: 'discovery', code: 'server_url_empty' }],
  ['misconfigured', { step: 'discovery', code: 'server_url_unheard_of' }],
  ['misconfigured', { step: 'registration', code: 'no_registration', host: 'example.com' }],
  ['misconfigured', { step: 'authorization', code: 'no_channel' }],
  ['refused', { step: 'authorization', code: 'access_denied' }],
  ['signInAgain', { step: 'token', code: 'ended' }],
  ['signInAgain', { step: 'token', code: 'invalid_grant', host: 'example.com' }],
  ['registrationGone', { step: 'token', code: 'invalid_client', host: 'example.com' }],
  ['serverRefuses', { step: 'registration', code: 'access_denied', host: 'example.com' }],
  ['serverRefuses', { step: 'token', code: 'invalid_request', host: 'example.com', serverReason: 'No' }],
  ['transient', { step: 'token', code: 'network', host: 'example.com' }],
  ['transient', { step: 'token', code: 'timeout', host: 'example.com' }],
  ['transient', { step: 'token', code: 'certificate', host: 'example.com' }],
  ['transient', { step: 'token', code: 'proxy', host: 'example.com' }],
  ['transient', { step: 'token', code: 'status', status: 503, host: 'example.com' }],
  ['transient', { step: 'token', code: 'status', status: 429, retryAfterMs: 1_001, host: 'example.com' }],
  ['transient', { step: 'storage', code: 'stale_window' }],
  ['nonsense', { step: 'discovery', code: 'html', host: 'example.com' }],
  ['nonsense', { step: 'discovery', code: 'missing', missing: 'token_endpoint', host: 'example.com' }],
  ['nonsense', { step: 'token', code: 'no_access_token', host: 'example.com' }],
  ['unsafe', { step: 'authorization', code: 'issuer_mismatch', host: 'example.com' }],
  ['unsafe', { step: 'discovery', code: 'no_pkce_s256', host: 'example.com' }],
  ['cancelled', { step: 'authorization', code: 'browser_limit' }],
  ['cancelled', { step: 'authorization', code: 'browser_not_opened' }],
];

describe('what a person is told', () => {
  for (const [kind, details] of failures) {
    test(`${kind} (${details.step}, ${details.code}) is said in plain words with a button`, () => {
      const message = messageFor(new Failure(kind, details));
      assert.ok(message);
      assert.match(message.sentence, /^[A-Ze].*\.$/s);
      assert.doesNotMatch(message.sentence, /undefined|\{\d\}|_grant|_client/);
      assert.ok(message.remedies.length > 0);
      assert.ok(message.remedies.every((remedy) => remedyLabel(remedy) !== ''));
    });
  }

  test('what the person cancelled needs no words', () => {
    assert.equal(messageFor(new Failure('cancelled', { step: 'authorization', code: 'cancelled' })), undefined);
  });

  test('a pause that a server asks for is named in seconds', () => {
    const details = { step: 'token', code: 'status', status: 429, retryAfterMs: 1_001, host: 'a.example' } as const;
    assert.match(messageFor(new Failure('transient', details))?.sentence ?? '', /a\.example .* 2 seconds/);
  });

  test('a sign-in that cannot be read, and a storage that forgets, each lead to a new sign-in', () => {
    for (const problem of ['damaged', 'forgetful'] as const) {
      const { sentence, remedies } = storageMessage(problem);
      assert.match(sentence, /[Ss]ign in again\.$/);
      assert.equal(remedies[0], 'signIn');
    }
  });
});
