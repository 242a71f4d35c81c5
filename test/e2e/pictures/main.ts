// npm run pictures [-- --all]: takes the pictures that README and walkthrough show into media/pictures. With --all, every
// screen of the extension, whole and in each theme, into artefacts/pictures.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { showTheme, takePicture } from './camera.ts';
import { mentionedPictures, shippedPath } from './mentioned.ts';
import { closeScene, openScene, type ThemeName, themes } from './scene.ts';
import { type See, steps, stepsToLookAt } from './steps.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { values: flags } = parseArgs({ options: { all: { type: 'boolean', default: false } } });

// Sharp enough for a screen of today, and half the bytes of twice the pixels.
const scene = await openScene({ theme: 'light', pixelRatio: flags.all ? 1 : 1.5 });
const wanted = mentionedPictures();

const seeAll: See = async (name, { page = scene.window.page } = {}) => {
  for (const theme of Object.keys(themes) as ThemeName[]) {
    await showTheme(scene, theme, page);
    await takePicture(join(root, 'artefacts/pictures', theme, `${name}.png`), page);
  }
  console.log(name);
};

const seeMentioned: See = async (name, { frame, page = scene.window.page } = {}) => {
  if (wanted.includes(name)) {
    await takePicture(shippedPath(name), page, frame);
    console.log(shippedPath(name));
  }
};

try {
  for (const step of Object.values(flags.all ? { ...steps, ...stepsToLookAt } : steps)) {
    await step(scene, flags.all ? seeAll : seeMentioned);
  }
} catch (error) {
  await scene.editor.keepEvidence('pictures');
  throw error;
} finally {
  await closeScene(scene);
}
