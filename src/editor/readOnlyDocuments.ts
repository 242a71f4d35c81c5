import { Uri, window, workspace } from 'vscode';
import type { DisplayText } from '../core/displayText.ts';

const scheme = 'notion-mcp-report';

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

  dispose(): void {
    this.#registration.dispose();
  }
}
