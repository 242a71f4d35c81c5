import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeIn, result, startClient, token } from './clientUnderTest.ts';

const done = result({ ok: true });
const read = 'notion-fetch';
const write = 'notion-create-pages';

describe('a request of another extension', () => {
  test('a token that is not an account’s is refused without a request, whatever it is', async (t) => {
    const { client, received } = await startClient(t, () => done);
    const refused = { error: { code: 'needsSignIn', message: 'needsSignIn unknownToken' } };
    for (const accessToken of ['guess', '', undefined, null, 7, {}, [token]]) {
      assert.deepEqual(await client.callTool({ accessToken, name: read }), refused);
      assert.deepEqual(await client.listTools({ accessToken }), refused);
      assert.deepEqual(await client.pages({ accessToken, operation: 'self' }), refused);
    }
    assert.deepEqual(received, []);
  });

  test('a request that is none, or that has arguments of the wrong type, is told so and sent nowhere', async (t) => {
    const { client, received, call, page } = await startClient(t, () => done);
    const responses = [
      ...[undefined, null, 'x', []].map((request) => client.callTool(request)),
      client.callTool({ accessToken: token }),
      client.callTool({ accessToken: token, name: read, arguments: 'x' }),
      call(''),
      page('toString', {}),
      page('search', {}),
      page('search', { query: 7 }),
      page('search', { query: 'x', options: [] }),
      page('fetchPage', { id: '' }),
      page('createPage', { markdown: 'x' }),
      page('createPage', { title: 'x', markdown: 7 }),
      page('createPage', { title: 'x', parent: {} }),
      page('createPage', { title: 'x', parent: { pageId: 7 } }),
      page('updatePage', { id: 'x' }),
      page('updatePage', { id: 'x', change: {} }),
      page('updatePage', { id: 'x', change: { edits: [] } }),
      page('updatePage', { id: 'x', change: { edits: [{ find: '', replaceWith: 'x' }] } }),
    ];
    for (const response of await Promise.all(responses)) {
      assert.equal(codeIn(response), 'validation', JSON.stringify(response));
    }
    assert.deepEqual(received, []);
  });

  for (const [tool, code] of [
    [read, 'cancelled'],
    [write, 'cancelled'],
  ] as const) {
    test(`a call of ${tool} that is cancelled ends at once`, async (t) => {
      const { client, call } = await startClient(t, () => {
        client.cancel('mine');
        return undefined;
      });
      assert.equal(codeIn(await call(tool, {}, { callId: 'mine' })), code);
    });
  }

  test('a call that is cancelled while it waits for a limit is not sent again', async (t) => {
    const { client, call, clock, received } = await startClient(t, () => ({
      status: 429,
      headers: { 'retry-after': '12' },
    }));
    clock.onPause = () => client.cancel('mine');
    assert.equal(codeIn(await call(write, {}, { callId: 'mine' })), 'cancelled');
    assert.equal(received.length, 1);
  });

  test('only the call with this id is cancelled, and one that has ended no more', async (t) => {
    const { client, call } = await startClient(t, () => {
      client.cancel('another');
      return done;
    });
    const responses = [call(read, {}, { callId: 'mine' }), call(read)];
    assert.deepEqual((await Promise.all(responses)).map(codeIn), ['ok', 'ok']);
    client.cancel('mine');
    assert.equal(codeIn(await call(read, {}, { callId: 'mine' })), 'ok');
  });

  for (const [tool, code] of [
    [read, 'offline'],
    [write, 'outcomeUnknown'],
  ] as const) {
    test(`a call of ${tool} without a response ends when the caller’s time is over, as ${code}`, async (t) => {
      const { call, clock } = await startClient(t, () => {
        clock.advance(20_000);
        return undefined;
      });
      assert.equal(codeIn(await call(tool, {}, { timeoutMs: 20_000 })), code);
    });
  }

  test('a call whose token cannot be renewed in the caller’s time has sent nothing, now or later', async (t) => {
    const { call, clock, accounts, received } = await startClient(t, () => done);
    const { fresh } = accounts;
    const renewal = Promise.withResolvers<void>();
    accounts.fresh = async (...request) => {
      clock.advance(20_000);
      await renewal.promise;
      return fresh(...request);
    };
    assert.equal(codeIn(await call(write, {}, { timeoutMs: 20_000 })), 'offline');
    renewal.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(received, []);
  });

  test('an unexpected error is a fault without its text, and is logged', async (t) => {
    const { call, accounts, lines } = await startClient(t, () => done);
    accounts.fresh = async () => {
      throw new TypeError('secret text');
    };
    assert.deepEqual(await call(read), { error: { code: 'serverFault', message: 'serverFault call' } });
    assert.ok(lines.some((line) => line.includes('name=TypeError')));
    assert.ok(!lines.join().includes('secret text'));
  });

  test('the log names neither the token nor anything that the other extension or Notion sent', async (t) => {
    const { call, lines } = await startClient(t, () => result({ title: 'Private title' }));
    await call('notion-private-tool', { query: 'Private query' });
    assert.ok(lines.some((line) => line.includes('A request of another extension succeeded.')));
    assert.doesNotMatch(lines.join('\n'), /private|ada:grant/i);
  });

  test('what Notion says in an error is text that can be shown, without the token that it quotes', async (t) => {
    const { call, problems } = await startClient(t, ({ token: sent }) =>
      result({ code: 'validation_error', message: `The $(bug) of ${sent}` }, { isError: true }),
    );
    assert.equal(codeIn(await call(read)), 'validation');
    assert.deepEqual(problems, [{ kind: 'tool', code: 'validation_error', reason: 'The (bug) of [secret]' }]);
  });
});
