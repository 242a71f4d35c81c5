import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { directoryVariable } from '../../editor/consumer/protocol.ts';
import { type NotionServer, startNotionServer } from '../../notion/server.ts';
import { Consumer } from '../consumer.ts';
import { Editor } from '../driver/editor.ts';
import type { EditorWindow } from '../driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from '../driver/vsix.ts';

/** Themes of the editor, with the matching media features for web pages. */
export const themes = {
  light: { id: 'Light Modern', className: 'vs', media: { colorScheme: 'light', contrast: 'no-preference' } },
  dark: { id: 'Dark Modern', className: 'vs-dark', media: { colorScheme: 'dark', contrast: 'no-preference' } },
  highContrast: {
    id: 'Default High Contrast',
    className: 'hc-black',
    media: { colorScheme: 'dark', contrast: 'more' },
  },
} as const;

export type ThemeName = keyof typeof themes;

/** What the pictures show: an editor without an account, and a server that behaves like Notion's. */
export interface Scene {
  notion: NotionServer;
  editor: Editor;
  window: EditorWindow;
  consumer: Consumer;
}

/** The size in CSS pixels, small enough to show related elements close together. */
export const windowSize = { width: 920, height: 600 };

/** Opens the scene. The caller ends it with `closeScene`. */
export async function openScene({ theme, pixelRatio }: { theme: ThemeName; pixelRatio: number }): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'consumers-'));
  const notion = await startNotionServer({ version: 'today' });
  let editor: Editor | undefined;
  try {
    editor = await Editor.start({
      extensions: [extensionVsix, consumerVsix],
      settings: {
        'notionMcp.serverUrl': notion.mcpUrl,
        // Tooltips and tips would cover parts of the picture.
        'workbench.hover.delay': 600_000,
        'workbench.tips.enabled': false,
        // Highlights would distract in a document that is only read.
        'editor.occurrencesHighlight': 'off',
        'editor.renderLineHighlight': 'none',
        'editor.guides.indentation': false,
        'editor.lineNumbers': 'off',
        'workbench.colorTheme': themes[theme].id,
      },
      environment: { [directoryVariable]: directory },
      size: windowSize,
      pixelRatio,
    });
    const window = await editor.openWindow();
    return { notion, editor, window, consumer: await Consumer.waitFor(directory) };
  } catch (error) {
    await editor?.stop();
    await notion.close();
    throw error;
  } finally {
    // The consumer's port has been read from it.
    await rm(directory, { recursive: true, force: true });
  }
}

/** Stops the editor and the server. */
export async function closeScene({ editor, notion }: Scene): Promise<void> {
  await editor.stop();
  await notion.close();
}
