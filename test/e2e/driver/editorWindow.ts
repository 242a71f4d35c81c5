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

const mostTries = 3;
const triesLimitMs = 6_000;

/** One window of the editor, as a person uses it. */
export class EditorWindow {
  readonly page: Page;
  readonly accounts: AccountsMenu;
  readonly dialog: Dialog;
  readonly extensions: Extensions;
  readonly notifications: Notifications;
  readonly quickInput: QuickInput;
  /** What the extension host and the page wrote to the console; of the host, lines begin with `[Extension Host]`. */
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

  /** Shows the editor and waits until it knows what its extensions contribute. */
  async open(address: string): Promise<void> {
    await this.page.goto(address);
    await this.#ready();
  }

  /** Reloads the window; its extension host is a new process afterwards. */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.#ready();
  }

  /** Closes the window as a person does, so that the editor hears of it and ends its extension host. */
  async close(): Promise<void> {
    // A page that is closed at once sends no farewell, and the server waits hours for it to come back.
    await this.page.goto('about:blank');
    await this.page.close();
  }

  /** Runs a command by its title in the command palette, such as `Notion MCP: Sign In`. */
  async runCommand(title: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await this.#runCommand(title, tries === mostTries ? undefined : triesLimitMs);
        return;
      } catch (error) {
        // The palette closes by itself when something else takes the focus, and then it is opened again.
        if (tries === mostTries || (await this.quickInput.isShown())) {
          throw error;
        }
      }
    }
  }

  async #runCommand(title: string, limitMs: number | undefined): Promise<void> {
    await this.page.keyboard.press('F1');
    // The palette first shows what was used last, and rows move while it filters: so from no row to those that match.
    await this.quickInput.type('>∅∅∅', limitMs);
    await this.quickInput.waitFor('No matching commands', limitMs);
    await this.quickInput.type(`>${title}`, limitMs);
    await this.quickInput.choose(title, limitMs);
  }

  /** The next tab that the editor opened in the browser; waits for it if there is none yet. */
  async nextTab(): Promise<Page> {
    const tab = await this.#tabs.take();
    await tab.waitForLoadState();
    return tab;
  }

  /** How many tabs the editor opened that no test has taken yet. */
  get untakenTabs(): number {
    return this.#tabs.size;
  }

  /** The text that was copied last. */
  clipboard(): Promise<string> {
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  /** Keeps a picture of the window as `artefacts/e2e/<name>.png`. */
  async screenshot(name: string): Promise<void> {
    await mkdir(screenshots, { recursive: true });
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), animations: 'disabled' });
  }

  async #ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor();
    await this.page.waitForFunction(() => performance.getEntriesByName('code/didLoadExtensions').length > 0);
  }
}
