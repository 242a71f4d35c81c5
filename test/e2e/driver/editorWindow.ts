import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { AccountsMenu } from './accountsMenu.ts';
import { Dialog } from './dialog.ts';
import { Extensions } from './extensions.ts';
import { Notifications } from './notifications.ts';
import { Queue } from './queue.ts';
import { QuickInput } from './quickInput.ts';

const screenshots = fileURLToPath(new URL('../../../artefacts/e2e', import.meta.url));

const maxTries = 3;
const tryLimitMs = 6_000;

/** One window of the editor, used through its interface. */
export class EditorWindow {
  readonly page: Page;
  readonly accounts: AccountsMenu;
  readonly dialog: Dialog;
  readonly extensions: Extensions;
  readonly notifications: Notifications;
  readonly quickInput: QuickInput;
  /** The console output of the page and the extension host; lines from the host begin with `[Extension Host]`. */
  readonly consoleLines: string[] = [];
  readonly #tabs = new Queue<Page>();

  constructor(page: Page) {
    this.page = page;
    this.accounts = new AccountsMenu(page);
    this.dialog = new Dialog(page);
    this.extensions = new Extensions(page);
    this.notifications = new Notifications(page);
    this.quickInput = new QuickInput(page);
    page.on('console', (message) => this.consoleLines.push(message.text().replaceAll('%c', '')));
    page.on('popup', (tab) => this.#tabs.put(tab));
  }

  /** Opens the editor and waits until it has loaded its extensions' contributions. */
  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await this.#waitUntilLoaded();
  }

  /** Reloads the window, which starts a new extension host. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.#waitUntilLoaded();
  }

  /** Closes the window in such a way that the editor is notified and stops its extension host. */
  async close(): Promise<void> {
    // A page that is closed directly does not notify the server, which then waits hours for a reconnection.
    await this.page.goto('about:blank');
    await this.page.close();
  }

  /** Brings the window to the front, and runs a command by its title, such as `Notion MCP: Sign In`, in the palette. */
  async runCommand(title: string): Promise<void> {
    await this.page.bringToFront();
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#runCommand(title, tries === maxTries ? undefined : tryLimitMs);
        return;
      } catch (error) {
        // The palette closes when another element takes the focus.
        if (tries === maxTries) {
          throw error;
        }
      }
    }
  }

  async #runCommand(title: string, limitMs: number | undefined): Promise<void> {
    await this.page.keyboard.press('F1');
    // The palette first shows recently used commands, whose rows move while it filters. So first filter for no match.
    await this.quickInput.type('>∅∅∅', limitMs);
    await this.quickInput.waitFor('No matching commands', limitMs);
    await this.quickInput.type(`>${title}`, limitMs);
    await this.quickInput.choose(title, limitMs);
  }

  /** Takes the next tab that the editor opened in the browser, and waits for it if necessary. */
  async nextTab(): Promise<Page> {
    const tab = await this.#tabs.take();
    await tab.waitForLoadState();
    return tab;
  }

  /** The number of opened tabs that `nextTab` has not returned yet. */
  get untakenTabs(): number {
    return this.#tabs.size;
  }

  /** The text on the clipboard. */
  clipboard(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Saves a screenshot of the window as `artefacts/e2e/<name>.png`. */
  async screenshot(name: string): Promise<void> {
    await mkdir(screenshots, { recursive: true });
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
  }

  async #waitUntilLoaded(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor();
    await this.page.waitForFunction(() => performance.getEntriesByName('code/didLoadExtensions').length > 0);
  }
}
