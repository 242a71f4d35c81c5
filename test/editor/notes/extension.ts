import { authentication, commands, type ExtensionContext, env, ProgressLocation, Uri, window, workspace } from 'vscode';
import { type CallOptions, connectNotion, NotionError } from './notionClient.ts';

const notion = connectNotion(() => authentication.getSession('notion-mcp', ['default'], { createIfNone: true }));

export function activate({ subscriptions }: ExtensionContext): void {
  subscriptions.push(
    commands.registerCommand('notionNotes.openPage', () => reportErrors(openPage)),
    commands.registerCommand('notionNotes.createNote', () => reportErrors(createNote)),
  );
}

/** Search box → pick → the page as a Markdown preview. */
async function openPage(): Promise<void> {
  const query = await window.showInputBox({ prompt: 'Search Notion' });
  if (!query) {
    return;
  }
  const { results, notices } = await withProgress('Searching Notion', (options) => notion.search(query, {}, options));
  const items = results.map(({ id, title, highlight = '' }) => ({ label: title, detail: highlight, id }));
  const picked = await window.showQuickPick(items, { placeHolder: notices[0] ?? 'Open a page' });
  if (picked) {
    const page = await withProgress('Opening the page', (options) => notion.fetchPage(picked.id, options));
    const content = `# ${page.title}\n\n${page.markdown}`;
    const { uri } = await workspace.openTextDocument({ language: 'markdown', content });
    await commands.executeCommand('markdown.showPreview', uri);
  }
}

/** Creates a page with the selected text, or with all of the text in the editor. */
async function createNote(): Promise<void> {
  const title = await window.showInputBox({ prompt: 'Title of the note' });
  if (title) {
    const { document, selection } = window.activeTextEditor ?? {};
    const markdown = document?.getText(selection?.isEmpty ? undefined : selection) ?? '';
    const page = await withProgress('Creating the note', (options) => notion.createPage({ title, markdown }, options));
    const button = await window.showInformationMessage(`Created “${title}”.`, 'Open in Notion');
    if (button) {
      await env.openExternal(Uri.parse(page.url));
    }
  }
}

function withProgress<T>(title: string, task: (options: CallOptions) => Promise<T>): Thenable<T> {
  const options = { title, location: ProgressLocation.Notification, cancellable: true };
  return window.withProgress(options, (_progress, cancellation) => task({ cancellation }));
}

async function reportErrors(action: () => Promise<void>): Promise<void> {
  await action().catch((error: unknown) => {
    if (!(error instanceof NotionError)) {
      throw error;
    }
    if (error.code !== 'cancelled') {
      void window.showErrorMessage(`${error.message} (${error.code})`);
    }
  });
}
