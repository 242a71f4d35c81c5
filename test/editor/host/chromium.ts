import { type Browser, chromium } from 'playwright-core';
import { chromiumPath } from './chromiumPath.mjs';

/** Starts the system's Chromium, invisible. Throws if there is none. */
export function openChromium(moreArguments: readonly string[] = []): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) {
    throw new Error('There is no Chromium. Run: node test/editor/host/install.mjs');
  }
  return chromium.launch({
    executablePath,
    // Root has no sandbox, and everything it shows is on this machine.
    args: ['--no-sandbox', '--no-proxy-server', ...moreArguments],
  });
}
