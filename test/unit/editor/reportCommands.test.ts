import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Extension } from 'vscode';
import type { ConnectionReport } from '../../../src/diagnostics/connectionTest.ts';
import { Failure } from '../../../src/oauth/errors.ts';
import { openCommands, passed } from './commandParts.ts';

const { testConnection } = await import('../../../src/editor/commands.ts');
const { copyDiagnostics } = await import('../../../src/editor/copyDiagnostics.ts');

/** The report of a test that fails at its token. */
function failedReport(failure: Failure): ConnectionReport {
  return { ...passed, checks: [{ name: 'token', tookMs: 1, failure }], tools: [] };
}

test('Test Connection shows its result, whose details can be read', async (t) => {
  const { window, parts, shown } = await openCommands(t);
  await window.signedIn('ada');
  await testConnection(parts);
  const message = await window.editor.messages.take();
  assert.equal(message.text, 'information: ada (wiki) is connected and has 2 tools. [Show Details]');
  message.pick('Show Details');
  assert.match(await shown.take(), /^Notion connection\.txt\nNotion connection of ada \(wiki\)\n/);
});

test('Test Connection warns of what failed, and Try Again tests anew', async (t) => {
  const reports = [failedReport(new Failure('transient', { step: 'token', code: 'unreachable' })), passed];
  const { window, parts } = await openCommands(t, { check: async () => reports.shift() ?? assert.fail() });
  await window.signedIn('ada');
  await testConnection(parts);
  const message = await window.editor.messages.take();
  assert.match(message.text, /^warning: ada \(wiki\): .* \[Try Again\] \[Show Details\]$/);
  message.pick('Try Again');
  assert.match(await window.message(), /is connected/);
});

test('Test Connection reports an ended grant once, as the reminder to sign in again', async (t) => {
  const { window, parts } = await openCommands(t, {
    check: async ({ grant }) => {
      const failure = await window.accounts.renew(grant.id, { reason: 'asked' }).catch((error) => error);
      return failedReport(failure);
    },
  });
  const grant = await window.signedIn('ada');
  window.endAtNotion(grant);
  for (const _ of [1, 2]) {
    await testConnection(parts);
    assert.match(await window.message(), /^warning: Notion ended the sign-in of ada/);
    assert.equal(window.editor.messages.size, 0);
  }
});

test('Cancel ends a connection test and its requests', async (t) => {
  const started = Promise.withResolvers<AbortSignal>();
  const { window, parts } = await openCommands(t, {
    check: (_, signal) => {
      started.resolve(signal);
      return new Promise(() => undefined);
    },
  });
  await window.signedIn('ada');
  const running = testConnection(parts);
  const signal = await started.promise;
  window.clock.advance(500);
  (await window.editor.progress.take()).cancel();
  await running;
  assert.equal(await window.message(), 'information: The test of ada (wiki) was stopped.');
  assert.ok(signal.aborted);
});

test('Copy Diagnostics puts the report on the clipboard and can show it', async (t) => {
  const { window, parts, shown } = await openCommands(t);
  await copyDiagnostics(parts);
  assert.equal(window.editor.clipboard, 'the report');
  await window.pick('Show Details');
  assert.equal(await shown.take(), 'Notion diagnostics.txt\nthe report');
});

test('Copy Diagnostics opens the page for issues that the package names, as an address or an object with one', async (t) => {
  const address = 'https://issues.example/notion';
  for (const bugs of [address, { url: address, email: 'bugs@issues.example' }]) {
    const extension = { packageJSON: { bugs } } as Extension<unknown>;
    const { window, parts } = await openCommands(t, { extension });
    await copyDiagnostics(parts);
    const message = await window.editor.messages.take();
    assert.match(message.text, /Paste them into an issue\. \[Report an Issue\] \[Show Details\]$/);
    message.pick('Report an Issue');
    await setImmediate();
    assert.deepEqual(window.editor.openedUrls.map(String), [address]);
  }
});

test('Copy Diagnostics says to whom the report goes if the package names no web address for issues', async (t) => {
  for (const bugs of [undefined, 'bugs@issues.example', { email: 'bugs@issues.example' }, 'command:x', 7, null]) {
    const extension = { packageJSON: { bugs } } as Extension<unknown>;
    const { window, parts } = await openCommands(t, { extension });
    await copyDiagnostics(parts);
    assert.match(
      await window.message(),
      /Send them to the publisher of this extension\. \[Show Extension\] \[Show Details\]$/,
    );
  }
});

test('Cancel while diagnostics are collected leaves the clipboard as it was', async (t) => {
  const { window, parts } = await openCommands(t, { diagnostics: () => new Promise(() => undefined) });
  window.editor.clipboard = 'before';
  const running = copyDiagnostics(parts);
  window.clock.advance(500);
  (await window.editor.progress.take()).cancel();
  await running;
  assert.equal(await window.message(), 'information: The diagnostics were not copied.');
  assert.equal(window.editor.clipboard, 'before');
});
