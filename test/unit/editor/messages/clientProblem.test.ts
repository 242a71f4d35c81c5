import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../vscode.ts';
import { ClientFailure, type ClientProblem } from '../../../../src/client/problem.ts';
import { displayText } from '../../../../src/core/displayText.ts';

const { clientProblemSentence } = await import('../../../../src/editor/messages/clientProblem.ts');

const reason = displayText('body.pages should be an array.', 100);
const link = displayText('https', 10);

for (const [problem, code, sentence] of [
  [{ kind: 'unknownToken' }, 'needsSignIn', 'Sign in to Notion, and allow this extension to use your account.'],
  [{ kind: 'cancelled' }, 'cancelled', 'The request to Notion was cancelled.'],
  [{ kind: 'timeOver', host: 'mcp.notion.com' }, 'offline', 'mcp.notion.com did not respond in time. Try again later.'],
  [
    { kind: 'taskLost' },
    'outcomeUnknown',
    'Notion did not confirm the change, but it may have been made: check before you try again.',
  ],
  [
    { kind: 'toolUnavailable', tool: 'notion-x', link },
    'toolUnavailable',
    'This tool is not included in the plan of your Notion workspace. See https.',
  ],
  [
    { kind: 'unexpectedResult', missing: 'results' },
    'serverFault',
    'Notion returned an unexpected result (results is missing). Run “Notion MCP: Test Connection” to see why.',
  ],
  [
    { kind: 'badArgument', name: 'title' },
    'validation',
    'The extension passed an invalid value (title) for Notion. Report this to its author.',
  ],
  [
    { kind: 'tool', code: 'validation_error', reason },
    'validation',
    'Notion does not accept this request. Notion says: “body.pages should be an array.”',
  ],
  [
    { kind: 'tool', code: 'restricted_resource', reason: displayText('', 1) },
    'accessDenied',
    'Your Notion account has no access to this.',
  ],
  [
    { kind: 'tool', code: 'rate_limited', reason, retryAfterMs: 6_500 },
    'rateLimited',
    'Notion is limiting requests. Try again in 7 seconds.',
  ],
  [
    { kind: 'call', problem: { kind: 'signInNeeded', host: 'mcp.notion.com' } },
    'needsSignIn',
    'Notion ended the sign-in of this account. Run “Notion MCP: Manage Accounts”, choose the account, then “Reconnect”.',
  ],
] satisfies [ClientProblem, string, string][]) {
  const name = 'code' in problem ? problem.code : problem.kind;
  test(`a request of another extension that fails with ${name} has the code ${code} and a sentence for the user`, () => {
    const failure = new ClientFailure(problem);
    assert.equal(failure.code, code);
    assert.equal(clientProblemSentence(failure), sentence);
  });
}

test('a change that may have been made is told as such, whatever failed', () => {
  const failure = new ClientFailure({ kind: 'timeOver', host: 'mcp.notion.com' }, { mayBeDone: true });
  assert.equal(failure.code, 'outcomeUnknown');
  assert.match(clientProblemSentence(failure), /it may have been made/);
});
