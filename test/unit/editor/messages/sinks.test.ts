import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Problem, ProblemKind } from '../../../../src/calls/problem.ts';
import { displayLines, displayLink, displayText } from '../../../../src/core/displayText.ts';
import type { ConnectionReport } from '../../../../src/diagnostics/connectionTest.ts';
import type { Message } from '../../../../src/editor/messages/actions.ts';
import type { Grant } from '../../../../src/grants/grant.ts';
import { Failure, type FailureCode, type FailureKind, type FailureStep } from '../../../../src/oauth/errors.ts';
import { grantOf } from '../../storage/storageUnderTest.ts';
import { openCommands, passed } from '../commandParts.ts';
import { ScriptedWindow } from '../scriptedWindow.ts';
import type { Question } from '../vscode.ts';

const { signOut } = await import('../../../../src/editor/commands.ts');
const { manageAccounts } = await import('../../../../src/editor/manageAccounts.ts');
const { describeAccount } = await import('../../../../src/editor/messages/accountStatus.ts');
const { problemSentence } = await import('../../../../src/editor/messages/callProblem.ts');
const { connectionLines, connectionMessage } = await import('../../../../src/editor/messages/connection.ts');
const failures = await import('../../../../src/editor/messages/failure.ts');
const { accountName } = await import('../../../../src/editor/messages/names.ts');
const { gatewayReminders, SignInReminder } = await import('../../../../src/editor/reminders.ts');

/** What servers might send as a name, a reason, a scope, a host or a code. */
const hostileTexts = [
  '[Click](command:workbench.action.quit)',
  '[Click](command:runCommands?%7B%22commands%22%3A%5B%5D%7D "title")',
  '[[a]](https://evil.example) [b][c] ![d](file:///etc/passwd)',
  '[a]\u200b(command:x) [b]\u202e(command:x) [c]\u034f(command:x) [d]\ufe0f(command:x) [e]\u2060(command:x)',
  '$(trash) $$(trash) $\u200b(trash) $\u{e0041}(trash)',
  '<a href="command:x">a</a> <img src=x> `code` \u1fef\u1fefcode\u1fef\u1fef',
  'https://evil.example file:////evil.example/share command:x',
  'one\r\ntwo\u2028three\u2029four\u0085five\u0000six\u001b[31m',
  '\u202eright to left\u202c \u2066isolated\u2069 \u061c\u200f',
  '[unclosed',
  'ends with ]',
  'ends with $',
  '(begins',
  '{0} {1} {2}',
  '&lt;b&gt; &#91;x&#93;(command:y) \\[x\\](command:y)',
  'x'.repeat(14_000),
  `[${'x'.repeat(14_000)}](command:x)`,
  '\ud800 half \udfff',
];

