import assert from 'node:assert/strict';
import { crc32, deflateSync, inflateSync } from 'node:zlib';

/** A picture of an animation, and for how long it is shown. */
export interface AnimationFrame {
  png: Buffer;
  milliseconds: number;
}

const signature = Buffer.from('89504e470d0a1a0a', 'hex');

/**
 * Joins PNG files of the same size and pixel format into an animated PNG that repeats for ever (PNG, third edition,
 * section 11.3.6). Unlike a GIF, it keeps every colour, so text stays as sharp as in a screenshot.
 */
export function animatedPng(frames: readonly AnimationFrame[]): Buffer {
  const pictures = frames.map(({ png }) => chunksOf(png));
  const headers = pictures.map((chunks) => dataOf(chunks, 'IHDR'));
  const [header = assert.fail('An animation needs frames.')] = headers;
  assert.ok(
    headers.every((each) => each.equals(header)),
    'The frames differ in size.',
  );
  let sequence = 0;
  const frameChunks = pictures.flatMap((chunks, index) => {
    const control = Buffer.alloc(26);
    control.writeUInt32BE(sequence++, 0);
    // Width and height of the whole picture; its offset, and how it replaces the one before, are zero.
    header.copy(control, 4, 0, 8);
    control.writeUInt16BE(frames[index]?.milliseconds ?? 0, 20);
    control.writeUInt16BE(1_000, 22);
    const pixels = deflateSync(inflateSync(dataOf(chunks, 'IDAT')), { level: 9 });
    const data = index === 0 ? chunk('IDAT', pixels) : chunk('fdAT', Buffer.concat([uint32(sequence++), pixels]));
    return [chunk('fcTL', control), data];
  });
  const repetitions = 0;
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('acTL', Buffer.concat([uint32(frames.length), uint32(repetitions)])),
    ...frameChunks,
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The chunks of a PNG file, in their order. @throws AssertionError if it is none */
export function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  assert.deepEqual(png.subarray(0, signature.length), signature);
  const chunks = [];
  for (let at = signature.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    chunks.push({ type: png.toString('latin1', at + 4, at + 8), data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function dataOf(chunks: readonly { type: string; data: Buffer }[], type: string): Buffer {
  return Buffer.concat(chunks.filter((each) => each.type === type).map(({ data }) => data));
}

function chunk(type: string, data: Buffer): Buffer {
  const checked = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), checked, uint32(crc32(checked))]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
