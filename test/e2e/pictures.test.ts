import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type AnimationFrame, animatedPng, chunksOf } from './pictures/animation.ts';
import { takePicture } from './pictures/camera.ts';
import { animationName, mentionedPictures, shippedPath, shippedPictures } from './pictures/mentioned.ts';
import { sceneOptions } from './pictures/scene.ts';
import { type Capture, steps } from './pictures/steps.ts';
import { shippedTexts } from './pictures/texts.ts';
import { useTestbed } from './testbed.ts';

const artefacts = fileURLToPath(new URL('../../artefacts/e2e', import.meta.url));

describe('the pictures of the README and the walkthrough', { timeout: 120_000 }, async () => {
  const testbed = await useTestbed(sceneOptions({ theme: 'light', pixelRatio: 1 }));
  const takenPictures: string[] = [];
  const frames: AnimationFrame[] = [];

  const capture: Capture = async (name, { frame, page = testbed.window.page, animationMs } = {}) => {
    await writeFile(`${artefacts}/picture ${name}.png`, await takePicture(page, frame));
    takenPictures.push(name);
    if (animationMs !== undefined) {
      frames.push({ png: await takePicture(page), milliseconds: animationMs });
    }
  };

  before(() => mkdir(artefacts, { recursive: true }));

  for (const [name, step] of Object.entries(steps)) {
    test(`the pictures of “${name}” can be taken`, () =>
      step({ ...testbed, say: shippedTexts({ isGerman: false }), capture }));
  }

  test('the shipped pictures are exactly those that README and walkthrough show, and each of them can be taken', () => {
    const mentioned = mentionedPictures();
    assert.ok(mentioned.length > 4, mentioned.join());
    assert.deepEqual(
      mentioned.filter((name) => name !== animationName && !takenPictures.includes(name)),
      [],
    );
    assert.deepEqual(shippedPictures().sort(), mentioned.sort());
  });

  for (const name of mentionedPictures().filter((each) => each !== animationName)) {
    test(`the picture ${name} is a PNG that is large enough to read and small enough to ship`, () => {
      const picture = readFileSync(shippedPath(name));
      const [width, height] = sizeOf(picture);
      assert.ok(width >= 600 && width <= 2_000 && height >= 150 && height <= 1_200, `${width} × ${height}`);
      assert.ok(picture.length < 60_000, `${picture.length} bytes`);
    });
  }

  test('the shipped animation has the frames that can be taken, repeats for ever, and is below 1 MB', async () => {
    const shipped = readFileSync(shippedPath(animationName));
    assert.deepEqual(structureOf(shipped), structureOf(animatedPng(frames)));
    assert.ok(frames.length > 4);
    assert.ok(sizeOf(shipped)[0] >= 1_200);
    assert.ok(shipped.length < 1_000_000, `${shipped.length} bytes`);
  });

  test('a browser plays the animation', async () => {
    const data = readFileSync(shippedPath(animationName)).toString('base64');
    const decoded = await testbed.window.page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      const decoder = new ImageDecoder({ data: bytes, type: 'image/png' });
      await decoder.tracks.ready;
      const { frameCount = 0, repetitionCount } = decoder.tracks.selectedTrack ?? {};
      const durations = [];
      for (let frameIndex = 0; frameIndex < frameCount; frameIndex += 1) {
        const { image } = await decoder.decode({ frameIndex });
        durations.push((image.duration ?? 0) / 1_000);
        image.close();
      }
      return { durations, repeatsForEver: repetitionCount === Number.POSITIVE_INFINITY };
    }, data);
    assert.deepEqual(decoded, { durations: frames.map(({ milliseconds }) => milliseconds), repeatsForEver: true });
  });
});

/** Width and height of a PNG, in pixels. */
function sizeOf(png: Buffer): [number, number] {
  assert.equal(chunksOf(png)[0]?.type, 'IHDR');
  return [png.readUInt32BE(16), png.readUInt32BE(20)];
}

/** The chunks of an animated PNG: their types, and the delays of its frames. */
function structureOf(png: Buffer): string[] {
  return chunksOf(png).map(({ type, data }) => (type === 'fcTL' ? `${type} ${data.readUInt16BE(20)} ms` : type));
}
