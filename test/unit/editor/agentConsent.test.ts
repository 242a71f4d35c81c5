import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Account } from '../../../src/accounts/registry.ts';
import type { Consent } from '../../../src/agents/consent.ts';
import { Log } from '../../../src/core/log.ts';
import { ConsentUnderTest } from '../agents/consentUnderTest.ts';
import { openEditor } from './vscode.ts';

const { AgentConsent } = await import('../../../src/editor/agentConsent.ts');

const handle = 'notion-engineering-wiki';
const question =
  'information: Codex wants to use the Notion account Ada (Engineering Wiki) through VS Code. Allow it? [Allow] [Don’t Allow]';

/** Windows of an installation with one account, of which the user looks at some. */
async function openWindows(t: TestContext, focused: boolean[] = [true]) {
  const editor = openEditor();
  const installation = new ConsentUnderTest(t);
  const logged: string[] = [];
  const record = (line: string): void => void logged.push(line);
  const account = { grant: { label: 'Ada (Engineering Wiki)', serverNames: { handle, title: '' } } } as Account;
  const windows = await Promise.all(
    focused.map(async (_, index) => {
      const consent = await installation.window();
      const asker = new AgentConsent({
        consent,
        accounts: { list: () => [account] },
        isFocused: () => focused[index] === true,
        clock: installation.clock,
        log: new Log({ error: record, warn: record, info: record, debug: record }),
      });
      return { consent, asker };
    }),
  );
  const [{ consent, asker } = assert.fail()] = windows;
  return { editor, installation, windows, consent, asker, focused, logged };
}

/** A request of an agent arrives at a window, and all windows notice. */
async function request(windows: { consent: Consent; asker: { askNext(): Promise<void> } }[], agent = 'codex') {
  windows[0]?.consent.ask(handle, agent);
  await look(windows);
}

async function look(windows: { consent: Consent; asker: { askNext(): Promise<void> } }[]) {
  for (const { consent, asker } of windows) {
    await consent.refresh();
    await asker.askNext();
  }
}

for (const [button, permission] of [
  ['Allow', 'allowed'],
  ['Don’t Allow', 'denied'],
] as const) {
  test(`${button} is remembered, and the agent is not asked about again`, async (t) => {
    const { editor, consent, windows, logged } = await openWindows(t);
    await request(windows);
    const shown = await editor.messages.take();
    assert.equal(shown.text, question);
    shown.pick(button);
    while (consent.permission(handle, 'codex') === 'unknown') {
      await consent.refresh();
    }
    assert.equal(consent.permission(handle, 'codex'), permission);
    await request(windows);
    assert.equal(editor.messages.size, 0);
    assert.deepEqual(logged, [`The user decided about an agent. agent=codex isAllowed=${permission === 'allowed'}`]);
  });
}

test('of several windows only the one that the user looks at asks, whichever the agent has called', async (t) => {
  const { editor, windows } = await openWindows(t, [false, true, false]);
  await request(windows);
  assert.equal(editor.messages.size, 1);
});

test('a question waits while the user looks at no window, and the first one that gets the focus asks it', async (t) => {
  const { editor, windows, focused } = await openWindows(t, [false, false]);
  await request(windows);
  assert.equal(editor.messages.size, 0);
  focused[1] = true;
  await look(windows);
  assert.equal(editor.messages.size, 1);
  focused[0] = true;
  await look(windows);
  assert.equal(editor.messages.size, 1);
});

test('an agent that starts, and thus sends several requests, is asked about once', async (t) => {
  const { editor, windows } = await openWindows(t);
  for (let count = 0; count < 3; count += 1) {
    await request(windows);
  }
  assert.equal(editor.messages.size, 1);
});

test('a note that the editor may have hidden is shown again at the agent’s next request, and not before', async (t) => {
  const { editor, windows, installation, consent } = await openWindows(t);
  await request(windows);
  const hidden = await editor.messages.take();
  installation.clock.advance(10_000);
  await look(windows);
  assert.equal(editor.messages.size, 0);
  await request(windows);
  const shown = await editor.messages.take();
  assert.equal(shown.text, question);
  // The editor closes the earlier one of two equal notes.
  hidden.pick();
  await consent.refresh();
  assert.equal(editor.messages.size, 0);
  assert.equal(consent.permission(handle, 'codex'), 'unknown');
  await request(windows);
  assert.equal(editor.messages.size, 0);
});

test('questions about several agents are asked one after another', async (t) => {
  const { editor, windows } = await openWindows(t);
  await request(windows, 'codex');
  await request(windows, 'claude-code');
  await request(windows, 'some-agent');
  const names = [];
  for (let count = 0; count < 3; count += 1) {
    const shown = await editor.messages.take();
    assert.equal(editor.messages.size, 0);
    names.push(/: (.*) wants/.exec(shown.text)?.[1]);
    shown.pick(count === 1 ? 'Don’t Allow' : undefined);
  }
  assert.deepEqual(names, ['Codex', 'Claude Code', 'some-agent']);
});

test('a closed note decides nothing, and the agent’s next request is asked about again', async (t) => {
  const { editor, windows, consent } = await openWindows(t);
  await request(windows);
  (await editor.messages.take()).pick();
  await consent.refresh();
  assert.equal(consent.permission(handle, 'codex'), 'unknown');
  await request(windows);
  assert.equal(editor.messages.size, 1);
});

test('an agent that was connected while it waited for the user is not asked about', async (t) => {
  const { editor, windows, focused, consent } = await openWindows(t, [false]);
  await request(windows);
  await consent.allow(handle, 'codex');
  focused[0] = true;
  await look(windows);
  assert.equal(editor.messages.size, 0);
});

test('a decision that cannot be stored is reported, and Try Again stores it', async (t) => {
  const { editor, windows, consent, installation } = await openWindows(t);
  await request(windows);
  const shown = await editor.messages.take();
  const { promise: failing, resolve: fail } = Promise.withResolvers<void>();
  const { allow } = consent;
  consent.allow = async () => {
    consent.allow = allow;
    fail();
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  };
  shown.pick('Allow');
  await failing;
  const failure = await editor.messages.take();
  assert.equal(
    failure.text,
    'error: Your decision about Codex could not be stored on this computer. Try again. [Try Again] [Show Log]',
  );
  failure.pick('Try Again');
  while (consent.permission(handle, 'codex') === 'unknown') {
    await consent.refresh();
  }
  assert.deepEqual(installation.fileNames(), ['.codex.consent']);
});
