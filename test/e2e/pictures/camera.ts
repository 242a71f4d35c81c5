import type { Locator, Page } from 'playwright-core';
import type { Testbed } from '../testbed.ts';
import { type ThemeName, themes } from './scene.ts';

/** The margin around the frame, in CSS pixels. */
const marginPixels = 12;
/** A position where no element reacts to the pointer. */
const emptyPosition = [480, 330] as const;

/** Takes a picture of the elements in the frame, or of the whole page, as a PNG file. */
export async function takePicture(page: Page, frame: readonly Locator[] = []): Promise<Buffer> {
  await page.bringToFront();
  // The element under the pointer would look selected.
  await page.mouse.move(...emptyPosition);
  await waitForAnimations(page);
  const clip = frame.length === 0 ? undefined : await clipAround(frame, page);
  return page.screenshot({ animations: 'disabled', caret: 'hide', ...(clip && { clip }) });
}

/** Changes the theme of the editor, or of another page, and waits until it is applied. */
export async function showTheme({ window, consumer }: Testbed, theme: ThemeName, page: Page): Promise<void> {
  const { id, className, media } = themes[theme];
  if (page !== window.page) {
    await page.emulateMedia(media);
    return;
  }
  await consumer.changeSetting('workbench.colorTheme', id);
  await page.locator(`.monaco-workbench.${className}`).waitFor();
}

/** Waits for animations to end, because a notification that still slides in has not reached its position yet. */
async function waitForAnimations(page: Page): Promise<void> {
  await page.evaluate(() =>
    Promise.allSettled(
      document
        .getAnimations()
        .filter(({ effect }) => Number.isFinite(effect?.getComputedTiming().endTime))
        .map(({ finished }) => finished),
    ),
  );
}

async function clipAround(frame: readonly Locator[], page: Page) {
  const boxes = await Promise.all(
    frame.map(async (element) => {
      const box = await element.boundingBox();
      if (box === null) {
        throw new Error('An element of the picture is not shown.');
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
