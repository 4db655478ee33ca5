import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { pictureWithPlace, samplePdf, samplePicture } from './sample_files.ts';

export interface HostileFile {
  what: string;
  bytes: Buffer;
  /** What has to come of it: it is refused, or it is kept as a harmless picture, or either. */
  expected: 'refused' | 'harmless' | 'either';
  /** Words of it that must be in nothing that is kept. */
  marker?: string;
}

const SCRIPT = '<script>alert(document.domain)</script>';
const HTML = `<!doctype html><html><body>${SCRIPT}</body></html>`;
/** An empty archive, and a directory entry before it: enough for readers of ZIP, which begin at the end. */
const ZIP = Buffer.concat([
  Buffer.from('PK\x03\x04\x14\0\0\0\0\0hidden-payload', 'latin1'),
  Buffer.from('504b0506000000000000000000000000000000000000', 'hex'),
]);

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');

/** A PNG of one grey, whatever its header says. */
function png(width: number, height: number, { extra = [] as Buffer[], rows = height, interlace = 0 } = {}): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, interlace], 8);
  const data = deflateSync(Buffer.alloc((Math.min(width, 40_000) + 1) * rows));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    ...extra,
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const zipped = (bytes_count: number): Buffer => deflateSync(Buffer.alloc(bytes_count, 0x41));

/** A JPEG whose frame says that it is larger than it is. */
function resized(jpeg: Buffer, width: number, height: number): Buffer {
  const copy = Buffer.from(jpeg);
  for (let at = 2; at < copy.length; at += 2 + copy.readUInt16BE(at + 2)) {
    const marker = copy[at + 1] ?? 0;
    if (marker >= 0xc0 && marker <= 0xc2) {
      copy.writeUInt16BE(height, at + 5);
      copy.writeUInt16BE(width, at + 7);
      return copy;
    }
  }
  throw new Error('The JPEG has no frame.');
}

function segment(marker: number, data: Buffer): Buffer {
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([head, data]);
}

const afterStart = (jpeg: Buffer, ...parts: Buffer[]): Buffer =>
  Buffer.concat([jpeg.subarray(0, 2), ...parts, jpeg.subarray(2)]);

function webpHeader(width: number, height: number): Buffer {
  const data = Buffer.alloc(10);
  data.writeUIntLE(width - 1, 4, 3);
  data.writeUIntLE(height - 1, 7, 3);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(10);
  const body = Buffer.concat([Buffer.from('WEBPVP8X'), size, data]);
  const whole = Buffer.alloc(4);
  whole.writeUInt32LE(body.length);
  return Buffer.concat([Buffer.from('RIFF'), whole, body]);
}

async function moving(format: 'webp' | 'gif'): Promise<Buffer> {
  const grey = Buffer.concat([10, 120, 240].map((value) => Buffer.alloc(120 * 120 * 3, value)));
  const frames = sharp(grey, { raw: { width: 120, height: 360, channels: 3, pageHeight: 120 } });
  return (format === 'webp' ? frames.webp({ loop: 0, delay: [9, 9, 9] }) : frames.gif({ delay: [9, 9, 9] })).toBuffer();
}

