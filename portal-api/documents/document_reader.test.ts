import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { DocumentReader } from './document_reader.ts';
import type { ReadDocument } from './document_reader.ts';
import { redPdf, slowPdf } from './testing/hostile_pdfs.ts';
import { pictureWithPlace, samplePdf, samplePicture } from './testing/sample_files.ts';

const reader = new DocumentReader({ read_ms: 10_000 });

function pagesOf(read: ReadDocument): readonly Buffer[] {
  if (read.kind !== 'pages') throw new Error(`It was ${read.kind}.`);
  return read.pages;
}

const colourAt = async (jpeg: Buffer | undefined, left: number, top: number): Promise<number[]> => {
  const { data } = await sharp(jpeg)
    .extract({ left, top, width: 1, height: 1 })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return [...data].map((value) => Math.round(value / 64) * 64);
};

describe('a reader of documents', () => {
  it('makes a JPEG of each page of a PDF, in its colours', async () => {
    expect(pagesOf(await reader.read(await samplePdf(3)))).toHaveLength(3);
    const [page] = pagesOf(await reader.read(redPdf()));
    const { width, height } = await sharp(page).metadata();
    // At 150 dots an inch, of 200 by 280 points.
    expect([width, height]).toEqual([416, 583]);
    expect(await colourAt(page, 50, 50)).toEqual([256, 256, 256]);
    expect(await colourAt(page, 50, 500)).toEqual([256, 0, 0]);
  });

  it('turns a picture as its EXIF says, puts white behind what is clear, and makes what is large smaller', async () => {
    const wide = await sharp({ create: { width: 3_000, height: 1_000, channels: 3, background: 'red' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const [turned] = pagesOf(await reader.read(wide));
    expect(await sharp(turned).metadata()).toMatchObject({ width: 833, height: 2_500 });
    const clear = { r: 0, g: 0, b: 0, alpha: 0 };
    const png = await sharp({ create: { width: 200, height: 200, channels: 4, background: clear } })
      .png()
      .toBuffer();
    const [white] = pagesOf(await reader.read(png));
    expect(await colourAt(white, 9, 9)).toEqual([256, 256, 256]);
    for (const format of ['webp', 'png'] as const) {
      expect(pagesOf(await reader.read(await sharp(png).toFormat(format).toBuffer()))).toHaveLength(1);
    }
  });

  it('keeps nothing of what a picture says about who took it where', async () => {
    const [page] = pagesOf(await reader.read(await pictureWithPlace()));
    const { exif, xmp, iptc, icc } = await sharp(page).metadata();
    expect({ exif, xmp, iptc, icc }).toEqual({ exif: undefined, xmp: undefined, iptc: undefined, icc: undefined });
  });

  it('gives a file up that takes too long, and reads the next one', async () => {
    const hasty = new DocumentReader({ read_ms: 1_500, readers_max: 1 });
    const slow = hasty.read(slowPdf());
    const next = hasty.read(await samplePicture());
    expect(await slow).toEqual({ kind: 'refused', refusal: 'too_slow' });
    expect((await next).kind).toBe('pages');
  });

  it('lets no more wait than it can see to', async () => {
    const narrow = new DocumentReader({ readers_max: 1, waiting_max: 1 });
    const picture = await samplePicture();
    const kinds = (await Promise.all([1, 2, 3].map(() => narrow.read(picture)))).map(({ kind }) => kind);
    expect(kinds).toEqual(['pages', 'pages', 'busy']);
    expect((await narrow.read(picture)).kind).toBe('pages');
  });
});
