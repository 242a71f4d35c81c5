import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type NotionServer, startNotionServer } from './server.ts';
import { type Json, ToolClient } from './toolClient.ts';

const engine = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f01';
const tasks = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f10';

describe('the tools of the Notion-shaped server', () => {
  let notion: NotionServer;
  let client: ToolClient;

  before(async () => {
    notion = await startNotionServer({ version: 'today' });
    client = await ToolClient.signIn(notion);
  });
  after(() => notion.close());

  const errorCode = async (tool: string, args: Json = {}) => (await client.error(tool, args)).code;

  test('the errors of tools have Notion’s codes', async () => {
    assert.equal(await errorCode('notion-fetch', { id: engine.replace('f01', 'fff') }), 'object_not_found');
    assert.equal(await errorCode('notion-fetch'), 'validation_error');
    assert.equal(await errorCode('notion-create-pages', { pages: 'one' }), 'validation_error');
    const update = { page_id: engine, command: 'update_content', content_updates: [{ old_str: 'moth', new_str: '' }] };
    assert.equal(await errorCode('notion-update-page', update), 'validation_error');
    assert.equal(await errorCode('notion-get-users', { user_id: 'unknown' }), 'object_not_found');
  });

  test('notion-search finds pages by words of their titles and texts', async () => {
    const { results, type } = (await client.call('notion-search', { query: 'Bernoulli numbers' })) as {
      results: Json[];
      type: string;
    };
    assert.equal(type, 'workspace_search');
    assert.deepEqual(
      results.map(({ title }) => title),
      ['Analytical Engine', 'Print the table of Bernoulli numbers'],
    );
    assert.deepEqual(results[0], {
      id: engine,
      title: 'Analytical Engine',
      url: 'https://www.notion.so/1f0c6a527d3e4b8a9c110a5e2d7b4f01',
      type: 'page',
      highlight: '- **Store**: 1,000 numbers of 40 digits each.',
      timestamp: '2026-09-14T08:30:00.000Z',
    });
  });

  test('a search that finds nothing gives an empty list and says what there is', async () => {
    const { results, type, notices } = await client.call('notion-search', { query: 'quantum' });
    assert.deepEqual([results, type], [[], 'workspace_search']);
    assert.match(String(notices), /“quantum”.*“Analytical Engine”/);
  });

  test('notion-fetch gives a page by its id or URL, with its markdown and its place', async () => {
    const checklist = '1f0c6a527d3e4b8a9c110a5e2d7b4f02';
    const { text, ...page } = await client.call('notion-fetch', { id: checklist });
    assert.deepEqual(page, {
      metadata: { type: 'page' },
      title: 'Release checklist',
      url: `https://www.notion.so/${checklist}`,
      path: 'Analytical Engine',
      page_last_edited_at: '2026-09-30T16:00:00.000Z',
      cover: null,
      icon: { type: 'emoji', emoji: '🚀' },
    });
    assert.match(
      String(text),
      /<properties>\n\{"title":"Release checklist"\}\n<\/properties>\n<content>\nEvery release/,
    );
    assert.match(String(text), /<parent-page url="[^"]+" title="Analytical Engine"\/>/);
    const byUrl = await client.call('notion-fetch', {
      id: `https://www.notion.so/Release-checklist-${checklist}?pvs=4`,
    });
    assert.equal(byUrl.title, 'Release checklist');
  });

  test('notion-fetch gives a database with its schema, and its rows can be read', async () => {
    const { metadata, title, text } = await client.call('notion-fetch', { id: tasks });
    assert.deepEqual([metadata, title], [{ type: 'database' }, 'Tasks']);
    const url = /<data-source url="(collection:[^"]+)">/.exec(String(text))?.[1];
    assert.match(String(text), /"Status":\{"type":"status"\}/);
    const rows = await client.call('notion-query-data-sources', { mode: 'rows', data_source_url: url });
    assert.equal(rows.has_more, false);
    assert.deepEqual((rows.results as Json[])[0], { Name: 'Replace the worn gear', Status: 'Done', Priority: 'High' });
    const row = (await client.call('notion-search', { query: 'replace' })) as { results: { id: string }[] };
    assert.equal((await client.call('notion-fetch', { id: row.results[0]?.id })).path, 'Analytical Engine / Tasks');
  });

  test('notion-get-comments gives the comments of a page, or an object without text', async () => {
    const { text } = await client.call('notion-get-comments', { page_id: engine });
    assert.match(String(text), /^<discussions total-count="1".*user-url="user:\/\/user-grace".*Does the store/s);
    const none = await client.call('notion-get-comments', { page_id: '1f0c6a527d3e4b8a9c110a5e2d7b4f02' });
    assert.deepEqual(none, { suggested_edits_status: 'not_enabled' });
  });

  test('notion-get-users lists the users, and gives the connected one for self', async () => {
    const ada = { type: 'person', id: 'user-ada', name: 'Ada Lovelace', email: 'ada@example.com' };
    const grace = { type: 'person', id: 'user-grace', name: 'Grace Hopper', email: 'grace@example.com' };
    assert.deepEqual(await client.call('notion-get-users'), { results: [ada, grace], has_more: false });
    assert.deepEqual(await client.call('notion-get-users', { user_id: 'self' }), { results: [ada], has_more: false });
    assert.deepEqual(await client.call('notion-get-users', { query: 'hopper' }), { results: [grace], has_more: false });
  });

  test('pages that were created can be found, read and changed', async () => {
    const created = (await client.call('notion-create-pages', {
      parent: { page_id: engine },
      pages: [{ properties: { title: 'Difference Engine' }, content: 'It tabulates polynomials.', icon: '🧮' }],
    })) as { pages: { id: string; properties: Json }[] };
    const [page] = created.pages;
    assert.deepEqual(page?.properties, { title: 'Difference Engine' });
    const { results } = (await client.call('notion-search', { query: 'polynomials' })) as { results: Json[] };
    assert.deepEqual(
      results.map(({ id }) => id),
      [page?.id],
    );
    const update = { page_id: page?.id, command: 'update_content' };
    const updates = [{ old_str: 'polynomials', new_str: 'polynomials of degree 7' }];
    assert.deepEqual(await client.call('notion-update-page', { ...update, content_updates: updates }), {
      page_id: page?.id,
    });
    await client.call('notion-update-page', {
      ...update,
      command: 'update_properties',
      properties: { title: 'Engine No. 2' },
    });
    const fetched = await client.call('notion-fetch', { id: page?.id });
    assert.deepEqual([fetched.title, fetched.path], ['Engine No. 2', 'Analytical Engine']);
    assert.match(String(fetched.text), /It tabulates polynomials of degree 7\./);
    await client.call('notion-update-page', { ...update, command: 'replace_content', new_str: '' });
    assert.match(String((await client.call('notion-fetch', { id: page?.id })).text), /<blank-page>/);
  });

  test('an asynchronous call gives a task whose result can be polled', async () => {
    const {
      id,
      created_time: createdTime,
      status_url: statusUrl,
      ...task
    } = await client.call('notion-create-pages', {
      pages: [{ properties: { title: 'Migration plan' } }],
      allow_async: true,
    });
    assert.deepEqual(task, {
      object: 'async_task',
      status: 'queued',
      poll_after_seconds: 2,
      operation: { surface: 'mcp', name: 'create_pages' },
    });
    assert.ok(!Number.isNaN(Date.parse(String(createdTime))) && String(statusUrl).endsWith(String(id)));
    const done = await client.call('notion-get-async-task', { task_id: id });
    assert.equal(done.status, 'succeeded');
    assert.equal((done.result as { pages: { properties: Json }[] }).pages[0]?.properties.title, 'Migration plan');
  });

  test('an update can become a task without being asked to, and a task can be running for some polls', async () => {
    notion.profile.runningPolls = 2;
    const update = { page_id: engine, command: 'update_properties', properties: { title: 'Analytical Engine' } };
    const { object, id } = await client.call('notion-update-page', update);
    assert.equal(object, 'async_task');
    const poll = () => client.call('notion-get-async-task', { task_id: id });
    const running = { object: 'async_task', id, status: 'running', poll_after_seconds: 2 };
    assert.deepEqual([await poll(), await poll()], [running, running]);
    assert.deepEqual((await poll()).result, { page_id: engine });
    notion.profile.runningPolls = 0;
  });
});
