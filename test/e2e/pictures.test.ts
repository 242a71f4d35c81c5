import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { takePicture } from './pictures/camera.ts';
import { mentionedPictures, shippedPath, shippedPictures } from './pictures/mentioned.ts';
import { sceneOptions } from './pictures/scene.ts';
import { type Capture, steps } from './pictures/steps.ts';
import { useTestbed } from './testbed.ts';

const artefacts = fileURLToPath(new URL('../../artefacts/e2e', import.meta.url));
const pngSignature = '89504e470d0a1a0a';

describe('the pictures of the README and the walkthrough', { timeout: 120_000 }, async () => {
  const testbed = await useTestbed(sceneOptions({ theme: 'light', pixelRatio: 1 }));
  const takenPictures: string[] = [];

  const capture: Capture = async (name, { frame, page = testbed.window.page } = {}) => {
    await takePicture(`${artefacts}/picture ${name}.png`, page, frame);
    takenPictures.push(name);
  };

  for (const [name, step] of Object.entries(steps)) {
    test(`the pictures of “${name}” can be taken`, () => step(testbed, capture));
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
