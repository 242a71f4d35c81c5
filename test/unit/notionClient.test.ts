import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import type { ClientResponse, NotionClient } from '../../src/client/client.ts';
import type * as pages from '../../src/client/pages.ts';
import type { NotionErrorCode as OurCode } from '../../src/client/problem.ts';
import type * as copied from '../../src/notionClient.ts';
import { type Respond, result, startClient, token, toolError } from './client/clientUnderTest.ts';
import { openEditor } from './editor/vscode.ts';

const { connectNotion, NotionError } = await import('../../src/notionClient.ts');
const { registerApiCommands } = await import('../../src/editor/apiCommands.ts');

/** What crosses extension hosts is JSON. */
const crossed = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

/** The file that authors copy, whose commands reach the client as from another extension host. */
async function connect(t: TestContext, respond: Respond, getSession?: copied.GetSession) {
  const { client, ...parts } = await startClient(t, respond);
  const editor = openEditor();
  const acrossHosts = (run: (request: unknown) => unknown) => async (request: unknown) =>
    crossed(await run(crossed(request)));
  const overJson = {
    callTool: acrossHosts((request) => client.callTool(request)),
    listTools: acrossHosts((request) => client.listTools(request)),
    pages: acrossHosts((request) => client.pages(request)),
    cancel: acrossHosts((callId) => client.cancel(callId)),
  };
  registerApiCommands(async () => overJson as unknown as NotionClient);
  let sessions = 0;
  const notion = connectNotion(
    getSession ??
      (async () => {
        sessions += 1;
        return { accessToken: token };
      }),
  );
  return { notion, editor, client, ...parts, sessions: () => sessions };
}

const found = { id: 'a', title: 'Release checklist' };

/** Never called: it does not compile if the copied types differ from ours. */
export function haveSameTypes(
  ours: [pages.SearchResults, pages.Page, pages.WrittenPage, pages.Self, OurCode],
): [copied.SearchResults, copied.Page, copied.WrittenPage, copied.Self, copied.NotionErrorCode] {
  return ours;
}

/** Never called: options among the filters would be ignored, so they must not compile. */
export function takesOptionsLast(notion: ReturnType<typeof copied.connectNotion>, cancellation: AbortSignal) {
  void notion.search('release', {}, { cancellation });
  // @ts-expect-error The options are the last argument
  void notion.search('release', { cancellation });
  // @ts-expect-error So they are here
  void notion.callTool('notion-search', { timeoutMs: 1 });
}

/** Never called: of several changes or places, only one would be taken. */
export function takesOneOfSeveral(notion: ReturnType<typeof copied.connectNotion>) {
  void notion.updatePage('id', { replace: 'x' });
  // @ts-expect-error Two changes at once
  void notion.updatePage('id', { replace: 'x', properties: {} });
  // @ts-expect-error Two places
  void notion.createPage({ title: 'x', parent: { pageId: 'a', databaseId: 'b' } });
}

