// Reads what customers upload, in a process of its own that knows no secret: whatever a file does to its decoder, it does it here.
// Plain JavaScript, so that it starts in a tenth of a second wherever the portal runs from.
import process from 'node:process';
import { PDFiumLibrary } from '@hyzyla/pdfium';
import sharp from 'sharp';

const PIXELS_MAX = 40_000_000;
const SIDE_MIN = 100;
/** What is kept is at most this long and wide: every letter of a page can be read. */
const SIDE_MAX = 2_500;
const JPEG = { quality: 82 };
const PAGES_MAX = 20;
/** Of all pages as they are kept. */
const KEPT_BYTES_MAX = 20_000_000;
/** A picture that takes this long was made to. */
const PICTURE_SECONDS = 10;
/** 150 dots an inch, of points of which an inch has 72. */
const SCALE = 150 / 72;
/** WebAssembly counts memory in pieces of 64 KiB; what the reader of PDFs may have of it. */
const WASM_PIECES_MAX = 4_096;

/**
 * @typedef {{ buffer: ArrayBuffer, grow: (pieces: number) => number }} Grown
 * @typedef {{ job: number, kind: 'jpeg' | 'png' | 'webp' | 'pdf', bytes: Uint8Array }} Job
 * @typedef {'unreadable' | 'too_many_pixels' | 'too_small' | 'animated' | 'locked' | 'no_pages' | 'too_many_pages' | 'too_much'} Refusal
 */

/** Not to be read, and why. */
class Refused extends Error {
  /** @param {Refusal} refusal */
  constructor(refusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

// Only what is asked for is ever decoded, whatever a file says it is.
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
});
sharp.cache(false);
sharp.concurrency(1);
boundWasm();

/**
 * @typedef {Awaited<ReturnType<typeof PDFiumLibrary.init>>} Library
 * @type {Promise<Library> | null}
 */
let pdfium = null;

process.on('message', (/** @type {Job} */ job) => {
  decode(job).then(
    (pages) => process.send?.({ job: job.job, pages }),
    (/** @type {unknown} */ error) =>
      process.send?.({ job: job.job, refusal: error instanceof Refused ? error.refusal : 'unreadable' }),
  );
});
process.on('disconnect', () => process.exit(0));
// From here on the time counts that a file takes.
process.send?.('ready');

/**
 * @param {Job} job
 * @returns {Promise<Buffer[]>} each page as a JPEG that was made here, of its pixels and of nothing else
 */
async function decode({ kind, bytes }) {
  const pages = kind === 'pdf' ? await pagesOfPdf(bytes) : [await picture(kind, Buffer.from(bytes))];
  if (pages.reduce((sum, page) => sum + page.length, 0) > KEPT_BYTES_MAX) throw new Refused('too_much');
  return pages;
}

/**
 * @param {string} kind
 * @param {Buffer} bytes
 */
async function picture(kind, bytes) {
  // Its own cap would say no more than that something is wrong; the header says how large the picture is before any of it is decoded.
  const header = await sharp(bytes, { limitInputPixels: false }).metadata();
  if (header.format !== kind) throw new Refused('unreadable');
  if ((header.pages ?? 1) > 1) throw new Refused('animated');
  if (header.width * header.height > PIXELS_MAX) throw new Refused('too_many_pixels');
  if (Math.min(header.width, header.height) < SIDE_MIN) throw new Refused('too_small');
  return sharp(bytes, { failOn: 'error', limitInputPixels: PIXELS_MAX, sequentialRead: true })
    .timeout({ seconds: PICTURE_SECONDS })
    .autoOrient()
    .resize({ width: SIDE_MAX, height: SIDE_MAX, fit: 'inside', withoutEnlargement: true })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .jpeg(JPEG)
    .toBuffer();
}

/** @param {Uint8Array} bytes */
async function pagesOfPdf(bytes) {
  pdfium ??= PDFiumLibrary.init();
  const document = await openPdf(await pdfium, bytes);
  try {
    const count = document.getPageCount();
    if (count < 1) throw new Refused('no_pages');
    if (count > PAGES_MAX) throw new Refused('too_many_pages');
    const pages = [];
    for (let n = 0; n < count; n += 1) pages.push(await pageOfPdf(document.getPage(n)));
    return pages;
  } finally {
    document.destroy();
  }
}

/**
 * @param {Library} library
 * @param {Uint8Array} bytes
 */
async function openPdf(library, bytes) {
  try {
    return await library.loadDocument(bytes);
  } catch (error) {
    throw new Refused(/password|security/iu.test(String(error)) ? 'locked' : 'unreadable');
  }
}

/** @param {import('@hyzyla/pdfium').PDFiumPage} page */
async function pageOfPdf(page) {
  const { originalWidth, originalHeight } = page.getOriginalSize();
  const longest = Math.max(originalWidth, originalHeight);
  const scale = Math.min(SCALE, SIDE_MAX / longest);
  const shortest = Math.min(originalWidth, originalHeight) * scale;
  if (!(shortest >= SIDE_MIN)) throw new Refused('too_small');
  const { data, width, height } = await page.render({ scale, render: 'bitmap' });
  return sharp(data, { raw: { width, height, channels: 4 } })
    .timeout({ seconds: PICTURE_SECONDS })
    .flatten({ background: '#ffffff' })
    .jpeg(JPEG)
    .toBuffer();
}

/** What asks for more memory than that is told that there is none, as on a small machine. */
function boundWasm() {
  /** @type {unknown} */
  const wasm = Reflect.get(globalThis, 'WebAssembly');
  const { Memory } = /** @type {{ Memory: { prototype: Grown } }} */ (wasm);
  const { grow } = Memory.prototype;
  /**
   * @this {Grown}
   * @param {number} pieces
   * @returns {number}
   */
  Memory.prototype.grow = function (pieces) {
    if (this.buffer.byteLength / 65_536 + pieces > WASM_PIECES_MAX) throw new RangeError('There is no more memory.');
    return grow.call(this, pieces);
  };
}
