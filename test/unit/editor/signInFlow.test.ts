import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../../../src/oauth/errors.ts';
import { fails, host, openChatCommand, ScriptedWindow, scopes } from './scriptedWindow.ts';
import { CancellationError } from './vscode.ts';

const { openBrowser } = await import('../../../src/editor/signInFlow.ts');

test('a sign-in names the account and offers chat, whose button opens it', async (t) => {
  const window = await ScriptedWindow.openWithChat(t);
  await window.flow.run(scopes);
  const note = await window.editor.messages.take();
  assert.equal(note.text, 'information: Signed in as ada (wiki). [Open Chat]');
  note.pick('Open Chat');
  assert.equal(await window.editor.executed.take(), openChatCommand);
});

test('a sign-in on a computer with agents of which none is connected offers to connect one', async (t) => {
  const window = await ScriptedWindow.openWithChat(t);
  window.hasUnusedAgents = true;
  await window.flow.run(scopes);
  const note = await window.editor.messages.take();
  assert.equal(note.text, 'information: Signed in as ada (wiki). [Open Chat] [Connect an Agent…]');
  note.pick('Connect an Agent…');
  assert.equal(await window.editor.executed.take(), 'notionMcp.connectAgent');
});

test('a sign-in to an account that was there already names it too', async (t) => {
  const window = await ScriptedWindow.open(t);
  await window.signedIn('ada');
  await window.flow.run(scopes);
  assert.equal(await window.message(), 'information: Signed in as ada (wiki).');
});

test('a sign-in whose user Notion cannot name yet says what the account is called until then', async (t) => {
  const window = await ScriptedWindow.open(t);
  window.next.push(window.as());
  await window.flow.run(scopes);
  assert.match(
    await window.message(),
    /^information: Signed in to Notion\. The account is called “Notion account · \w+” until Notion says whose it is\.$/,
  );
});

for (const [without, name, value] of [
  ['the tools are not offered', 'notionMcp.offerMcpServer', false],
  ['chat is switched off', 'chat.disableAIFeatures', true],
  ['chat may use no MCP servers', 'chat.mcp.access', 'none'],
] as const) {
  test(`a sign-in offers no chat while ${without}`, async (t) => {
    const window = await ScriptedWindow.openWithChat(t);
    window.editor.settings.set(name, value);
    await window.flow.run(scopes);
    assert.equal(await window.message(), 'information: Signed in as ada (wiki).');
  });
}

test('Cancel ends a sign-in without a message, and its caller learns that the user cancelled', async (t) => {
  const window = await ScriptedWindow.open(t);
  window.next.push(
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Failure('cancelled', { step: 'authorization', code: 'cancelled' }));
        });
      }),
  );
  const running = window.flow.run(scopes);
  const progress = await window.editor.progress.take();
  progress.cancel();
  await assert.rejects(running, CancellationError);
  await progress.closed;
  assert.equal(window.editor.messages.size, 0);
});

test('a sign-in whose hosts the user declined ends without another message', async (t) => {
  const window = await ScriptedWindow.open(t);
  window.next.push(fails('cancelled', 'hosts_declined'));
  await assert.rejects(window.flow.run(scopes), CancellationError);
  assert.equal(window.editor.messages.size, 0);
});

for (const [name, course, text] of [
  ['what the user decided', fails('accessDenied', 'access_denied'), /^information: You denied .*\. \[Try Again\]$/],
  [
    'that time ran out',
    fails('cancelled', 'browser_limit'),
    /^information: No response came .* \[Try Again\] \[Show Log\]$/,
  ],
  [
    'that a server is out of reach',
    fails('transient', 'unreachable'),
    /^error: mcp\.example cannot be reached\. .*\[Try Again\]/,
  ],
  [
    'that the network cannot be used',
    fails('transient', 'proxy'),
    /^error: The proxy .* \[Open Proxy Setting\] \[Try Again\]/,
  ],
  [
    'an unexpected error',
    () => Promise.reject(new TypeError('ada@example.com')),
    /^error: Something .*\[Copy Diagnostics\]/,
  ],
] as const) {
  test(`a failed sign-in shows ${name}, is cancelled for its caller, who would only say it again, and Try Again repeats it`, async (t) => {
    const window = await ScriptedWindow.open(t);
    window.next.push(course);
    const running = window.flow.run(['pages']);
    const message = await window.editor.messages.take();
    assert.match(message.text, text);
    await assert.rejects(running, CancellationError);
    message.pick('Try Again');
    assert.match(await window.message(), /^information: Signed in as ada/);
    assert.deepEqual(
      window.requests.map((request) => request.scopes),
      [['pages'], ['pages']],
    );
  });
}

test('Try Again of a sign-in for one account names that account again', async (t) => {
  const window = await ScriptedWindow.open(t);
  window.next.push(fails('transient', 'unreachable'), async (request) => {
    request.onStage('waitingForBrowser', host);
    return window.as('ada')(request);
  });
  await assert.rejects(window.flow.run(['pages'], 'ada (wiki)'));
  await window.editor.progress.take();
  await window.pick('Try Again');
  const { reports } = await window.editor.progress.take();
  assert.match(await window.message(), /^information: Signed in as ada/);
  assert.deepEqual(reports, ['Choose ada (wiki) and allow access at mcp.example in your browser…']);
});

test('an unexpected error of a sign-in is logged by name, without its message', async (t) => {
  const window = await ScriptedWindow.open(t);
  window.next.push(() => Promise.reject(new TypeError('ada@example.com')));
  await assert.rejects(window.flow.run(scopes));
  const log = window.logLines.join('\n');
  assert.match(log, /The sign-in failed unexpectedly\. name=TypeError at=signInFlow\.test\.ts/);
  assert.ok(!log.includes('ada@example.com'));
});

