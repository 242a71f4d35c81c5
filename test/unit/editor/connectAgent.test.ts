import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { catalogue } from '../../../src/agents/catalogue.ts';
import type { AgentConnection, AgentConnector, ReplaceableServer } from '../../../src/agents/configuration/contract.ts';
import { planConnection, stateOf } from '../../../src/agents/configuration/plan.ts';
import { ConfigurationProblem, type ConfigurationProblemKind } from '../../../src/agents/configuration/problem.ts';
import type { Agents } from '../../../src/agents/contract.ts';
import type { ReadOnlyDocuments } from '../../../src/editor/readOnlyDocuments.ts';
import { openCommands } from './commandParts.ts';

const { connectAgent } = await import('../../../src/editor/connectAgent.ts');
const { disconnectAgent } = await import('../../../src/editor/disconnectAgent.ts');

/** What stands in for the agents of the computer, whose real files `test/unit/agents/configuration` has. */
interface Scripted {
  launch?: Awaited<ReturnType<Agents['launch']>>;
  tools?: number;
  connected?: AgentConnection[];
  /** What the agent has that can be replaced. */
  replaceable?: ReplaceableServer[];
  /** Whether the editor is Cursor, and thus one of the agents. */
  isCursor?: boolean;
  isNoneFound?: boolean;
  problem?: ConfigurationProblemKind;
}

const connection = { agent: 'codex', handle: 'notion-wiki', name: 'notion-wiki', path: '/c' };

test('where there are no processes, Connect an Agent and Disconnect an Agent say where there are', async (t) => {
  const { window, parts } = await openCommands(t);
  for (const command of [connectAgent, disconnectAgent]) {
    await command(parts);
    const { text } = await window.editor.messages.take();
    assert.equal(
      text,
      'warning: Agents can be connected where VS Code runs on a computer, not in a browser alone. [Show Extension]',
    );
  }
});

test('where agents cannot start what the editor has, Connect an Agent says so and changes nothing', async (t) => {
  const { begin, editor, done } = await openAgents(t, { launch: 'sandboxed' });
  const connecting = begin();
  (await editor.quickPicks.take()).pick('Codex');
  await connecting;
  assert.match((await editor.messages.take()).text, /^error: Agents cannot be connected, because programs outside of/);
  assert.deepEqual(done, []);
});

test('where no agent is found, Connect an Agent says which it looked for, and offers the configuration for another', async (t) => {
  const { begin, editor } = await openAgents(t, { isNoneFound: true });
  const connecting = begin();
  const list = await editor.quickPicks.take();
  assert.ok(list.parts.includes('No agent was found on this computer.'));
  assert.ok(
    list.parts.some((part) => /^Looked for Claude Code, Codex, .* and Windsurf\.$/.test(part)),
    list.text,
  );
  list.pick('Copy Configuration');
  await connecting;
  assert.match((await editor.messages.take()).text, /Configuration copied/);
});

test('an agent whose test shows no tools is disconnected again, and the message offers a test', async (t) => {
  const { begin, editor, done } = await openAgents(t, { tools: 0 });
  await confirm(begin(), editor);
  const { text } = await editor.messages.take();
  assert.equal(
    text,
    'error: Codex was not connected, because a test could not reach Notion’s tools. Nothing was changed; test the connection. [Test Connection] [Try Again] [Show Log]',
  );
  assert.deepEqual(done, ['allow codex', 'connect codex', 'forget codex', 'disconnect codex']);
});

test('an agent that was connected before stays so, whatever its test shows', async (t) => {
  const { begin, editor, done } = await openAgents(t, { tools: 0, connected: [connection] });
  await confirm(begin(), editor);
  await editor.messages.take();
  assert.deepEqual(done, ['allow codex', 'connect codex']);
});

test('nothing is changed if the user closes the preview, or picks Cancel', async (t) => {
  for (const label of [undefined, 'Cancel']) {
    const { begin, editor, done } = await openAgents(t, {});
    const connecting = begin();
    (await editor.quickPicks.take()).pick('Codex');
    (await editor.quickPicks.take()).pick(label);
    await connecting;
    assert.deepEqual(done, []);
  }
});

