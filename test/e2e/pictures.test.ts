import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { takePicture } from './pictures/camera.ts';
import { mentionedPictures, shippedPath, shippedPictures } from './pictures/mentioned.ts';
import { closeScene, openScene, type Scene } from './pictures/scene.ts';
import { type See, steps } from './pictures/steps.ts';

const artefacts = fileURLToPath(new URL('../../artefacts/e2e', import.meta.url));
const pngSignature = '89504e470d0a1a0a';

describe('the pictures', { timeout: 120_000 }, () => {
  let scene: Scene;
  const seen: string[] = [];

  before(async () => {
    scene = await openScene({ theme: 'light', pixelRatio: 1 });
  });

  after(async () => {
    await (scene && closeScene(scene));
  });

  const see: See = async (name, { frame, page = scene.window.page } = {}) => {
    await takePicture(`${artefacts}/picture ${name}.png`, page, frame);
    seen.push(name);
  };

  for (const [name, step] of Object.entries(steps)) {
    test(`can be taken: ${name}`, async () => {
      try {
        await step(scene, see);
      } catch (error) {
        await scene.editor.keepEvidence(name);
        throw error;
      }
    });
  }

  test('that README and walkthrough show are there and each is one of these, and there are no others', () => {
    const mentioned = mentionedPictures();
    assert.ok(mentioned.length > 4, mentioned.join());
    assert.deepEqual(
      mentioned.filter((name) => !seen.includes(name)),
      [],
    );
    assert.deepEqual(shippedPictures().sort(), mentioned.sort());
  });

  for (const name of mentionedPictures()) {
    test(`${name} is a PNG, large enough to be read and small enough to be shipped`, () => {
      const picture = readFileSync(shippedPath(name));
      assert.equal(picture.toString('hex', 0, 8), pngSignature);
      const [width, height] = [picture.readUInt32BE(16), picture.readUInt32BE(20)];
      assert.ok(width >= 600 && width <= 2_000 && height >= 150 && height <= 1_200, `${width} × ${height}`);
      assert.ok(picture.length < 60_000, `${picture.length} bytes`);
    });
  }
});
