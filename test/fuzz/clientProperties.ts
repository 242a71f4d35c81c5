import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createdPageIn, idIn, pageIn, searchResultsIn, selfIn, updatedPageIn } from '../../src/client/pages.ts';
import { ClientFailure } from '../../src/client/problem.ts';
import { anyText, anyValue } from './inputs.ts';
import { type Property, property } from './property.ts';

const id = '1f0c6a52-7d3e-4b8a-9c11-0a5e2d7b4f01';
const url = `https://www.notion.so/${id.replaceAll('-', '')}`;

/** Usually a value of `arbitrary`, else any value. */
const mostly = (arbitrary: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 7, arbitrary }, { weight: 1, arbitrary: anyValue });
const reference = fc.oneof(anyText, fc.constantFrom(id, url, `${url}?v=1`, '', 'self'));
const list = (arbitrary: fc.Arbitrary<unknown>) => mostly(fc.array(mostly(arbitrary), { maxLength: 3 }));
const frame = fc
  .array(fc.oneof(anyText, fc.constantFrom('<content>', '</content>', '<blank-page>', '\n', '<page url="x">')), {
    maxLength: 8,
  })
  .map((parts) => parts.join('\n'));
const found = fc.record(
  {
    id: mostly(reference),
    title: anyValue,
    url: mostly(reference),
    type: anyValue,
    highlight: anyValue,
    timestamp: anyValue,
  },
  { requiredKeys: [] },
);
const named = mostly(fc.record({ id: mostly(reference), name: anyValue, email: anyValue }, { requiredKeys: ['id'] }));
/** The object of a tool's result, which has members of all tools. */
const content = fc.option(
  fc.record(
    {
      metadata: mostly(fc.record({ type: mostly(fc.constantFrom('page', 'database', 'block', 'self')) })),
      url: mostly(reference),
      title: anyValue,
      text: mostly(frame),
      page_last_edited_at: anyValue,
      truncated: anyValue,
      unknown_block_ids: list(anyText),
      results: list(found),
      notices: list(anyText),
      pages: list(found),
      page_id: mostly(reference),
      self: mostly(fc.record({ user: named, workspace: named })),
    },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

/** Returns what `read` finds, or undefined if the result does not fit, which must be told by a name of ours. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof ClientFailure, String(error));
    const { problem } = error;
    assert.ok(problem.kind === 'notAPage' || problem.kind === 'unexpectedResult');
    assert.match(problem.kind === 'unexpectedResult' ? problem.missing : '', /^[a-z_0-9.[\]]*$/);
    return undefined;
  }
}

/** Each of these members is a string wherever it is; the optional ones may be missing. */
function assertTexts(value: object, required: string[], optional: string[] = []): void {
  const members = new Map<string, unknown>(Object.entries(value));
  for (const name of [...required, ...optional.filter((each) => members.has(each))]) {
    assert.equal(typeof members.get(name), 'string', name);
  }
}

/** The properties of what reads the results of Notion's tools for other extensions. */
export const clientProperties: Property[] = [
  property(
    'the typed results of tools have what their types promise, or are an error that names what is missing',
    [content, reference],
    (result, asked) => {
      const search = attempt(() => searchResultsIn(result));
      for (const each of search?.results ?? []) {
        assertTexts(each, ['id', 'title'], ['url', 'type', 'highlight', 'timestamp']);
        assert.notEqual(each.id, '');
      }
      assert.ok((search?.notices ?? []).every((notice) => typeof notice === 'string'));
      const page = attempt(() => pageIn(result, asked));
      if (page !== undefined) {
        assertTexts(page, ['id', 'url', 'title', 'markdown'], ['lastEdited']);
        assert.equal(idIn(page.id), page.id);
        assert.equal(typeof page.truncated, 'boolean');
        assert.ok(page.unknownBlockIds.every((each) => typeof each === 'string'));
      }
      for (const written of [attempt(() => createdPageIn(result)), updatedPageIn(result, asked || id)]) {
        if (written !== undefined) {
          assertTexts(written, ['id', 'url']);
        }
      }
      const self = attempt(() => selfIn(result));
      if (self !== undefined) {
        assertTexts(self.user, ['id', 'name'], ['email']);
        assertTexts(self.workspace, ['id', 'name']);
      }
    },
  ),
  property('the markdown of a page is part of what Notion sent', [frame], (text) => {
    const { markdown } = pageIn({ url, text }, id);
    assert.ok(text.includes(markdown));
  }),
  property('an id is found however it is written, and nowhere else', [reference], (text) => {
    const found = idIn(text);
    assert.ok(found === undefined || text.replaceAll('-', '').toLowerCase().includes(found.replaceAll('-', '')));
    assert.equal(found === undefined ? undefined : idIn(found), found);
  }),
];
