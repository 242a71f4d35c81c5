import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import type { SignInRequest } from '../../../src/signIn/signIn.ts';
import { type Course, host, ScriptedWindow, scopes } from './scriptedWindow.ts';
import { CancellationError } from './vscode.ts';

test('two sign-ins at the same time have links of their own', async (t) => {
  const window = await ScriptedWindow.open(t);
  await Promise.all([window.flow.run(scopes), window.flow.run(scopes)]);
  assert.equal(window.requests.length, 2);
});

/** A sign-in that waits for the browser until it is ended. */
function waiting(): { begun: Promise<void>; course: Course; request: () => SignInRequest } {
  const begun = Promise.withResolvers<void>();
  let own: SignInRequest | undefined;
  const course: Course = (request) => {
    own = request;
    request.onStage('waitingForBrowser', host, { openAgain: () => undefined });
    begun.resolve();
    return new Promise((_, reject) => {
      request.signal.addEventListener('abort', () => {
        reject(new Failure('cancelled', { step: 'authorization', code: 'cancelled' }));
      });
    });
  };
  return { begun: begun.promise, course, request: () => own ?? assert.fail() };
}

test('a sign-in that finishes ends the older ones that still wait, without a message, but neither a later one nor one that is finishing', async (t) => {
  const window = await ScriptedWindow.open(t);
  const [older, finishing, later] = [waiting(), waiting(), waiting()];
  const current = Promise.withResolvers<void>();
  window.next.push(older.course, finishing.course, async (request) => {
    await current.promise;
    return window.as('ada')(request);
  });
  const olderRun = window.flow.run(scopes);
  const finishingRun = window.flow.run(scopes);
  finishingRun.catch(() => undefined);
  finishing.request().onStage('finishing', host);
  const currentRun = window.flow.run(scopes);
  window.next.push(later.course);
  const laterRun = window.flow.run(scopes);
  laterRun.catch(() => undefined);
  await Promise.all([older.begun, finishing.begun, later.begun]);
  current.resolve();
  await currentRun;
  await assert.rejects(olderRun, CancellationError);
  assert.equal(older.request().signal.aborted, true);
  assert.equal(finishing.request().signal.aborted, false);
  assert.equal(later.request().signal.aborted, false);
  assert.equal(await window.message(), 'information: Signed in as ada (wiki).');
  assert.equal(window.editor.messages.size, 0);
});

for (const [name, label, wanted, isServed] of [
  ['the same account', 'ada (wiki)', ['default'], true],
  ['another account', 'grace (wiki)', ['default'], false],
  ['no account, as the user chose this one for something else,', undefined, ['default'], false],
  ['the same account with scopes that it lacks', 'ada (wiki)', ['other'], false],
] as const) {
  test(`a sign-in that was requested for ${name} ${isServed ? 'gets' : 'does not get'} the result of the later one that ended it`, async (t) => {
    const window = await ScriptedWindow.open(t);
    const older = waiting();
    window.next.push(older.course);
    const olderRun = window.flow.run(wanted, label);
    await older.begun;
    const [result] = await Promise.all([window.flow.run(scopes), olderRun.catch(() => undefined)]);
    await (isServed
      ? olderRun.then((other) => assert.equal(other, result))
      : assert.rejects(olderRun, CancellationError));
    assert.equal(await window.message(), 'information: Signed in as ada (wiki).');
    assert.equal(window.editor.messages.size, 0);
  });
}
