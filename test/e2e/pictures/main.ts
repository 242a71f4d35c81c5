// npm run pictures [-- --all]: saves the pictures that README and walkthrough show to media/pictures. With --all, saves
// every screen of the extension, in full, in each theme and in German, to artefacts/pictures.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startTestbed, type Testbed } from '../testbed.ts';
import { type AnimationFrame, animatedPng } from './animation.ts';
import { showTheme, takePicture } from './camera.ts';
import { animationName, mentionedPictures, shippedPath } from './mentioned.ts';
import { reviewSteps } from './reviewSteps.ts';
import { sceneOptions, type ThemeName, themes } from './scene.ts';
import { type Capture, type Step, steps } from './steps.ts';
import { shippedTexts } from './texts.ts';
import { troubleSteps } from './troubleSteps.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const { values: flags } = parseArgs({ options: { all: { type: 'boolean', default: false } } });

await (flags.all ? captureAll() : captureMentioned());

async function captureMentioned(): Promise<void> {
  const mentioned = mentionedPictures();
  const frames: AnimationFrame[] = [];
  await runSteps({
    steps,
    // A ratio of 1.5 is sharp enough for current screens, and the files have about half the size of those at 2.
    pixelRatio: 1.5,
    capture:
      ({ window }) =>
      async (name, { frame, page = window.page, animationMs } = {}) => {
        if (animationMs !== undefined) {
          frames.push({ png: await takePicture(page), milliseconds: animationMs });
        }
        if (mentioned.includes(name)) {
          await save(shippedPath(name), await takePicture(page, frame));
        }
      },
  });
  await save(shippedPath(animationName), animatedPng(frames));
}

async function captureAll(): Promise<void> {
  const allSteps = { ...steps, ...reviewSteps, ...troubleSteps };
  const folder = (name: string) => join(root, 'artefacts/pictures', name);
  await runSteps({
    steps: allSteps,
    capture:
      (testbed) =>
      async (name, { page = testbed.window.page } = {}) => {
        for (const theme of Object.keys(themes) as ThemeName[]) {
          await showTheme(testbed, theme, page);
          await save(join(folder(theme), `${name}.png`), await takePicture(page));
        }
      },
  });
  await runSteps({
    steps: allSteps,
    isGerman: true,
    capture:
      ({ window }) =>
      async (name, { page = window.page } = {}) =>
        save(join(folder('german'), `${name}.png`), await takePicture(page)),
  });
}

async function runSteps(options: {
  steps: Record<string, Step>;
  capture: (testbed: Testbed) => Capture;
  pixelRatio?: number;
  isGerman?: boolean;
}): Promise<void> {
  const { isGerman = false, pixelRatio = 1 } = options;
  const testbed = await startTestbed({ ...sceneOptions({ theme: 'light', pixelRatio }), isGerman });
  const say = shippedTexts({ isGerman });
  try {
    for (const step of Object.values(options.steps)) {
      await step({ ...testbed, say, capture: options.capture(testbed) });
    }
  } catch (error) {
    await testbed.editor.saveScreenshots('pictures');
    throw error;
  } finally {
    await testbed.stop();
  }
}

async function save(path: string, picture: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, picture);
  console.log(path);
}
