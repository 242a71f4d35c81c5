import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { takePicture } from './pictures/camera.ts';
import { mentionedPictures, shippedPath, shippedPictures } from './pictures/mentioned.ts';
import { closeScene, openScene, type Scene } from './pictures/scene.ts';
import { type Capture, steps } from './pictures/steps.ts';

const artefacts = fileURLToPath(new URL('../../artefacts/e2e', import.meta.url));
const pngSignature = '89504e470d0a1a0a';

describe('the pictures of the README and the walkthrough', { timeout: 120_000 }, () => {
  let scene: Scene;
  const takenPictures: string[] = [];

  before(async () => {
    scene = await openScene({ theme: 'light', pixelRatio: 1 });
  });

  after(async () => {
    await (scene && closeScene(scene));
  });

  const capture: Capture = async (name, { frame, page = scene.window.page } = {}) => {
    await takePicture(`${artefacts}/picture ${name}.png`, page, frame);
    takenPictures.push(name);
  };

  for (const [name, step] of Object.entries(steps)) {
    test(`the pictures of “${name}” can be taken`, async () => {
      try {
        await step(scene, capture);
      } catch (error) {
        await scene.editor.saveScreenshots(name);
        throw error;
      }
    });
  }

  test('the shipped pictures are exactly those that README and walkthrough show, and each of them can be taken', () => {
    const mentioned = mentionedPictures();
    assert.ok(mentioned.length > 4, mentioned.join());
    assert.deepEqual(
      mentioned.filter((name) => !takenPictures.includes(name)),
      [],
    );
    assert.deepEqual(shippedPictures().sort(), mentioned.sort());
  });

  for (const name of mentionedPictures()) {
    test(`the picture ${name} is a PNG that is large enough to read and small enough to ship`, () => {
      const picture = readFileSync(shippedPath(name));
      assert.equal(picture.toString('hex', 0, 8), pngSignature);
      const [width, height] = [picture.readUInt32BE(16), picture.readUInt32BE(20)];
      assert.ok(width >= 600 && width <= 2_000 && height >= 150 && height <= 1_200, `${width} × ${height}`);
      assert.ok(picture.length < 60_000, `${picture.length} bytes`);
    });
  }
});
