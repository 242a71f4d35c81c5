import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { openChromium } from '../../editor/host/chromium.ts';
import { CodeServer, type CodeServerOptions, installExtension, logsFolder } from '../../editor/host/codeServer.ts';
import { EditorWindow } from './editorWindow.ts';
import { ExtensionLog } from './extensionLog.ts';
import { noteLeaks, type Output } from './leaks.ts';

export interface EditorOptions {
  /** Paths of packaged extensions. */
  extensions: string[];
  settings?: Record<string, unknown>;
  /** Added to the environment that extensions see. */
  environment?: Record<string, string>;
  logLevel?: 'info' | 'trace';
  /** Origins beside the Notion-shaped server's whose pages open without a question. */
  trustedOrigins?: string[];
  browserArguments?: string[];
  /** Of its windows, in CSS pixels. */
  size?: { width: number; height: number };
  /** How many pixels of a picture make one of CSS. */
  pixelRatio?: number;
}

/** How long anything on the screen may take before a test fails. */
const screenLimitMs = 20_000;

/**
 * A real VS Code with installed extensions, for a person who clicks: code-server and a Chromium that shows it. Its
 * windows are tabs of one browser profile, as two windows of a desktop share one user's storage.
 */
export class Editor {
  readonly windows: EditorWindow[] = [];
  readonly #options: CodeServerOptions;
  readonly #browser: Browser;
  readonly #profile: BrowserContext;
  readonly #printed: readonly string[];
  #server: CodeServer;

  private constructor(
    options: CodeServerOptions,
    server: CodeServer,
    browser: Browser,
    profile: BrowserContext,
    printed: readonly string[],
  ) {
    this.#options = options;
    this.#server = server;
    this.#browser = browser;
    this.#profile = profile;
    this.#printed = printed;
  }

  /** Installs the extensions into an empty editor and starts it. Opens no window yet. */
  static async start(editorOptions: EditorOptions): Promise<Editor> {
    const {
      extensions,
      settings = {},
      environment = {},
      logLevel = 'info',
      trustedOrigins = [],
      browserArguments = [],
      size = { width: 1280, height: 800 },
      pixelRatio = 1,
    } = editorOptions;
    const directory = await mkdtemp(join(tmpdir(), 'editor-'));
    for (const vsix of extensions) {
      await installExtension(directory, vsix);
    }
    const printed: string[] = [];
    const options: CodeServerOptions = {
      directory,
      onLine: (line) => printed.push(line),
      settings,
      environment,
      // AuthorizationResult pages open without the question whether to leave the editor.
      serverArguments: [
        ...['--log', logLevel],
        ...['http://127.0.0.2:*', ...trustedOrigins].flatMap((origin) => ['--link-protection-trusted-domains', origin]),
      ],
    };
    const browser = await openChromium(browserArguments);
    const server = await CodeServer.start(options).catch(async (error) => {
      // Left open, it would keep the test's process from ending.
      await browser.close();
      throw error;
    });
    const profile = await browser.newContext({ viewport: size, deviceScaleFactor: pixelRatio });
    // As on a desktop, where nobody is asked.
    await profile.grantPermissions(['clipboard-read', 'clipboard-write']);
    profile.setDefaultTimeout(screenLimitMs);
    return new Editor(options, server, browser, profile, printed);
  }

  /** Opens one more window and waits until the editor has read what its extensions contribute. */
  async openWindow(): Promise<EditorWindow> {
    const window = new EditorWindow(await this.#profile.newPage());
    this.windows.push(window);
    await window.open(this.#server.address);
    return window;
  }

  /** Opens an ordinary tab, as a person may who has kept an address. */
  async openTab(address: string): Promise<void> {
    const page = await this.#profile.newPage();
    await page.goto(address);
  }

  /** Starts the server anew at the same address over the same files; windows have to be reloaded. */
  async restartServer(): Promise<void> {
    const { port } = this.#server;
    await this.#server.stop();
    this.#server = await CodeServer.start({ ...this.#options, port });
  }

  /** The log files that an extension wrote, of all windows so far. */
  log(extensionId: string): ExtensionLog {
    return new ExtensionLog(logsFolder(this.#options.directory), extensionId);
  }

  /** The files of the editor and of its extensions, logs among them, in which one of `texts` stands; paths within it. */
  async filesHolding(texts: readonly string[]): Promise<string[]> {
    const { directory } = this.#options;
    const found: string[] = [];
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) {
        const content = await readFile(path, 'latin1');
        if (texts.some((text) => content.includes(text))) {
          found.push(relative(directory, path));
        }
      }
    }
    return found;
  }

  /** Keeps a picture of every window, for a test that failed: `artefacts/e2e/failed <name> <window>.png`. */
  async keepEvidence(name: string): Promise<void> {
    for (const [index, window] of this.windows.entries()) {
      if (!window.page.isClosed()) {
        await window.screenshot(`failed ${name.replace(/[^\w ]/g, '')} ${index + 1}`);
      }
    }
  }

  /** Where it and its extensions write. */
  get directory(): string {
    return this.#options.directory;
  }

  /** What its server printed and what its windows put on their consoles. */
  get outputs(): Output[] {
    const consoles = this.windows.map(({ consoleLines }, index) => ({
      name: `console ${index + 1}`,
      lines: consoleLines,
      isExtensions: (line: string) => line.startsWith('[Extension Host]'),
    }));
    return [{ name: 'printed', lines: this.#printed, isExtensions: () => true }, ...consoles];
  }

  /** Closes the browser, ends the server, looks for secrets and people that they left, and deletes every file of theirs. */
  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
    await noteLeaks([this.directory], this.outputs);
    await rm(this.#options.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
