import { commands, TabInputTextDiff, Uri, window, workspace } from 'vscode';
import type { DisplayText } from '../core/displayText.ts';

const scheme = 'notion-mcp-report';

/** A text before and after a change. */
export interface TextChange {
  /** Of the file that has it. */
  path: string;
  before: string;
  after: string;
}

/** Texts of this extension for the user to read. The editor does not prompt to save them when they are closed. */
export class ReadOnlyDocuments {
  readonly #texts = new Map<string, string>();
  readonly #registration = workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: ({ query }) => this.#texts.get(query) ?? '',
  });
  #count = 0;

  /** Shows a plain text in an editor titled `name`. */
  async show(name: DisplayText, lines: readonly DisplayText[]): Promise<void> {
    const query = String(++this.#count);
    this.#texts.set(query, `${lines.join('\n')}\n`);
    await window.showTextDocument(Uri.from({ scheme, path: name, query }), { preview: true });
  }

  /**
   * Shows a change beside the text before it. Both are what a file of the user's says, and are shown as it says them: an
   * editor renders no text.
   */
  async compare(title: DisplayText, { path, before, after }: TextChange): Promise<void> {
    const [left, right] = [before, after].map((text) => {
      const query = String(++this.#count);
      this.#texts.set(query, text);
      // The path's ending is what the editor colours a text by.
      return Uri.from({ scheme, path: `/${path.replace(/^.*[\\/]/, '')}`, query });
    });
    await commands.executeCommand('vscode.diff', left, right, title, { preview: false, preserveFocus: true });
  }

  /** Closes the comparisons. */
  async closeComparisons(): Promise<void> {
    const tabs = window.tabGroups.all.flatMap((group) => group.tabs);
    const ours = tabs.filter(({ input }) => input instanceof TabInputTextDiff && input.modified.scheme === scheme);
    await window.tabGroups.close(ours);
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