/** How VS Code finds links in messages, icons in labels, and addresses in documents (1.139). */
const link = /\[([^\]]+)\]\(((?:https?:\/\/|command:|file:)[^)\s]+)(?: (["'])(.+?)(\3))?\)/i;
const icon = /\$\([a-z0-9-]+(?:~[a-z]+)?\)/i;
const address = /\b(?!https:\/\/mcp\.notion\.com\/mcp\b)[a-z][a-z0-9+.-]*:\/\/[^\s;.]/i;
const invisible = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** The editor cuts a longer message. */
const longestShown = 1000;

function assertPlain(shown: string): void {
  for (const pattern of [link, icon, address, invisible, /[`<>]/]) {
    assert.doesNotMatch(shown, pattern);
  }
  assert.ok(shown.length <= longestShown, `${shown.length} characters`);
}

function assertAllPlain({ parts }: Question): void {
  parts.forEach(assertPlain);
}

/** A test with each of the hostile texts. */
function withHostileText(title: string, check: (text: string, t: TestContext) => void | Promise<void>): void {
  test(title, async (t) => {
    for (const text of hostileTexts) {
      await check(text, t);
    }
  });
}

/** A failure in which everything that can come from a server is hostile. */
function hostileFailure(kind: FailureKind, step: FailureStep, code: string, text: string): Failure {
  return new Failure(kind, {
    step,
    code: code as FailureCode,
    host: text,
    missing: text,
    serverReason: displayText(text, 200),
    status: step === 'token' ? 400 : 418,
  });
}

const kinds: FailureKind[] = [
  ...(['accessDenied', 'cancelled', 'invalidGrant', 'invalidClient', 'serverRejected', 'transient'] as const),
  ...(['invalidResponse', 'unsafe', 'misconfigured'] as const),
];
const steps: FailureStep[] = ['discovery', 'registration', 'authorization', 'token', 'identity', 'storage'];

function hostileMessages(text: string): Message[] {
  const codes = [text, 'tool_error', 'html', 'certificate', 'timeout', 'proxy', 'guest_not_allowed', 'no_registration'];
  return kinds.flatMap((kind) =>
    steps.flatMap((step) => codes.flatMap((code) => failures.messageFor(hostileFailure(kind, step, code, text)) ?? [])),
  );
}

/** A grant in which everything that comes from a server or the storage is hostile. */
function hostileGrant(text: string): Grant {
  const grant = grantOf(1);
  return {
    ...grant,
    label: text,
    authorizationServer: { ...grant.authorizationServer, tokenEndpoint: text },
    refusal: { code: text as FailureCode, count: 1, retryAtMs: 0 },
    identity: { userId: text, userName: text, userEmail: text, workspaceId: text, workspaceName: text },
  };
}

withHostileText('a notification shows a server’s text without link, command or icon, on one line and cut', (text) => {
  const grant = hostileGrant(text);
  const name = accountName(grant);
  const reasons = ['ended', 'tooOld', 'idle', 'invalidClient', 'noRefreshToken'] as const;
  const sentences = [
    ...hostileMessages(text).flatMap((message) => [message.sentence, failures.aboutAccount(name, message).sentence]),
    ...reasons.map((reason) => failures.needsSignInSentence({ ...grant, needsSignIn: { reason } })),
    failures.refusedSentence(grant),
    failures.serverChangedMessage([text]).sentence,
    connectionMessage(name, { ...passed, wasRenewed: true }).sentence,
  ];
  sentences.forEach(assertPlain);
});

withHostileText('a tool’s error for chat holds a server’s text without link, command or icon', (text) => {
  const failure = hostileFailure('serverRejected', 'token', text, text);
  const plain: Exclude<ProblemKind, 'renewalFailed' | 'unreachable' | 'outcomeUnknown'>[] = [
    ...(['signInNeeded', 'signedOut', 'tokenRejected', 'insufficientScope', 'rateLimited', 'serverError'] as const),
    ...(['serverRejected', 'invalidResponse', 'tooLarge', 'notOffered', 'internal'] as const),
    ...(['notAllowed', 'consentPending'] as const),
  ];
  const problem = { host: text, status: 403, waitSeconds: 3, scopes: [text, text], agent: text };
  const problems: Problem[] = [
    ...plain.map((kind) => ({ ...problem, kind })),
    { ...problem, kind: 'unreachable', failure },
    { ...problem, kind: 'outcomeUnknown', failure },
    ...kinds.map((kind): Problem => {
      return { ...problem, kind: 'renewalFailed', failure: hostileFailure(kind, 'token', text, text) };
    }),
  ];
  problems.map(problemSentence).forEach(assertPlain);
});

withHostileText('the document of a connection test shows a server’s text on lines of plain text', (text) => {
  const report: ConnectionReport = {
    ...passed,
    checks: [{ name: 'tools', tookMs: 1, failure: hostileFailure('transient', 'identity', 'tool_error', text) }],
    identity: hostileGrant(text).identity ?? assert.fail(),
    tools: [text, `notion-${text}`],
    access: new Map([[text.replaceAll('-', '_'), { status: text, restrictedParameters: [text, text] }]]),
  };
  connectionLines(accountName({ label: text }), report, 0).forEach(assertPlain);
  displayLines(`  ${text}`, 500).forEach(assertPlain);
});

test('an address that a document shows is https, and shown as it is', () => {
  assert.equal(displayLink(new URL('https://shown.example/a?b=c')), 'https://shown.example/a?b=c');
  for (const url of [
    ...['http://a.example/', 'file:///etc/passwd', 'command:x', 'https://a:b@c.example/', 'https://a.example/$(bug)'],
    ...['https://a.example/[x](y)', `https://a.example/${'x'.repeat(500)}`],
  ]) {
    assert.equal(displayLink(new URL(url)), undefined, url);
  }
});

withHostileText('the description of an account in a quick pick is without link, command or icon', (text) => {
  const grant = hostileGrant(text);
  for (const state of ['healthy', 'needsSignIn', 'dormant', 'serverRejected', 'readOnly'] as const) {
    assertPlain(describeAccount({ grant, state }, undefined));
  }
});

withHostileText(
  'accounts with a hostile label are listed, asked about and signed out in plain text',
  async (text, t) => {
    const { window, parts } = await openCommands(t);
    const { editor, machine } = window;
    for (const [index, user] of ['ada', 'grace'].entries()) {
      await machine.relabel(window, (await window.signedIn(user)).id, `${text}${index}`);
    }
    const managing = manageAccounts(parts);
    const list = await editor.quickPicks.take();
    assertAllPlain(list);
    list.pick(list.parts.find((part) => part === accountName({ label: `${text}0` })));
    const actions = await editor.quickPicks.take();
    assertAllPlain(actions);
    actions.pick('Sign out');
    const question = await editor.messages.take();
    assertAllPlain(question);
    question.pick('Sign Out');
    assertAllPlain(await editor.messages.take());
    await managing;
    assert.equal(parts.accounts.list().length, 1);
    await window.signedIn('linus');
    const signingOut = signOut(parts);
    const accounts = await editor.quickPicks.take();
    assertAllPlain(accounts);
    accounts.pick();
    await signingOut;
  },
);

withHostileText(
  'the progress of a sign-in shows hosts and accounts as text, with no other link than its own',
  async (text, t) => {
    const window = await ScriptedWindow.open(t);
    await window.machine.relabel(window, (await window.signedIn('ada')).id, text);
    const [account] = window.accounts.list();
    window.next.push(async (request) => {
      for (const stage of ['discovering', 'waitingForBrowser', 'finishing', 'serverBusy', 'unreachable'] as const) {
        request.onStage(stage, text, { openAgain: () => undefined });
      }
      return window.as('ada')(request);
    });
    await window.flow.reconnect(account ?? assert.fail());
    const { reports } = await window.editor.progress.take();
    assert.equal(reports.length, 5);
    for (const report of reports) {
      const [own = ''] = / \[Open it again\]\(command:notionMcp\.openAgain\.1 "Open it again"\)$/.exec(report) ?? [];
      assert.notEqual(own, '');
      assertPlain(report.slice(0, -own.length));
      // The editor's own search finds the link's label, and no more before it.
      assert.equal(link.exec(report)?.[1], 'Open it again');
    }
    assertAllPlain(await window.editor.messages.take());
  },
);

withHostileText('the dialog before a sign-in at another server names hosts as text', async (text, t) => {
  const window = await ScriptedWindow.open(t);
  window.next.push(async (request) => {
    await request.confirmHosts(text, `${text}.example`);
    return window.as('ada')(request);
  });
  const running = window.flow.run(['default']);
  const question = await window.editor.messages.take();
  assertAllPlain(question);
  question.pick();
  await running;
});

withHostileText(
  'reminders, in a notification and in the status bar, show scopes and labels as text',
  async (text, t) => {
    const window = await ScriptedWindow.open(t);
    const { accounts, stepUps, memory, editor } = window;
    const reconnect = async () => undefined;
    const reminder = new SignInReminder({ accounts, memory, reconnect });
    t.after(() => reminder.dispose());
    const { id } = await window.signedIn('ada');
    await window.machine.relabel(window, id, text);
    const reminders = gatewayReminders({ accounts, reconnect, reminder, stepUps });
    const scopes = Array.from({ length: 64 }, () => text);
    for (const isOpen of [false, true]) {
      if (isOpen) {
        stepUps.demand(id, scopes);
      }
      reminders.insufficientScope(id, []);
      reminders.insufficientScope(id, scopes);
      assertAllPlain(await editor.messages.take());
      assertAllPlain(await editor.messages.take());
    }
    await window.end({ id });
    assertAllPlain(await editor.messages.take());
    const [item] = editor.statusBar;
    assertPlain(String(item?.tooltip));
    reminder.dispose();
  },
);