describe('the file for authors', () => {
  test('the session is requested anew for each call', async (t) => {
    const { notion, sessions } = await connect(t, () => result({ results: [found] }));
    const { results } = await notion.search('release', { page_size: 5 });
    assert.deepEqual(results, [{ ...found, raw: found }]);
    await notion.search('release');
    assert.equal(sessions(), 2);
  });

  test('an error is a NotionError with its code, its message and how long to wait', async (t) => {
    const limit = { code: 'rate_limited', message: '', retry_after_seconds: 90 };
    const { notion } = await connect(t, () => toolError(limit));
    const error = await notion.callTool('notion-fetch').catch((thrown: unknown) => thrown);
    assert.ok(error instanceof NotionError && error instanceof Error);
    const { name, code, message, retryAfterMs, link } = error;
    assert.deepEqual(
      { name, code, message, retryAfterMs, link },
      {
        ...{
          name: 'NotionError',
          code: 'rateLimited',
          message: 'rateLimited tool',
          retryAfterMs: 90_000,
          link: undefined,
        },
      },
    );
  });

  test('every code of ours is one of the file, which describes each', () => {
    const text = readFileSync(new URL('../../src/notionClient.ts', import.meta.url), 'utf8');
    const comment = /Why a call failed[\s\S]*?\*\//.exec(text)?.[0] ?? '';
    const codes = [
      ...(text
        .slice(text.indexOf('const codes'))
        .split('] as const;')[0]
        ?.matchAll(/'(\w+)'/g) ?? []),
    ];
    assert.equal(codes.length, 11);
    for (const [, code] of codes) {
      assert.ok(comment.includes(`\`${code}\``), code);
    }
  });

  for (const [kind, cancellation] of Object.entries<() => { options: copied.CallOptions; cancel: () => void }>({
    'an AbortSignal': () => {
      const controller = new AbortController();
      return { options: { cancellation: controller.signal }, cancel: () => controller.abort() };
    },
    'a CancellationToken': () => {
      const listeners = new Set<() => void>();
      const onCancellationRequested = (listener: () => void) => {
        listeners.add(listener);
        return { dispose: () => listeners.delete(listener) };
      };
      const cancelled = { isCancellationRequested: false, onCancellationRequested };
      return {
        options: { cancellation: cancelled as unknown as NonNullable<copied.CallOptions['cancellation']> },
        cancel: () => listeners.forEach((listener) => void listener()),
      };
    },
  })) {
    test(`${kind} cancels the call, and no later one`, async (t) => {
      const { options, cancel } = cancellation();
      const { notion, editor } = await connect(t, ({ count }) => {
        if (count === 0) {
          cancel();
          return undefined;
        }
        return result({});
      });
      await assert.rejects(notion.callTool('notion-fetch', {}, options), { code: 'cancelled' });
      cancel();
      assert.equal((await notion.callTool('notion-fetch')).text, '{}');
      const names = [];
      while (editor.executed.size > 0) {
        names.push((await editor.executed.take()).split(' ')[0]);
      }
      assert.deepEqual(names, ['notionMcp.api.callTool', 'notionMcp.api.cancel', 'notionMcp.api.callTool']);
    });
  }

  test('a call that is cancelled while the user signs in ends at once, and is never sent', async (t) => {
    const aborting = new AbortController();
    const cancelling = new Set<() => void>();
    const token = {
      isCancellationRequested: false,
      onCancellationRequested: (listener: () => void) => {
        cancelling.add(listener);
        return { dispose: () => cancelling.delete(listener) };
      },
    } as unknown as NonNullable<copied.CallOptions['cancellation']>;
    const getSession = () => {
      aborting.abort();
      setImmediate(() => cancelling.forEach((cancel) => void cancel()));
      return Promise.withResolvers<{ accessToken: string }>().promise;
    };
    const { notion, editor } = await connect(t, () => result({}), getSession);
    editor.commands.set('notionMcp.api.pages', () => assert.fail('was sent'));
    for (const cancellation of [token, aborting.signal]) {
      await assert.rejects(notion.createPage({ title: 'x' }, { cancellation }), { code: 'cancelled' });
    }
  });

  test('a call that is cancelled before it begins asks for no session', async (t) => {
    const { notion, sessions } = await connect(t, () => undefined);
    await assert.rejects(notion.self({ cancellation: AbortSignal.abort() }), { code: 'cancelled' });
    assert.equal(sessions(), 0);
  });

  const rejected = (error: unknown) => async () => {
    throw error;
  };
  for (const [what, getSession, code] of [
    ['no session', async () => undefined, 'needsSignIn'],
    [
      'the editor’s error after a refused consent',
      rejected(new Error('User did not consent to login.')),
      'accessDenied',
    ],
    ['a cancelled sign-in', rejected(Object.assign(new Error('Canceled'), { name: 'Canceled' })), 'cancelled'],
    [
      'a missing provider',
      rejected(new Error("Timed out waiting for authentication provider 'notion-mcp' to register.")),
      'notInstalled',
    ],
    ['an error whose name is a code', rejected(Object.assign(new Error('x'), { name: 'offline' })), 'offline'],
    ['another error', rejected(new Error('x')), 'needsSignIn'],
    ['a mistake in the function', rejected(new TypeError('x')), 'serverFault'],
    [
      'the editor’s error about options that exclude each other',
      rejected(new Error('Invalid combination of options. Please remove one of the following: silent, createIfNone')),
      'serverFault',
    ],
    [
      'the editor’s error about another provider',
      rejected(new Error("Timed out waiting for authentication provider 'notion' to register.")),
      'serverFault',
    ],
    ['a value that is no error', rejected('x'), 'needsSignIn'],
    [
      'an exception',
      (() => {
        throw new Error('x');
      }) as copied.GetSession,
      'needsSignIn',
    ],
  ] as const) {
    test(`${what} instead of a session has the code ${code}`, async (t) => {
      const { notion, received } = await connect(t, () => result({}), getSession);
      await assert.rejects(notion.self(), (error) => error instanceof NotionError && error.code === code);
      assert.deepEqual(received, []);
    });
  }

  test('a command that is not registered has the code notInstalled', async (t) => {
    const { notion, editor } = await connect(t, () => result({}));
    editor.commands.set('notionMcp.api.pages', () => {
      throw new Error("command 'notionMcp.api.pages' not found");
    });
    await assert.rejects(notion.self(), {
      ...{ name: 'NotionError', code: 'notInstalled' },
      message: 'Install or enable the extension “Notion MCP Authentication” to use Notion.',
    });
  });

  test('a command that fails otherwise has the code serverFault', async (t) => {
    const { notion, editor } = await connect(t, () => result({}));
    editor.commands.set('notionMcp.api.pages', () => {
      throw new Error('Unexpected');
    });
    await assert.rejects(notion.self(), { code: 'serverFault' });
  });

  test('what the commands respond survives the way through JSON', async (t) => {
    const { client } = await connect(t, () => toolError({ code: 'validation_error', message: 'x' }));
    const response: ClientResponse = await client.callTool({ accessToken: token, name: 'notion-fetch' });
    assert.deepEqual(crossed(response), response);
  });
});