/** Pictures that are two things at once, or carry something along. */
export async function polyglots(): Promise<HostileFile[]> {
  const jpeg = await samplePicture();
  const some_png = png(200, 200);
  const webp = await sharp(jpeg).webp().toBuffer();
  const one_page = await samplePdf(1);
  const carried = (what: string, bytes: Buffer, marker: string): HostileFile => ({
    ...{ what, bytes, marker },
    expected: 'harmless',
  });
  const refused = (what: string, bytes: Buffer): HostileFile => ({ what, bytes, expected: 'refused' });
  return [
    carried('JPEG and then a ZIP', Buffer.concat([jpeg, ZIP]), 'hidden-payload'),
    carried('JPEG and then HTML', Buffer.concat([jpeg, Buffer.from(HTML)]), 'alert('),
    carried(
      'JPEG with a script as its comment',
      afterStart(jpeg, segment(0xfe, Buffer.from(`*/=1;alert(1)/*${HTML}`))),
      'alert(',
    ),
    carried('JPEG with a script in its EXIF', await pictureWithPlace(), 'PhoneMaker'),
    carried(
      'JPEG with a script in its XMP',
      afterStart(jpeg, segment(0xe1, Buffer.from(`http://ns.adobe.com/xap/1.0/\0${HTML}`))),
      'alert(',
    ),
    carried(
      'JPEG with a thousand comments',
      afterStart(jpeg, ...Array.from({ length: 1_000 }, () => segment(0xfe, Buffer.from('hidden-payload')))),
      'hidden-payload',
    ),
    {
      ...carried(
        'JPEG with a broken colour profile',
        afterStart(jpeg, segment(0xe2, Buffer.from('ICC_PROFILE\0\x01\x01hidden-payload'))),
        'hidden-payload',
      ),
      expected: 'either',
    },
    carried('PNG and then HTML', Buffer.concat([some_png, Buffer.from(HTML)]), 'alert('),
    carried(
      'PNG with PHP as its text',
      png(200, 200, { extra: [chunk('tEXt', Buffer.from('Comment\0<?php system($_GET[0]); ?>'))] }),
      '<?php',
    ),
    carried('PNG and then a PDF', Buffer.concat([some_png, one_page]), '%PDF-'),
    carried('WebP and then a ZIP', Buffer.concat([webp, ZIP]), 'hidden-payload'),
    carried('PDF and then a ZIP', Buffer.concat([one_page, ZIP]), 'hidden-payload'),
    { ...carried('PDF and then HTML', Buffer.concat([one_page, Buffer.from(HTML)]), 'alert('), expected: 'either' },
    refused('HTML and then a JPEG', Buffer.concat([Buffer.from('<!--'), jpeg, Buffer.from(`-->${HTML}`)])),
    refused('a ZIP and then a PDF', Buffer.concat([ZIP, one_page])),
    refused('a script and then a PDF', Buffer.concat([Buffer.from(`${HTML}\n`), one_page])),
    refused('GIF and script at once', Buffer.from('GIF89a/*\x01\0\x01\0*/=1;alert(1)', 'latin1')),
    refused('the beginning of a JPEG and then a PDF', Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), one_page])),
    refused('the beginning of a PNG and then HTML', Buffer.concat([SIGNATURE, Buffer.from(HTML)])),
    refused('a JPEG that is HTML', Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.from(HTML)])),
  ];
}

/** Pictures that want more memory or time than they are worth, or are broken so that a decoder may stumble. */
export async function bombs(): Promise<HostileFile[]> {
  const jpeg = await samplePicture();
  const small_webp = await sharp(jpeg).webp().toBuffer();
  const refused = (what: string, bytes: Buffer): HostileFile => ({ what, bytes, expected: 'refused' });
  const either = (what: string, bytes: Buffer): HostileFile => ({ what, bytes, expected: 'either' });
  const broken_sum = png(200, 200);
  broken_sum[40] = (broken_sum[40] ?? 0) ^ 0xff;
  const much = Buffer.concat([Buffer.from('a\0\0'), zipped(300_000_000)]);
  return [
    refused('PNG of 100 megapixels that has none', png(10_000, 10_000, { rows: 1 })),
    refused('PNG of 100 megapixels that has all', png(10_000, 10_000)),
    refused('PNG of 400 megapixels', png(20_000, 20_000, { rows: 1_000 })),
    refused('PNG of 2³¹ by 2³¹', png(2 ** 31 - 1, 2 ** 31 - 1, { rows: 1 })),
    refused('PNG of 2³² by 2³²', png(2 ** 32 - 1, 2 ** 32 - 1, { rows: 1 })),
    refused('PNG without width', png(0, 200, { rows: 1 })),
    refused('PNG as long as a street', png(1_000_000, 1)),
    refused('PNG as high as a tower', png(1, 1_000_000, { rows: 1_000 })),
    refused('interlaced PNG of 81 megapixels', png(9_000, 9_000, { interlace: 1, rows: 100 })),
    refused('PNG with fewer rows than it says', png(2_000, 2_000, { rows: 10 })),
    either('PNG with 300 MB of zipped text', png(200, 200, { extra: [chunk('zTXt', much)] })),
    either('PNG with 300 MB of zipped colour profile', png(200, 200, { extra: [chunk('iCCP', much)] })),
    either(
      'PNG with 20,000 chunks',
      png(200, 200, { extra: Array.from({ length: 20_000 }, () => chunk('tEXt', Buffer.from('a\0b'))) }),
    ),
    either('PNG with a wrong sum', broken_sum),
    refused('PNG that ends in its header', png(200, 200).subarray(0, 30)),
    refused('PNG that ends in its pixels', (await sharp(jpeg).png().toBuffer()).subarray(0, 2_000)),
    refused('PNG and nothing else', SIGNATURE),
    refused('JPEG of 65,535 by 65,535', resized(jpeg, 65_535, 65_535)),
    refused('JPEG of 7,000 by 7,000', resized(jpeg, 7_000, 7_000)),
    refused('JPEG without width', resized(jpeg, 0, 400)),
    refused('JPEG that ends in the middle', jpeg.subarray(0, jpeg.length >> 1)),
    refused('JPEG and nothing else', jpeg.subarray(0, 4)),
    refused('JPEG of one pixel', await sharp(jpeg).resize(1, 1).jpeg().toBuffer()),
    refused('WebP of 16,383 by 16,383', webpHeader(16_383, 16_383)),
    refused('WebP of 2²⁴ by 2²⁴', webpHeader(2 ** 24, 2 ** 24)),
    refused(
      'WebP of 64 megapixels',
      await sharp({ create: { width: 8_000, height: 8_000, channels: 3, background: 'red' } })
        .webp({ lossless: true, effort: 0 })
        .toBuffer(),
    ),
    refused('WebP that ends in the middle', small_webp.subarray(0, small_webp.length >> 1)),
    refused('WebP that moves', await moving('webp')),
    refused('GIF that moves', await moving('gif')),
    either('PNG that moves', png(200, 200, { extra: [chunk('acTL', Buffer.from('0000ffff00000000', 'hex'))] })),
  ];
}

