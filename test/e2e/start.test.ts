import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openChromium } from '../editor/host/chromium.ts';
import { EditorWindow } from './driver/editorWindow.ts';
import { signIn } from './signIn.ts';

const program = fileURLToPath(new URL('../start/main.ts', import.meta.url));

test('npm start opens an editor in which a user can sign in, and Ctrl+C stops everything', {
  timeout: 120_000,
}, async () => {
  const { DISPLAY: _, WAYLAND_DISPLAY: __, ...environment } = process.env;
  const child = spawn(process.execPath, [program], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  const browser = await openChromium();
  try {
    const window = new EditorWindow(await browser.newPage());
    await window.open(await printedAddress(child.stdout));
    await signIn(window);
    assert.ok((await window.accounts.entries()).some((entry) => entry.startsWith('Ada Lovelace (Engineering Wiki)')));
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await ended, [0, null]);
    await assert.rejects(fetch(window.page.url()));
  } finally {
    child.kill();
    await browser.close();
  }
});

async function printedAddress(output: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: output })) {
    const address = /Open (http:\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      return address;
    }
  }
  throw new Error('npm start ended without printing an address');
}
