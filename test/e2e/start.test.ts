import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { openChromium } from '../editor/host/chromium.ts';
import { EditorWindow } from './driver/editorWindow.ts';
import { allow, beginSignIn, signIn } from './signIn.ts';

const program = fileURLToPath(new URL('../start/main.ts', import.meta.url));
const account = 'Ada Lovelace (Engineering Wiki)';
const grace = { user: 'Grace Hopper', workspace: 'Team Notes' };

interface Started {
  child: ChildProcess;
  window: EditorWindow;
  /** The page that lets something go wrong. */
  situations: Page;
}

test('npm start opens an editor beside a server that behaves like Notion’s', { timeout: 240_000 }, async (t) => {
  await withStart(t, [], async ({ child, window, situations }) => {
    await t.test(
      'npm start has a page whose buttons let something go wrong at the server, and end it where it lasts',
      async () => {
        const press = async (name: string) => {
          const button = situations.getByRole('button', { name, exact: true });
          // The page comes again once the situation has begun or ended.
          await Promise.all([situations.waitForEvent('load'), button.click()]);
        };
        const runAndDismiss = async (command: string, note: string) => {
          await window.runCommand(`Notion MCP: ${command}`);
          await window.notifications.waitFor(note);
          await window.notifications.dismiss(note);
        };

        await press('Identity fails once');
        const tab = await beginSignIn(window);
        await allow(tab);
        await window.notifications.take('The account is called “Notion account ·');
        await tab.close();
        await situations.reload();
        await situations.getByRole('button', { name: 'Identity fails once', exact: true }).waitFor();
        await runAndDismiss('Test Connection', 'is connected');
        await window.accounts.waitUntil((entries) => entries.some((entry) => entry.startsWith(account)));

        await press('Limit reached');
        await runAndDismiss('Test Connection', 'is limiting requests. Try again in 30 seconds.');
        await press('End: Limit reached');
        await runAndDismiss('Test Connection', 'is connected');

        await press('Server down');
        await runAndDismiss('Test Connection', 'cannot be reached');
        await press('End: Server down');
        await runAndDismiss('Test Connection', 'is connected');

        await press('Notion ends this sign-in');
        await runAndDismiss('Refresh Session', 'refused to renew the sign-in. It will be tried once more');
      },
    );

    await t.test('npm start opens an editor in which a user can sign in, and Ctrl+C stops everything', async () => {
      await signIn(window, grace);
      await window.accounts.waitUntil((entries) =>
        entries.some((entry) => entry.startsWith('Grace Hopper (Team Notes)')),
      );
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      assert.deepEqual(await ended, [0, null]);
      await assert.rejects(fetch(window.page.url()));
    });
  });
});

test('npm start -- --german opens an editor in which the extension speaks German', {
  timeout: 120_000,
}, async (t) => {
  await withStart(t, ['--german'], async ({ window }) => {
    await window.runCommand('Notion MCP: Anmelden');
    await window.dialog.waitFor('Bei 127.0.0.2');
    await window.dialog.click('Weiter');
    const tab = await window.nextTab();
    await allow(tab);
    await window.notifications.waitFor('Angemeldet als Ada Lovelace (Engineering Wiki)');
    await tab.close();
  });
});

/** Runs `npm start` with its embedded editor and opens what it prints. */
async function withStart(
  t: TestContext,
  flags: readonly string[],
  use: (started: Started) => Promise<void>,
): Promise<void> {
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...environment } = process.env;
  const child = spawn(process.execPath, [program, ...flags], {
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const browser = await openChromium();
  const savePictures = async (): Promise<void> => {
    const pages = browser.contexts().flatMap((context) => context.pages());
    for (const [index, page] of pages.entries()) {
      await page.screenshot({ path: `artefacts/e2e/failed start ${index + 1}.png` });
    }
  };
  // A test goes on after a failed part of it.
  t.afterEach((part) => ((part as TestContext & { passed: boolean }).passed ? undefined : savePictures()));
  try {
    const [editorAddress, situationsAddress] = await printedAddresses(child.stdout);
    const window = new EditorWindow(await browser.newPage({ reducedMotion: 'reduce' }));
    await window.open(editorAddress);
    const situations = await browser.newPage();
    await situations.goto(situationsAddress);
    await use({ child, window, situations });
  } catch (error) {
    await savePictures();
    throw error;
  } finally {
    child.kill();
    await browser.close();
  }
}

/** The addresses of the editor and of the page of situations. */
async function printedAddresses(output: NodeJS.ReadableStream): Promise<[editor: string, situations: string]> {
  let editor: string | undefined;
  for await (const line of createInterface({ input: output })) {
    const address = /^ {2}\d\. .*?(http:\S+)/.exec(line)?.[1];
    if (address !== undefined && editor !== undefined) {
      return [editor, address];
    }
    editor ??= address;
  }
  throw new Error('npm start ended without printing its addresses');
}
