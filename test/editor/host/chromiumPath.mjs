import { existsSync } from 'node:fs';

const systemPaths = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'].map(
  (name) => `/usr/bin/${name}`,
);

/** The path of the browser that shows the embedded editor: `CHROMIUM_PATH` or the system's; undefined without one. */
export function chromiumPath() {
  return [process.env.CHROMIUM_PATH, ...systemPaths].find((path) => path !== undefined && existsSync(path));
}
