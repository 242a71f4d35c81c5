import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { displayText } from '../../../src/core/displayText.ts';
import { actionLabel } from '../../../src/editor/messages/actions.ts';
import { messageFor, storageMessage, unexpectedErrorMessage } from '../../../src/editor/messages/failure.ts';
import { Failure, type FailureDetails, type FailureKind } from '../../../src/oauth/errors.ts';

const serverReason = displayText('No', 60);

const failures: [FailureKind, FailureDetails][] = [
  ['misconfigured', { step: 'discovery', code: 'server_url_empty' }],
  ['misconfigured', { step: 'discovery', code: 'server_url_invalid' }],
  ['misconfigured', { step: 'registration', code: 'no_registration', host: 'example.com' }],
  ['misconfigured', { step: 'authorization', code: 'no_channel' }],
  ['accessDenied', { step: 'authorization', code: 'access_denied' }],
  ['invalidGrant', { step: 'token', code: 'ended' }],
  ['invalidGrant', { step: 'token', code: 'invalid_grant', host: 'example.com' }],
  ['invalidClient', { step: 'token', code: 'invalid_client', host: 'example.com' }],
  ['serverRejected', { step: 'registration', code: 'access_denied', host: 'example.com' }],
  ['serverRejected', { step: 'authorization', code: 'guest_not_allowed', host: 'example.com', serverReason }],
  ['serverRejected', { step: 'authorization', code: 'client_not_allowed', host: 'example.com', serverReason }],
  ['serverRejected', { step: 'token', code: 'invalid_request', host: 'example.com', serverReason }],
  ['transient', { step: 'token', code: 'unreachable', host: 'example.com' }],
  ['transient', { step: 'token', code: 'timeout', host: 'example.com' }],
  ['transient', { step: 'token', code: 'certificate', host: 'example.com' }],
  ['transient', { step: 'token', code: 'unverified', host: 'example.com' }],
  ['transient', { step: 'token', code: 'proxy', host: 'example.com' }],
  ['transient', { step: 'token', code: 'http_503', status: 503, host: 'example.com' }],
  ['transient', { step: 'token', code: 'http_429', status: 429, retryAfterMs: 1_001, host: 'example.com' }],
  ['transient', { step: 'storage', code: 'stale_window' }],
  ['transient', { step: 'token', code: 'html', status: 200, host: 'example.com' }],
  ['transient', { step: 'token', code: 'http_403', status: 403, host: 'example.com' }],
  ['transient', { step: 'token', code: 'unconfirmed', status: 400, retryAfterMs: 90_000, host: 'example.com' }],
  ['transient', { step: 'token', code: 'timeout' }],
  ['transient', { step: 'token', code: 'ending' }],
  ['transient', { step: 'storage', code: 'read_only' }],
  ['transient', { step: 'storage', code: 'newer_version' }],
  ['transient', { step: 'storage', code: 'unreadable' }],
  ['transient', { step: 'storage', code: 'not_private' }],
  ['transient', { step: 'storage', code: 'locked' }],
  ['transient', { step: 'storage', code: 'lock_lost' }],
  ['transient', { step: 'storage', code: 'disk' }],
  ['transient', { step: 'storage', code: 'not_stored' }],
  ['invalidGrant', { step: 'storage', code: 'signed_out' }],
  ['unsafe', { step: 'discovery', code: 'private_address', host: 'example.com' }],
  ['unsafe', { step: 'discovery', code: 'resource_mismatch', host: 'example.com' }],
  ['invalidResponse', { step: 'discovery', code: 'html', host: 'example.com' }],
  ['invalidResponse', { step: 'discovery', code: 'no_token_endpoint', missing: 'token_endpoint', host: 'example.com' }],
  ['invalidResponse', { step: 'token', code: 'no_access_token', host: 'example.com' }],
  ['unsafe', { step: 'authorization', code: 'issuer_mismatch', host: 'example.com' }],
  ['unsafe', { step: 'authorization', code: 'issuer_missing', host: 'example.com' }],
  ['unsafe', { step: 'authorization', code: 'redirect_mismatch', host: 'example.com' }],
  ['unsafe', { step: 'authorization', code: 'duplicate_parameter', host: 'example.com' }],
  ['invalidResponse', { step: 'authorization', code: 'no_code', host: 'example.com' }],
  ['unsafe', { step: 'discovery', code: 'no_pkce_s256', host: 'example.com' }],
  ['cancelled', { step: 'authorization', code: 'browser_limit' }],
];