test('an account that needs a sign-in offers Reconnect instead of a connection', async (t) => {
  const { window, begin, editor, done } = await openAgents(t, {});
  const [account] = window.accounts.list();
  await window.end({ id: account?.grant.id ?? '' });
  await editor.messages.take();
  const connecting = begin();
  (await editor.quickPicks.take()).pick('Codex');
  await connecting;
  assert.match((await editor.messages.take()).text, / \[Reconnect\]$/);
  assert.deepEqual(done, []);
});

const sentences: Record<ConfigurationProblemKind, RegExp> = {
  readOnly: /is read-only.* \[Try Again\] \[Open File\] \[Copy Configuration\]$/,
  changedMeanwhile: /Another program is changing .* \[Try Again\]/,
  commandFailed: /did not take the change.* \[Try Again\] \[Copy Configuration\] \[Show Log\]$/,
  invalid: /^error: \/c has a mistake in its format.* \[Open File\] \[Try Again\] \[Copy Configuration\]$/,
  unreadable: /is not in a form that can be changed safely.* \[Copy Configuration\] \[Open File\]$/,
  notAFile: /is not an ordinary file of yours.* \[Copy Configuration\]$/,
  ofAnotherUser: /is not an ordinary file of yours.* \[Copy Configuration\]$/,
  tooLarge: /is not an ordinary file of yours.* \[Copy Configuration\]$/,
};

for (const [kind, sentence] of Object.entries(sentences)) {
  test(`a configuration that cannot be changed (${kind}) is said, and the agent may not use the account`, async (t) => {
    const problem = kind as ConfigurationProblemKind;
    const { begin, editor, done } = await openAgents(t, { problem });
    await confirm(begin(), editor);
    assert.match((await editor.messages.take()).text.replaceAll('\n', ' '), sentence);
    assert.deepEqual(done.slice(0, 3), ['allow codex', 'connect codex', 'forget codex']);
  });
}

test('an agent that is disconnected may not use the account any more, even if its configuration is read-only', async (t) => {
  const { parts, editor, done } = await openAgents(t, { connected: [connection], problem: 'readOnly' });
  const disconnecting = disconnectAgent(parts);
  (await editor.quickPicks.take()).pick('Codex');
  const question = await editor.messages.take();
  assert.match(question.text, /^modal warning: Disconnect Codex from wiki\?/);
  question.pick('Disconnect');
  await disconnecting;
  assert.match((await editor.messages.take()).text, /\/c is read-only, so Codex was not changed\./);
  assert.deepEqual(done, ['forget codex', 'disconnect codex']);
});

test('a server that cannot be removed from a configuration is named, with a button that opens the file', async (t) => {
  const { parts, editor, done } = await openAgents(t, { connected: [connection], problem: 'unreadable' });
  const disconnecting = disconnectAgent(parts);
  (await editor.quickPicks.take()).pick('Codex');
  (await editor.messages.take()).pick('Disconnect');
  await disconnecting;
  assert.equal(
    (await editor.messages.take()).text,
    'error: Codex may no longer use this account, but /c could not be changed. Remove the server notion-wiki from it yourself. [Try Again] [Open File] [Show Log]',
  );
  assert.deepEqual(done, ['forget codex', 'disconnect codex']);
});

for (const [kind, consequence] of [
  ['notion', 'Its own sign-in stays valid at Notion until you remove it in Notion’s settings.'],
  ['otherEditor', 'Codex then uses the sign-in of VS Code, and no longer that of another editor.'],
] as const) {
  test(`the question whether a server is replaced says what follows (${kind})`, async (t) => {
    const { begin, editor, done } = await openAgents(t, { replaceable: [{ name: 'notion', kind }] });
    const connecting = begin();
    (await editor.quickPicks.take()).pick('Codex');
    const question = await editor.quickPicks.take();
    assert.equal(question.text, 'Codex already has a server of Notion [Replace notion] [Keep notion]');
    assert.ok(question.parts.includes(consequence), question.parts.join('; '));
    question.pick(undefined);
    await connecting;
    assert.deepEqual(done, []);
  });
}

