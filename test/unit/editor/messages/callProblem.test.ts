import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../../../src/calls/problem.ts';
import { Failure } from '../../../../src/oauth/errors.ts';
import { openEditor } from '../vscode.ts';

const { problemSentence } = await import('../../../../src/editor/messages/callProblem.ts');

openEditor();

const host = 'mcp.notion.com';
const failure = new Failure('transient', { step: 'identity', code: 'unreachable', host });

for (const [name, problem, sentence] of [
  [
    'an account that needs a sign-in names the button that does it',
    { kind: 'signInNeeded', host },
    'Notion ended the sign-in of this account. Run “Notion MCP: Manage Accounts”, choose the account, then “Reconnect”.',
  ],
  [
    'a signed-out account names the command that signs in',
    { kind: 'signedOut', host },
    'This account was signed out of Notion. Run “Notion MCP: Sign In” to sign in again.',
  ],
  [
    'an account that is not offered in chat names both switches',
    { kind: 'notOffered', host },
    'This account is not offered in chat. Turn on “notionMcp.offerMcpServer” in the settings and “Offer in chat” in “Notion MCP: Manage Accounts”, then try again.',
  ],
  [
    'an agent that was denied is named, with the command that allows it',
    { kind: 'notAllowed', host, agent: 'codex' },
    'VS Code does not allow Codex to use this Notion account. Run “Notion MCP: Manage Accounts” there and choose the account to allow it.',
  ],
  [
    'an agent that the user is asked about is named',
    { kind: 'consentPending', host, agent: 'claude-code' },
    'VS Code is asking whether Claude Code may use this Notion account. Allow it there, then try again.',
  ],
  [
    'an agent that is not known is named by its id',
    { kind: 'consentPending', host, agent: 'my-agent' },
    'VS Code is asking whether my-agent may use this Notion account. Allow it there, then try again.',
  ],
  [
    'a call whose outcome is unknown says that it may have changed something',
    { kind: 'outcomeUnknown', host, failure },
    'The connection to Notion was lost before the response arrived. The change may have been made: check before you try again.',
  ],
] as const satisfies [string, Problem, string][]) {
  test(`the sentence for ${name}`, () => {
    assert.equal(problemSentence(problem), sentence);
  });
}
