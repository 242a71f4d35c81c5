import type { Page } from '../directory.ts';
import { type Tool, text, urlOf } from './tool.ts';

const maxResults = 10;
const highlightLength = 200;

/**
 * Finds pages by the words of their title and text. Documented: `type`, and `notices` for what the search left out
 * (guides/mcp/mcp-supported-tools). The members of a result are reported. That a notice explains an empty result is
 * assumed: at Notion, an empty list may be all.
 */
export const search: Tool = {
  name: 'notion-search',
  description: 'Searches the pages of this workspace by words of their titles and texts.',
  inputSchema: {
    type: 'object',
    properties: { query: { type: 'string', description: 'Words to look for' } },
    required: ['query'],
  },
  call: (args, { workspace }) => {
    const query = text(args, 'query');
    const words = query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
    const results = workspace.pages
      .map((page) => ({ page, hits: words.filter((word) => wordsOf(page).includes(word)).length }))
      .filter(({ hits }) => hits > 0)
      .sort((a, b) => b.hits - a.hits)
      .slice(0, maxResults)
      .map(({ page }) => resultFor(page, words));
    const titles = workspace.pages.map(({ title }) => `“${title}”`);
    return {
      results,
      type: 'workspace_search',
      ...(results.length === 0 && {
        notices: [
          `No page of this workspace contains “${query}”. It has pages such as ${titles.slice(0, 3).join(', ')}.`,
        ],
      }),
    };
  },
};

function wordsOf({ title, text: pageText }: Page): string {
  return `${title}\n${pageText}`.toLowerCase();
}

function resultFor({ id, title, text: pageText, lastEditedAt }: Page, words: readonly string[]): object {
  const line = pageText.split('\n').find((each) => words.some((word) => each.toLowerCase().includes(word)));
  return {
    id,
    title,
    url: urlOf(id),
    type: 'page',
    highlight: (line ?? title).trim().slice(0, highlightLength),
    timestamp: lastEditedAt,
  };
}