/** The first lines of an editor are covered by the question. */
const belowTheQuestion = (text: string) => `\n\n\n\n${text}`;

test('inside Cursor the preview shows what its API is given, and a restart is only asked of other agents', async (t) => {
  const { begin, editor, compared } = await openAgents(t, { isCursor: true });
  const connecting = begin();
  (await editor.quickPicks.take()).pick('Cursor');
  const preview = await editor.quickPicks.take();
  assert.equal(preview.parts[0], 'Connect Cursor to wiki?');
  assert.deepEqual(compared, [
    {
      title: 'Cursor: vscode.cursor.mcp.registerServer',
      path: 'server.json',
      before: belowTheQuestion(''),
      after: belowTheQuestion(`{
  "name": "notion-wiki",
  "server": {
    "command": "/l/notion-mcp-bridge",
    "args": [],
    "env": {}
  }
}
`),
    },
  ]);
  preview.pick('Connect');
  await connecting;
  assert.equal(
    (await editor.messages.take()).text,
    'information: Cursor can use Notion: 18 tools of wiki. [Manage Accounts]',
  );
});

test('what is registered with Cursor is said to be removed from Cursor, not from a file', async (t) => {
  const registered = { ...connection, agent: 'cursor', isRegistered: true } as const;
  const { parts, editor, done } = await openAgents(t, { connected: [registered] });
  const disconnecting = disconnectAgent(parts);
  (await editor.quickPicks.take()).pick('Cursor');
  const question = await editor.messages.take();
  assert.match(
    question.text,
    /The server notion-wiki is removed from Cursor, and Cursor can no longer use this account/,
  );
  question.pick('Disconnect');
  await disconnecting;
  assert.deepEqual(done, ['forget cursor', 'disconnect cursor']);
});

type Editor = Awaited<ReturnType<typeof openAgents>>['editor'];

/** Picks Codex, and agrees to what the preview shows. */
async function confirm(connecting: Promise<void>, editor: Editor): Promise<void> {
  (await editor.quickPicks.take()).pick('Codex');
  (await editor.quickPicks.take()).pick('Connect');
  await connecting;
}

/** A window with an account, and Codex on its computer. */
async function openAgents(
  t: TestContext,
  { launch, tools = 18, connected = [], replaceable = [], isCursor = false, isNoneFound = false, problem }: Scripted,
) {
  const done: string[] = [];
  const compared: object[] = [];
  const agent = isCursor ? 'cursor' : 'codex';
  const row = catalogue.find(({ id }) => id === agent) ?? assert.fail();
  const failing = (action: string, agent: string): void => {
    done.push(`${action} ${agent}`);
    if (problem !== undefined) {
      throw new ConfigurationProblem(problem);
    }
  };
  const connector: AgentConnector = {
    found: async () => (isNoneFound ? [] : [agent]),
    hasUnused: async () => true,
    register: async () => undefined,
    close: async () => undefined,
    pathOf: async () => '/c',
    inspect: async () => stateOf(row, { path: '/c', target: '/c', text: '', mode: 0o600 }, undefined, isCursor),
    replaceable: () => replaceable,
    plan: planConnection,
    configurationText: () => 'the configuration',
    connect: async ({ state }) => failing('connect', state.row.id),
    tryLauncher: async () => tools,
    refresh: async () => undefined,
    connected: async () => connected,
    disconnect: async ({ agent }) => failing('disconnect', agent),
  };
  const consent = {
    allow: async (_: string, agent: string) => void done.push(`allow ${agent}`),
    forget: async (_: string, agent: string) => void done.push(`forget ${agent}`),
  };
  const agents = {
    consent,
    connections: async () => connector,
    launch: async () => launch ?? { command: '/l/notion-mcp-bridge', args: [], env: {} },
  } as unknown as Agents;
  const documents = {
    compare: async (title: string, change: object) => void compared.push({ title, ...change }),
    closeComparisons: async () => undefined,
  };
  const { window, parts } = await openCommands(t, { agents, documents: documents as unknown as ReadOnlyDocuments });
  await window.signedIn('ada');
  return { window, parts, done, compared, editor: window.editor, begin: () => connectAgent(parts) };
}
