import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { type Scene, type ThemeName, themes } from './scene.ts';

/** Seen around what a picture is about, in CSS pixels. */
const marginPixels = 12;
/** Where nothing of the editor reacts to the pointer. */
const emptySpot = [480, 330] as const;

/** Takes a picture of what is in the frame, or of the whole page, as a PNG file. */
export async function takePicture(path: string, page: Page, frame: readonly Locator[] = []): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await page.bringToFront();
  // What the pointer happens to rest on would look chosen.
  await page.mouse.move(...emptySpot);
  await standsStill(page);
  const clip = frame.length === 0 ? undefined : await around(frame, page);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide', ...(clip && { clip }) });
}

/** Changes the theme under whatever is open, and waits until it is seen. */
export async function showTheme({ window, consumer }: Scene, theme: ThemeName, page: Page): Promise<void> {
  const { id, className, media } = themes[theme];
  if (page !== window.page) {
    await page.emulateMedia(media);
    return;
  }
  await consumer.changeSetting('workbench.colorTheme', id);
  await page.locator(`.monaco-workbench.${className}`).waitFor();
}

/** A notification slides in, and would be measured on its way. */
async function standsStill(page: Page): Promise<void> {
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime))
        .map(({ finished }) => finished),
    ),
  );
}

async function around(frame: readonly Locator[], page: Page) {
  const boxes = await Promise.all(
    frame.map(async (part) => {
      const box = await part.boundingBox();
      if (box === null) {
        throw new Error('What the picture is about is not shown.');
      }
      return box;
    }),
  );
  const size = page.viewportSize() ?? { width: Number.POSITIVE_INFINITY, height: Number.POSITIVE_INFINITY };
  const left = Math.max(0, Math.min(...boxes.map(({ x }) => x)) - marginPixels);
  const top = Math.max(0, Math.min(...boxes.map(({ y }) => y)) - marginPixels);
  const right = Math.min(size.width, Math.max(...boxes.map(({ x, width }) => x + width)) + marginPixels);
  const bottom = Math.min(size.height, Math.max(...boxes.map(({ y, height }) => y + height)) + marginPixels);
  return { x: left, y: top, width: right - left, height: bottom - top };
}
