import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { openChromium } from '../../editor/host/chromium.ts';
import { CodeServer, type CodeServerOptions, installExtensions, logsFolder } from '../../editor/host/codeServer.ts';
import { prepareGerman } from '../../editor/host/german.ts';
import { EditorWindow } from './editorWindow.ts';
import { ExtensionLog } from './extensionLog.ts';
import { assertNoLeaks, contentOf, type Output } from './leaks.ts';

export interface EditorOptions {
  /** The paths of packaged extensions. */
  extensions: string[];
  settings?: Record<string, unknown>;
  /** Added to the environment variables of extensions. */
  environment?: Record<string, string>;
  /** Of the Node that runs extensions. */
  nodeArguments?: string[];
  /** Whether it runs agents in chat. Then it shows no notifications. */
  hasAgentHost?: boolean;
  logLevel?: 'info' | 'trace';
  /** Whether the editor asks before it opens a page in the browser, as it does for users. */
  asksBeforeOpening?: boolean;
  /** Whether extensions show their German texts; the editor's own stay English. */
  isGerman?: boolean;
  /** Origins, besides the Notion-shaped server's, whose pages open without a prompt. */
  trustedOrigins?: string[];
  browserArguments?: string[];
  /** The size of its windows, in CSS pixels. */
  size?: { width: number; height: number };
  /** The number of pixels in a screenshot per CSS pixel. */
  pixelRatio?: number;
}

/** How long an element may take to appear before a test fails. */
const elementTimeoutMs = 20_000;

/**
 * A real VS Code with installed extensions, used through its interface: code-server, shown by Chromium. Its windows are
 * tabs of one browser profile, which share storage as the windows of a desktop editor do.
 */
export class Editor {
  readonly windows: EditorWindow[] = [];
  readonly #options: CodeServerOptions;
  readonly #browser: Browser;
  readonly #profile: BrowserContext;
  readonly #serverLines: readonly string[];
  #server: CodeServer;

  private constructor(
    options: CodeServerOptions,
    server: CodeServer,
    browser: Browser,
    profile: BrowserContext,
    serverLines: readonly string[],
  ) {
    this.#options = options;
    this.#server = server;
    this.#browser = browser;
    this.#profile = profile;
    this.#serverLines = serverLines;
  }

  /** Installs the extensions into an empty editor and starts it without a window. */
  static async start(editorOptions: EditorOptions): Promise<Editor> {
    const {
      extensions,
      settings = {},
      environment = {},
      nodeArguments = [],
      hasAgentHost = false,
      isGerman = false,
      logLevel = 'info',
      asksBeforeOpening = false,
      trustedOrigins = [],
      browserArguments = [],
      size = { width: 1280, height: 800 },
      pixelRatio = 1,
    } = editorOptions;
    const directory = await mkdtemp(join(tmpdir(), 'editor-'));
    await installExtensions(directory, extensions);
    const serverLines: string[] = [];
    const options: CodeServerOptions = {
      directory,
      onLine: (line) => serverLines.push(line),
      settings,
      // Not the home of the user, whose agents the extension would find.
      environment: { HOME: join(directory, 'home'), ...environment },
      ...{ nodeArguments, hasAgentHost },
      // Unless a test is about it, authorization pages open without the editor's prompt for external links.
      serverArguments: [
        ...['--log', logLevel],
        ...(isGerman ? await prepareGerman(join(directory, 'data')) : []),
        ...[...(asksBeforeOpening ? [] : ['http://127.0.0.2:*']), ...trustedOrigins].flatMap((origin) => [
          '--link-protection-trusted-domains',
          origin,
        ]),
      ],
    };
    const browser = await openChromium(browserArguments);
    const server = await CodeServer.start(options).catch(async (error) => {
      // An open browser would keep the test process from ending.
      await browser.close();
      throw error;
    });
    const profile = await browser.newContext({ viewport: size, deviceScaleFactor: pixelRatio });
    // A desktop editor needs no permission for the clipboard.
    await profile.grantPermissions(['clipboard-read', 'clipboard-write']);
    profile.setDefaultTimeout(elementTimeoutMs);
    return new Editor(options, server, browser, profile, serverLines);
  }

  /** Opens another window and waits until the editor has loaded its extensions' contributions. */
  async openWindow(): Promise<EditorWindow> {
    const window = new EditorWindow(await this.#profile.newPage());
    this.windows.push(window);
    await window.open(this.#server.address);
    return window;
  }

  /** Opens an address in a browser tab, as a user can with an address from elsewhere. */
  async openTab(address: string): Promise<Page> {
    const page = await this.#profile.newPage();
    await page.goto(address);
    return page;
  }

  /** Restarts the server at the same address with the same files; windows have to be reloaded afterwards. */
  async restartServer(): Promise<void> {
    const { port } = this.#server;
    await this.#server.stop();
    this.#server = await CodeServer.start({ ...this.#options, port });
  }

  /** The log files of an extension, from all windows so far. */
  log(extensionId: string): ExtensionLog {
    return new ExtensionLog(logsFolder(this.#options.directory), extensionId);
  }

  /** The files of the editor and its extensions, including logs, that contain any of `texts`, as relative paths. */
  async filesContaining(texts: readonly string[]): Promise<string[]> {
    const { directory } = this.#options;
    const found: string[] = [];
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) {
        const content = await contentOf(path);
        if (texts.some((text) => content.includes(text))) {
          found.push(relative(directory, path));
        }
      }
    }
    return found;
  }

  /** Saves a screenshot of every window for a failed test, as `artefacts/e2e/failed <name> <window>.png`. */
  async saveScreenshots(name: string): Promise<void> {
    for (const [index, window] of this.windows.entries()) {
      if (!window.page.isClosed()) {
        await window.screenshot(`failed ${name.replace(/[^\w ]/g, '')} ${index + 1}`);
      }
    }
  }

  /** The folder of all files that the editor and its extensions write. */
  get directory(): string {
    return this.#options.directory;
  }

  /** The output of its server and the consoles of its windows. */
  get outputs(): Output[] {
    const consoles = this.windows.map(({ consoleLines }, index) => ({
      name: `console ${index + 1}`,
      lines: consoleLines,
      isFromExtension: (line: string) => line.startsWith('[Extension Host]'),
    }));
    return [{ name: 'printed', lines: this.#serverLines, isFromExtension: () => true }, ...consoles];
  }

  /**
   * Closes the browser, stops the server, searches its files and output for leaks, and deletes the files.
   * @throws AssertionError if something leaked
   */
  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
    try {
      await assertNoLeaks([this.directory], this.outputs);
    } finally {
      await rm(this.directory, { recursive: true, force: true, maxRetries: 5 });
    }
  }
}
