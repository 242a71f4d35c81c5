import { Uri, window, workspace } from 'vscode';

const scheme = 'notion-mcp-report';

/** Texts of ours that the person may read: they need not be saved, and nobody is asked to when they are closed. */
export class ReadOnlyDocuments {
  readonly #texts = new Map<string, string>();
  readonly #registration = workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: ({ query }) => this.#texts.get(query) ?? '',
  });
  #count = 0;

  /** Shows `text` in an editor titled `name`. */
  async show(name: string, text: string): Promise<void> {
    const query = String(++this.#count);
    this.#texts.set(query, text);
    await window.showTextDocument(Uri.from({ scheme, path: name, query }), { preview: true });
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
