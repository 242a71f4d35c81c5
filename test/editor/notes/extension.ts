import { authentication, commands, type ExtensionContext, env, ProgressLocation, Uri, window, workspace } from 'vscode';
import { type CallOptions, connectNotion, NotionError } from './notionClient.ts';

const notion = connectNotion(() => authentication.getSession('notion-mcp', ['default'], { createIfNone: true }));
const documents = new Map<string, string>();
const provider = { provideTextDocumentContent: ({ path }: Uri) => documents.get(path) };

export function activate({ subscriptions }: ExtensionContext): void {
  subscriptions.push(
    workspace.registerTextDocumentContentProvider('notion-notes', provider),
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
    const path = `/${page.id}/${page.title}.md`;
    documents.set(path, page.markdown);
    await commands.executeCommand('markdown.showPreview', Uri.from({ scheme: 'notion-notes', path }));
  }
}

/** Creates a page with the text in the editor. */
async function createNote(): Promise<void> {
  const title = await window.showInputBox({ prompt: 'Title of the note' });
  if (title) {
    const markdown = window.activeTextEditor?.document.getText() ?? '';
    const page = await withProgress('Creating the note', (options) => notion.createPage({ title, markdown }, options));
    if (await window.showInformationMessage(`Created “${title}”.`, 'Open in Notion')) {
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