/** Files of other kinds, whatever they are called. */
export async function strangers(): Promise<HostileFile[]> {
  const jpeg = await samplePicture();
  const texts: Readonly<Record<string, string>> = {
    'SVG with a script': `<svg xmlns="http://www.w3.org/2000/svg">${SCRIPT}</svg>`,
    'SVG with a file of ours':
      '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg"><text>&x;</text></svg>',
    'XML with a million laughs': `<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "${'&a;'.repeat(50)}">]><l>${'&b;'.repeat(50)}</l>`,
    HTML,
    'HTML in UTF-16': `\uFEFF${HTML}`,
    'shell script': '#!/bin/sh\nrm -rf /\n',
    PHP: '<?php system($_GET[0]); ?>',
    PostScript: '%!PS-Adobe-3.0\n(%pipe%id) (w) file\n',
    'text with NULs': 'a\0b\0c',
    'MVG of ImageMagick':
      "push graphic-context\nviewbox 0 0 640 480\nimage over 0,0 0,0 'https://example.com/x.jpg'\npop graphic-context",
  };
  const bytes: Readonly<Record<string, Buffer>> = {
    nothing: Buffer.alloc(0),
    'one byte': Buffer.from([0xff]),
    NULs: Buffer.alloc(5_000),
    'ZIP called a picture': ZIP,
    'EXE called a picture': Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(2_000, 7)]),
    ELF: Buffer.concat([Buffer.from('\x7fELF', 'latin1'), Buffer.alloc(2_000, 7)]),
    'gzip bomb': Buffer.concat([Buffer.from('1f8b0800', 'hex'), zipped(50_000_000)]),
    BMP: Buffer.concat([Buffer.from('BM'), Buffer.alloc(100, 1)]),
    TIFF: await sharp(jpeg).tiff().toBuffer(),
    GIF: await sharp(jpeg).gif().toBuffer(),
    AVIF: await sharp({ create: { width: 120, height: 120, channels: 3, background: 'red' } })
      .avif({ effort: 0 })
      .toBuffer(),
    HEIC: Buffer.concat([Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'), Buffer.alloc(500)]),
    MP4: Buffer.concat([Buffer.from('\0\0\0\x18ftypisom\0\0\0\0', 'latin1'), Buffer.alloc(500)]),
    PSD: Buffer.concat([Buffer.from('8BPS'), Buffer.alloc(500)]),
    'RIFF that is a sound': Buffer.concat([Buffer.from('RIFF\x24\0\0\0WAVEfmt ', 'latin1'), Buffer.alloc(500)]),
  };
  const all = [
    ...Object.entries(texts).map(([what, text]) => [what, Buffer.from(text)] as const),
    ...Object.entries(bytes),
  ];
  return all.map(([what, content]) => ({ what, bytes: content, expected: 'refused' }));
}
