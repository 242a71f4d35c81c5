// npm run pictures [-- --all]: saves the pictures that README and walkthrough show to media/pictures. With --all, saves
// every screen of the extension, in full and in each theme, to artefacts/pictures.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startTestbed } from '../testbed.ts';
import { showTheme, takePicture } from './camera.ts';
import { mentionedPictures, shippedPath } from './mentioned.ts';
import { sceneOptions, type ThemeName, themes } from './scene.ts';
import { type Capture, steps, stepsForReview } from './steps.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { values: flags } = parseArgs({ options: { all: { type: 'boolean', default: false } } });

// A ratio of 1.5 is sharp enough for current screens, and the files have about half the size of those at 2.
const testbed = await startTestbed(sceneOptions({ theme: 'light', pixelRatio: flags.all ? 1 : 1.5 }));
const mentioned = mentionedPictures();

const captureAll: Capture = async (name, { page = testbed.window.page } = {}) => {
  for (const theme of Object.keys(themes) as ThemeName[]) {
    await showTheme(testbed, theme, page);
    await takePicture(join(root, 'artefacts/pictures', theme, `${name}.png`), page);
  }
  console.log(name);
};

const captureMentioned: Capture = async (name, { frame, page = testbed.window.page } = {}) => {
  if (mentioned.includes(name)) {
    await takePicture(shippedPath(name), page, frame);
    console.log(shippedPath(name));
  }
};

try {
  for (const step of Object.values(flags.all ? { ...steps, ...stepsForReview } : steps)) {
    await step(testbed, flags.all ? captureAll : captureMentioned);
  }
} catch (error) {
  await testbed.editor.saveScreenshots('pictures');
  throw error;
} finally {
  await testbed.stop();
}
