import { type Browser, chromium } from 'playwright-core';
import { chromiumPath } from './chromiumPath.mjs';

/** Starts the system's Chromium in headless mode. @throws Error if it is not installed */
export function openChromium(moreArguments: readonly string[] = []): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) {
    throw new Error('Chromium is not installed. Run: node test/editor/host/install.mjs');
  }
  return chromium.launch({
    executablePath,
    // Chromium's sandbox does not work as root, and every page that it shows comes from this machine.
    args: ['--no-sandbox', '--no-proxy-server', ...moreArguments],
  });
}