/** Phrases that tell the user what to do. */
const instruction =
  /[Tt]ry again|[Ss]ign in|Check|Choose|Enter|Remove|Reload|Update|Correct|Use the address|Register an app|It will be tried once more/;

describe('messages for the user', () => {
  for (const [kind, details] of failures) {
    test(`${kind} (${details.step}, ${details.code}) is explained in a plain sentence with a button`, () => {
      const message = messageFor(new Failure(kind, details));
      assert.ok(message);
      assert.match(message.sentence, /^[A-Ze].*\.$/s);
      assert.match(message.sentence, instruction, 'the sentence must say what to do');
      assert.doesNotMatch(message.sentence, /undefined|\{\d\}|_grant|_client/);
      assert.ok(message.actions.length > 0);
      assert.ok(message.actions.every((action) => actionLabel(action) !== ''));
    });
  }

  test('a failure of the local storage is not reported as a network failure', () => {
    for (const code of [
      'read_only',
      'locked',
      'lock_lost',
      'disk',
      'not_stored',
      'stale_window',
      'newer_version',
      'unreadable',
      'not_private',
    ] as const) {
      const { sentence } = messageFor(new Failure('transient', { step: 'storage', code })) ?? { sentence: '' };
      assert.doesNotMatch(sentence, /network|reached|server/, code);
    }
  });

  test('the login page of a network is not reported as a failure of the server', () => {
    const details = { step: 'token', code: 'html', status: 200, host: 'a.example' } as const;
    assert.match(messageFor(new Failure('transient', details))?.sentence ?? '', /log in to the network/);
  });

  test('the message for an unexpected error asks for a report', () => {
    const { sentence, actions } = unexpectedErrorMessage();
    assert.match(sentence, /report/);
    assert.ok(actions.includes('copyDiagnostics'));
  });

  test('a sign-in that the user cancelled shows no message', () => {
    assert.equal(messageFor(new Failure('cancelled', { step: 'authorization', code: 'cancelled' })), undefined);
  });

  test('a user who may not connect, and a client that an admin has not allowed, are told whom to turn to', () => {
    for (const [code, told] of [
      ['guest_not_allowed', /choose another workspace, or ask its owner to make you a member/],
      ['client_not_allowed', /Ask an admin to allow this editor/],
    ] as const) {
      const details = {
        step: 'authorization',
        code,
        host: 'a.example',
        serverReason: displayText('Bad words', 60),
      } as const;
      const message = messageFor(new Failure('serverRejected', details));
      assert.match(message?.sentence ?? '', told);
      assert.doesNotMatch(message?.sentence ?? '', /Bad words/);
      assert.equal(message?.actions[0], 'tryAgain');
    }
  });

  test('the message for a rate limit gives the wait in seconds', () => {
    const details = { step: 'token', code: 'http_429', status: 429, retryAfterMs: 1_001, host: 'a.example' } as const;
    assert.match(messageFor(new Failure('transient', details))?.sentence ?? '', /a\.example .* 2 seconds/);
  });

  test('a damaged sign-in and a lost key each lead to a new sign-in', () => {
    for (const problem of ['damaged', 'keyLost'] as const) {
      for (const home of ['browser', 'keyring', 'other'] as const) {
        const { sentence, actions } = storageMessage(problem, home);
        assert.match(sentence, /[Ss]ign in again\.$/);
        assert.equal(actions[0], 'signIn');
      }
    }
  });

  test('a keyring is advised only where the secrets are in one', () => {
    const { sentence } = storageMessage('keyLost', 'keyring');
    assert.match(sentence, /keyring/);
    for (const home of ['browser', 'other'] as const) {
      assert.doesNotMatch(storageMessage('keyLost', home).sentence, /keyring/);
    }
  });
});
