import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, type SuiteContext, type TestContext } from 'node:test';
import { directoryVariable } from '../editor/consumer/protocol.ts';
import { type NotionServer, startNotionServer } from '../notion/server.ts';
import { Announcements, Consumer } from './consumer.ts';
import { Editor, type EditorOptions } from './driver/editor.ts';
import type { EditorWindow } from './driver/editorWindow.ts';
import { consumerVsix, extensionVsix } from './driver/vsix.ts';

export interface TestbedOptions extends Omit<EditorOptions, 'extensions'> {
  /** The server that the editor uses, and that is closed after the editor. If not set, a new one. */
  notion?: NotionServer;
  /** The paths of packaged extensions that are installed besides ours and the consumer. */
  moreExtensions?: string[];
  /** Runs after all has stopped, also if something failed. */
  cleanup?: () => Promise<void>;
}

/** A window, and the consumer extension in it. */
export interface ConsumerWindow {
  window: EditorWindow;
  consumer: Consumer;
}

/** A Notion-shaped server, and an editor with the extension, which uses that server and has no account yet. */
export interface Testbed extends ConsumerWindow {
  notion: NotionServer;
  editor: Editor;
  openWindow(): Promise<ConsumerWindow>;
  /** Stops the editor, then the server. @throws AssertionError if the editor's files or output contain a secret */
  stop(): Promise<void>;
}

/**
 * Starts a testbed for the calling `describe`, and stops it at the suite's end. After each test it clears the server's
 * faults, and reports a failure.
 */
export async function useTestbed(options?: TestbedOptions): Promise<Testbed> {
  const testbed = await startTestbed(options);
  after(() => testbed.stop());
  afterEach(async (context) => {
    testbed.notion.faults.clear();
    if (await reportFailure(context, testbed.editor)) {
      // A notification that is left over must not fail the next tests.
      await testbed.consumer.command('notifications.clearAll');
    }
  });
  return testbed;
}

/** Starts a testbed with one window. The caller stops it. */
export async function startTestbed(options: TestbedOptions = {}): Promise<Testbed> {
  await using cleanups = new AsyncDisposableStack();
  const { cleanup = async () => undefined, moreExtensions = [], settings, environment, ...notionAndEditor } = options;
  cleanups.defer(cleanup);
  const { notion = await startNotionServer({ version: 'today' }), ...editorOptions } = notionAndEditor;
  cleanups.defer(() => notion.close());
  const directory = await mkdtemp(join(tmpdir(), 'consumers-'));
  cleanups.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const editor = await Editor.start({
    ...editorOptions,
    extensions: [extensionVsix, consumerVsix, ...moreExtensions],
    settings: { 'notionMcp.serverUrl': notion.mcpUrl, ...settings },
    environment: { [directoryVariable]: directory, ...environment },
  });
  cleanups.defer(() => editor.stop());
  const announcements = new Announcements(directory);
  const openWindow = async () => ({
    window: await editor.openWindow(),
    consumer: await Consumer.waitFor(announcements),
  });
  const firstWindow = await openWindow();
  const owned = cleanups.move();
  return { notion, editor, ...firstWindow, openWindow, stop: () => owned.disposeAsync() };
}

/** After a failed test, saves screenshots of all windows and prints the ends of their consoles. @returns if it failed */
export async function reportFailure(context: TestContext | SuiteContext, editor: Editor): Promise<boolean> {
  const { passed, name } = context as TestContext & { passed: boolean };
  if (!passed) {
    for (const { consoleLines } of editor.windows) {
      const relevantLines = consoleLines.filter((line) => !/^ (INFO|WARN) /.test(line));
      console.log(relevantLines.slice(-30).join('\n'));
    }
    await editor.saveScreenshots(name);
  }
  return !passed;
}
