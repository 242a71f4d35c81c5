import { existsSync } from 'node:fs';

const places = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'].map(
  (name) => `/usr/bin/${name}`,
);

/** Where the browser lies that shows the embedded editor: `CHROMIUM_PATH` or the system's own; undefined if there is none. */
export function chromiumPath() {
  return [process.env.CHROMIUM_PATH, ...places].find((place) => place !== undefined && existsSync(place));
}
