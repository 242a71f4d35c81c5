import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { codeIn, type Respond, result, startClient, toolError } from './clientUnderTest.ts';

const id = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f01';
const url = `https://www.notion.so/${id.replaceAll('-', '')}`;
const update = { id, change: { replace: '# New' } };

const task = (more: object) => result({ object: 'async_task', id: 'task-1', ...more });

/** An update that becomes a task. The polls get these responses, and the last of them again and again. */
const background =
  (...polls: ReturnType<Respond>[]): Respond =>
  ({ tool, count }) =>
    tool === 'notion-update-page'
      ? task({ status: 'queued', poll_after_seconds: 3 })
      : polls[Math.min(count, polls.length - 1)];

describe('the operations on pages', () => {
  test('the tools of pages get the arguments that Notion documents', async (t) => {
    const { page, received } = await startClient(t, () => result({ pages: [{ id, url }], page_id: id }));
    await page('createPage', { title: 'T', markdown: 'M', parent: { pageId: url } });
    await page('createPage', { title: 'T', properties: { Status: 'Done' }, parent: { dataSourceId: 'd' } });
    await page('updatePage', { id: url, change: { properties: { Status: 'Done' } } });
    await page('updatePage', { id, change: { replace: '' } });
    await page('updatePage', {
      id,
      change: {
        edits: [
          { find: 'a', replaceWith: 'b', all: true },
          { find: 'c', replaceWith: '' },
        ],
      },
    });
    assert.deepEqual(
      received.map(({ tool, args }) => [tool, args]),
      [
        ['notion-create-pages', { pages: [{ properties: { title: 'T' }, content: 'M' }], parent: { page_id: id } }],
        [
          'notion-create-pages',
          { pages: [{ properties: { Status: 'Done', title: 'T' }, content: '' }], parent: { data_source_id: 'd' } },
        ],
        ['notion-update-page', { page_id: id, command: 'update_properties', properties: { Status: 'Done' } }],
        ['notion-update-page', { page_id: id, command: 'replace_content', new_str: '' }],
        [
          'notion-update-page',
          {
            page_id: id,
            command: 'update_content',
            content_updates: [
              { old_str: 'a', new_str: 'b', replace_all_matches: true },
              { old_str: 'c', new_str: '' },
            ],
          },
        ],
      ],
    );
  });

  test('a search passes on further arguments, but not another query', async (t) => {
    const { page, received } = await startClient(t, () => result({ results: [] }));
    await page('search', { query: 'engine', options: { page_size: 5, query: 'x' } });
    assert.deepEqual(received[0]?.args, { page_size: 5, query: 'engine' });
  });

  for (const [operation, args, content] of [
    ['search', { query: 'x' }, { results: [] }],
    ['self', {}, { self: { user: { id: 'u' }, workspace: { id: 'w' } } }],
  ] as const) {
    test(`the operation ${operation} finds its tool also where Notion lists it without its prefix`, async (t) => {
      const { page } = await startClient(t, ({ tool }) =>
        tool.startsWith('notion-') ? result(`Tool ${tool} not found`, { isError: true }) : result(content),
      );
      assert.equal(codeIn(await page(operation, args)), 'ok');
    });
  }

  test('a task in the background is followed at the pace that Notion asks for, whatever its states are called', async (t) => {
    const respond = background(
      task({ status: 'running', poll_after_seconds: 5 }),
      task({ status: 'something new' }),
      task({ status: 'succeeded', result: { page_id: id, url } }),
    );
    const { page, clock } = await startClient(t, respond);
    assert.deepEqual(await page('updatePage', update), { ok: { id, url, raw: { page_id: id, url } } });
    assert.deepEqual(clock.pauses, [3_000, 5_000, 5_000]);
  });

  test('a task that failed is told by the code of its error', async (t) => {
    const error = { code: 'validation_error', message: 'old_str matches 0 times' };
    const { page, problems } = await startClient(t, background(task({ status: 'failed', error })));
    assert.equal(codeIn(await page('updatePage', update)), 'validation');
    assert.deepEqual(problems, [{ kind: 'tool', code: 'validation_error', reason: 'old_str matches 0 times' }]);
  });

  for (const [what, response] of Object.entries<ReturnType<Respond>>({
    'cannot be found': toolError({ code: 'object_not_found', message: 'x' }),
    'cannot be reached': { status: 502 },
    'never ends': task({ status: 'running' }),
    'is no object': result('?'),
  })) {
    test(`the outcome of a task that ${what} is unknown`, async (t) => {
      const { page, received } = await startClient(t, background(response));
      assert.equal(codeIn(await page('updatePage', update)), 'outcomeUnknown');
      assert.equal(received.filter(({ tool }) => tool === 'notion-update-page').length, 1);
    });
  }

  test('a created page whose result cannot be read may have been created', async (t) => {
    const { page } = await startClient(t, () => result({ pages: 'none' }));
    assert.equal(codeIn(await page('createPage', { title: 'T' })), 'outcomeUnknown');
  });

  test('a page that cannot be read is a fault', async (t) => {
    const { page } = await startClient(t, () => result({ title: 'T' }));
    assert.equal(codeIn(await page('fetchPage', { id })), 'serverFault');
  });
});
