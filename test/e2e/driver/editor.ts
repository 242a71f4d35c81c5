import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext } from 'playwright-core';
import { openChromium } from '../../editor/host/chromium.ts';
import { CodeServer, type CodeServerOptions, installExtension, logsFolder } from '../../editor/host/codeServer.ts';
import { EditorWindow } from './editorWindow.ts';
import { ExtensionLog } from './extensionLog.ts';

export interface EditorOptions {
  /** Paths of packaged extensions. */
  extensions: string[];
  settings?: Record<string, unknown>;
  /** Added to the environment that extensions see. */
  environment?: Record<string, string>;
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
  #server: CodeServer;

  private constructor(options: CodeServerOptions, server: CodeServer, browser: Browser, profile: BrowserContext) {
    this.#options = options;
    this.#server = server;
    this.#browser = browser;
    this.#profile = profile;
  }

  /** Installs the extensions into an empty editor and starts it. Opens no window yet. */
  static async start({ extensions, settings = {}, environment = {} }: EditorOptions): Promise<Editor> {
    const directory = await mkdtemp(join(tmpdir(), 'editor-'));
    for (const vsix of extensions) {
      await installExtension(directory, vsix);
    }
    const options: CodeServerOptions = {
      directory,
      settings,
      environment,
      // Consent pages open without the question whether to leave the editor.
      serverArguments: ['--link-protection-trusted-domains', 'http://127.0.0.2:*'],
    };
    const [server, browser] = await Promise.all([CodeServer.start(options), openChromium()]);
    const profile = await browser.newContext({ viewport: { width: 1280, height: 800 } });
    profile.setDefaultTimeout(screenLimitMs);
    return new Editor(options, server, browser, profile);
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

  /** Keeps a picture of every window, for a test that failed: `artefacts/e2e/failed <name> <window>.png`. */
  async keepEvidence(name: string): Promise<void> {
    for (const [index, window] of this.windows.entries()) {
      if (!window.page.isClosed()) {
        await window.screenshot(`failed ${name.replace(/[^\w ]/g, '')} ${index + 1}`);
      }
    }
  }

  /** Closes the browser, ends the server and deletes every file of theirs. */
  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#server.stop();
    await rm(this.#options.directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
