import { isSame, type Tool, ToolError, text, urlOf } from './tool.ts';

/** Reported: the list and its members, and that the special id `self` gives the user alone, without a workspace. */
export const getUsers: Tool = {
  name: 'notion-get-users',
  description: 'Lists the users of this workspace, or reads one of them by id. The id “self” is the connected user.',
  inputSchema: { type: 'object', properties: { query: { type: 'string' }, user_id: { type: 'string' } } },
  call: ({ user_id: id, query }, { user, directory }) => {
    const wanted = id === 'self' ? user.id : id;
    const words = typeof query === 'string' ? query.toLowerCase() : '';
    const found = directory.users.filter(
      (each) =>
        (wanted === undefined || each.id === wanted) && `${each.name} ${each.email}`.toLowerCase().includes(words),
    );
    if (wanted !== undefined && found.length === 0) {
      throw new ToolError('object_not_found', `Could not find user with ID: ${wanted}.`);
    }
    return { results: found.map((each) => ({ type: 'person', ...each })), has_more: false };
  },
};

/** Reported: the comments as tags in `text`, and an object without `text` for a page that has none. */
export const getComments: Tool = {
  name: 'notion-get-comments',
  description: 'Reads the comments on a page.',
  inputSchema: { type: 'object', properties: { page_id: { type: 'string' } }, required: ['page_id'] },
  call: (args, { workspace }) => {
    const id = text(args, 'page_id');
    const page = workspace.pages.find((each) => isSame(each.id, id));
    if (page === undefined) {
      throw new ToolError('object_not_found', `Could not find page with ID: ${id}.`);
    }
    const { comments } = page;
    if (comments.length === 0) {
      return { suggested_edits_status: 'not_enabled' };
    }
    const tags = comments.map(
      ({ id: comment, user, createdAt, text: words }) =>
        `<comment id="${comment}" url="${urlOf(page.id)}?d=${comment}" user-url="user://${user}" datetime="${createdAt}">${words}</comment>`,
    );
    return {
      text: [
        '<discussions total-count="1" shown-count="1">',
        `<discussion id="discussion://${page.id}" comment-count="${tags.length}" resolved="false" type="comment" context="page">`,
        ...tags,
        '</discussion>',
        '</discussions>',
      ].join('\n'),
    };
  },
};
