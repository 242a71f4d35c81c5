import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createdPageIn, idIn, pageIn, searchResultsIn, selfIn, updatedPageIn } from '../../../src/client/pages.ts';

const id = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f01';
const compact = id.replaceAll('-', '');
const url = `https://app.notion.com/p/${compact}`;
const framed = (body: string) =>
  `Here is the result of "view" for the Page with URL ${url} as of 2026-09-14T08:30:00.000Z:\n<page url="${url}">\n<properties>\n{"title":"<content>"}\n</properties>\n${body}\n</page>`;
const page = {
  metadata: { type: 'page' },
  title: 'Engine',
  url,
  text: framed('<content>\n# What\nIt is.\n</content>'),
};

const missing = (name: string) => ({ problem: { kind: 'unexpectedResult', missing: name }, code: 'serverFault' });

describe('the results of tools', () => {
  test('an id is found in an id and in the URLs of Notion, with dashes', () => {
    for (const reference of [
      id,
      compact,
      url,
      `${url}?pvs=204`,
      `https://www.notion.so/Engine-${compact}#x`,
      `${url}/`,
    ]) {
      assert.equal(idIn(reference), id, reference);
    }
    assert.equal(idIn(compact.toUpperCase()), id);
    for (const reference of ['', 'self', compact.slice(1), `https://example.com/?p=${compact}`]) {
      assert.equal(idIn(reference), undefined, reference);
    }
  });

  test('a page has the markdown between the tags, also if the page itself contains them', () => {
    assert.deepEqual(pageIn(page, id), {
      ...{ id, url, title: 'Engine', markdown: '# What\nIt is.' },
      ...{ truncated: false, unknownBlockIds: [], raw: page },
    });
    const tags = 'a\n</content>\n<content>\nb';
    assert.equal(pageIn({ ...page, text: framed(`<content>\n${tags}\n</content>`) }, id).markdown, tags);
  });

  test('a page may be blank, cut off, or have no frame', () => {
    const markdown = (text: string) => pageIn({ ...page, text }, id).markdown;
    assert.equal(markdown(framed('<blank-page>This page is blank and has no content.</blank-page>')), '');
    assert.equal(markdown(framed('<content>\nabc')), 'abc\n</page>');
    assert.equal(markdown('# Only markdown'), '# Only markdown');
    assert.equal(markdown(''), '');
  });

  test('a page says when it was edited and what is missing of it', () => {
    const content = { ...page, page_last_edited_at: '2026-09-14', truncated: true, unknown_block_ids: ['a', 7, 'b'] };
    const { lastEdited, truncated, unknownBlockIds } = pageIn(content, id);
    assert.deepEqual(
      { lastEdited, truncated, unknownBlockIds },
      { lastEdited: '2026-09-14', truncated: true, unknownBlockIds: ['a', 'b'] },
    );
  });

  test('a result that lacks what the type promises is an error that names it', () => {
    assert.throws(() => pageIn(undefined, id), missing('text'));
    assert.throws(() => pageIn({ ...page, text: 7 }, id), missing('text'));
    assert.throws(() => pageIn({ ...page, url: undefined }, id), missing('url'));
    assert.throws(() => pageIn({ ...page, url: 'x' }, 'y'), missing('id'));
    assert.throws(() => searchResultsIn({}), missing('results'));
    assert.throws(() => searchResultsIn({ results: [7] }), missing('results[0]'));
    assert.throws(() => searchResultsIn({ results: [{ id }, {}] }), missing('results[1].id'));
    assert.throws(() => createdPageIn({ pages: [] }), missing('pages[0]'));
    assert.throws(() => createdPageIn({ pages: [{}] }), missing('pages[0].id'));
    assert.throws(() => selfIn({ self: { user: { id: 'a' } } }), missing('self'));
  });

  test('a database is not a page', () => {
    assert.throws(() => pageIn({ ...page, metadata: { type: 'database' } }, id), {
      problem: { kind: 'notAPage' },
      code: 'validation',
    });
  });

  test('a search result has what Notion sent of it, and a find in a connected app its URL as id', () => {
    const found = {
      id: compact,
      title: 'Engine',
      url,
      type: 'page',
      highlight: 'mill',
      timestamp: 'today',
      path: 'A / B',
    };
    const message = { url: 'https://slack.example/1', type: 'slack' };
    assert.deepEqual(searchResultsIn({ results: [found, message], notices: ['n', 7] }), {
      results: [
        { id: compact, title: 'Engine', url, type: 'page', highlight: 'mill', timestamp: 'today', raw: found },
        { id: message.url, title: '', url: message.url, type: 'slack', raw: message },
      ],
      notices: ['n'],
      raw: { results: [found, message], notices: ['n', 7] },
    });
  });

  test('a written page has an id and a URL, also where Notion tells only one of them', () => {
    const created = { url };
    assert.deepEqual(createdPageIn({ pages: [created] }), { id, url, raw: created });
    const updated = { page_id: id };
    assert.deepEqual(updatedPageIn(updated, 'x'), { id, url: `https://www.notion.so/${compact}`, raw: updated });
    assert.equal(updatedPageIn(undefined, url).id, id);
  });
});