test('a sign-in with an invalid server URL in the settings sends nothing and leads to the setting', async (t) => {
  const window = await ScriptedWindow.open(t);
  window.editor.settings.set('notionMcp.serverUrl', 'mcp.notion.com');
  await assert.rejects(window.flow.run(scopes), CancellationError);
  const message = await window.editor.messages.take();
  assert.match(message.text, /must begin with https/);
  message.pick('Open Setting');
  assert.equal(await window.editor.executed.take(), 'workbench.action.openSettings @id:notionMcp.serverUrl');
  assert.deepEqual(window.requests, []);
  assert.equal(window.editor.progress.size, 0);
});

test('the progress of a sign-in says what it waits for, with links that work until it ends', async (t) => {
  const window = await ScriptedWindow.open(t);
  const used: string[] = [];
  const choices = { openAgain: () => used.push('openAgain'), tryNextChannel: () => used.push('tryNextChannel') };
  const { commands } = window.editor;
  window.next.push(async (request) => {
    request.onStage('discovering', host);
    request.onStage('waitingForBrowser', host, choices);
    commands.get('notionMcp.openAgain.1')?.();
    commands.get('notionMcp.tryNextChannel.1')?.();
    request.onStage('waitingForBrowser', host, { openAgain: choices.openAgain });
    request.onStage('browserNotOpened', host, choices);
    request.onStage(
      'callbackRefused',
      host,
      choices,
      new Failure('unsafe', { step: 'authorization', code: 'issuer_mismatch' }),
    );
    request.onStage('serverBusy', host);
    request.onStage('unreachable', host);
    request.onStage('finishing', host);
    commands.get('notionMcp.openAgain.1')?.();
    return window.as('ada')(request);
  });
  await window.flow.run(scopes);
  assert.deepEqual((await window.editor.progress.take()).reports, [
    'Contacting mcp.example…',
    'Allow access at mcp.example in your browser… [Open it again](command:notionMcp.openAgain.1 "Open it again") · [Try another way](command:notionMcp.tryNextChannel.1 "Try another way")',
    'Allow access at mcp.example in your browser… [Open it again](command:notionMcp.openAgain.1 "Open it again")',
    'The editor did not open the page at mcp.example. Open it again or, if you copied its address, paste that into your browser… [Open it again](command:notionMcp.openAgain.1 "Open it again") · [Try another way](command:notionMcp.tryNextChannel.1 "Try another way")',
    'The response from the browser came from another server than mcp.example, so it was not used. Try again. [Open it again](command:notionMcp.openAgain.1 "Open it again") · [Try another way](command:notionMcp.tryNextChannel.1 "Try another way")',
    'mcp.example is busy; trying again…',
    'No connection to mcp.example; trying again…',
    'Finishing the sign-in…',
  ]);
  assert.deepEqual(used, ['openAgain', 'tryNextChannel']);
  assert.equal(commands.size, 0);
});

test('a sign-in at other hosts than Notion’s names them in a modal question, and goes on only with Continue', async (t) => {
  const window = await ScriptedWindow.open(t);
  const confirmed: Promise<boolean>[] = [];
  window.next.push(async (request) => {
    confirmed.push(request.confirmHosts('mcp.example', 'login.example'), request.confirmHosts(host, host));
    return window.as('ada')(request);
  });
  await window.flow.run(scopes);
  const two = await window.editor.messages.take();
  assert.match(
    two.text,
    /^modal warning: Sign in at login\.example\? .*come from mcp\.example, .* \[Do Not Sign In\] \[Continue\]$/,
  );
  two.pick('Continue');
  const one = await window.editor.messages.take();
  assert.match(one.text, /^modal warning: Sign in at mcp\.example\? .* \[Do Not Sign In\] \[Continue\]$/);
  one.pick('Do Not Sign In');
  assert.deepEqual(await Promise.all(confirmed), [true, false]);
});

test('the browser gets a URL byte for byte, as the editor would cut off a redirect URI at its first &', async (t) => {
  const { editor } = await ScriptedWindow.open(t);
  const url = 'https://mcp.example/authorize?redirect_uri=vscode%3A%2F%2Fcallback%3Fa%3D1%26b%3D2&state=x%3D';
  await openBrowser(url);
  assert.deepEqual(editor.openedUrls, [url]);
});

test('each sign-in is recorded for the diagnostics with its channels and stages, also if it fails before its first request', async (t) => {
  const window = await ScriptedWindow.open(t);
  window.next.push((request) => {
    request.onStage('discovering', host);
    request.onChannel?.('paste');
    request.onStage('waitingForBrowser', host);
    return fails('accessDenied', 'access_denied')(request);
  });
  await assert.rejects(window.flow.run(scopes));
  await window.flow.run(scopes);
  window.editor.settings.set('notionMcp.serverUrl', '');
  await assert.rejects(window.flow.run(scopes));
  assert.deepEqual(
    window.history.list().map(({ steps, end }) => [steps, end?.outcome]),
    [
      [
        ['discovering', 'paste', 'waitingForBrowser'],
        { kind: 'accessDenied', step: 'authorization', code: 'access_denied' },
      ],
      [[], { account: 1 }],
      [[], { kind: 'misconfigured', step: 'discovery', code: 'server_url_empty' }],
    ],
  );
  const names = window.history.list().map(({ name }) => name);
  for (const name of names) {
    assert.ok(window.logLines.includes(`[${name}] A sign-in begins. scopes=1`), name);
  }
});
