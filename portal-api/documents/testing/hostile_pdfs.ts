import { deflateSync } from 'node:zlib';
import type { HostileFile } from './hostile_images.ts';
import { samplePdf } from './sample_files.ts';

/** A PDF of these objects, numbered from 1; the first is its root. */
function pdf(...objects: (string | Buffer)[]): Buffer {
  const parts: Buffer[] = [Buffer.from('%PDF-1.7\n')];
  const offsets: number[] = [];
  let at = parts[0]?.length ?? 0;
  const add = (part: string | Buffer): void => {
    const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
    parts.push(bytes);
    at += bytes.length;
  };
  objects.forEach((object, index) => {
    offsets.push(at);
    add(`${index + 1} 0 obj\n`);
    add(object);
    add('\nendobj\n');
  });
  const start = at;
  add(`xref\n0 ${objects.length + 1}\n0000000000 65535 f \n`);
  for (const offset of offsets) add(`${String(offset).padStart(10, '0')} 00000 n \n`);
  add(`trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`);
  return Buffer.concat(parts);
}

function stream(dictionary: string, content: Buffer): Buffer {
  const head = Buffer.from(`<< ${dictionary} /Length ${content.length} >>\nstream\n`);
  return Buffer.concat([head, content, Buffer.from('\nendstream')]);
}

const PAGES = '<< /Type /Pages /Kids [3 0 R] /Count 1 >>';
const page = (more: string, box = '[0 0 200 280]'): string =>
  `<< /Type /Page /Parent 2 0 R /MediaBox ${box} ${more} >>`;
const root = (more: string): string => `<< /Type /Catalog /Pages 2 0 R ${more} >>`;
const plain = (more: string, ...rest: (string | Buffer)[]): Buffer => pdf(root(more), PAGES, page(''), ...rest);

const zipped = (bytes_count: number, byte = 0x20): Buffer => deflateSync(Buffer.alloc(bytes_count, byte));

function image(width: number, height: number, filter: string, data: Buffer): Buffer {
  const dictionary = `/Type /XObject /Subtype /Image /Width ${width} /Height ${height} /ColorSpace /DeviceRGB /BitsPerComponent 8`;
  return pdf(
    root(''),
    PAGES,
    page('/Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >>'),
    stream('', Buffer.from('200 0 0 280 0 0 cm /I Do')),
    stream(`${dictionary} /Filter /${filter}`, data),
  );
}

/** Five thousand bytes that are a picture of 900 megapixels, over which a renderer sits for many seconds. */
export const slowPdf = (): Buffer => image(30_000, 30_000, 'FlateDecode', zipped(5_000_000));

/** A page that is red in its lower half. */
export const redPdf = (): Buffer =>
  pdf(root(''), PAGES, page('/Contents 4 0 R'), stream('', Buffer.from('1 0 0 rg 0 0 200 140 re f')));

/** A form that draws the next one ten times, and so on: a few hundred bytes that draw 10¹⁰ times. */
function drawsWithoutEnd(): Buffer {
  const depth = 10;
  const forms = Array.from({ length: depth }, (_, n) => {
    const is_last = n === depth - 1;
    const draws = is_last ? '0 0 100 100 re f\n'.repeat(10) : '/X Do\n'.repeat(10);
    const resources = is_last ? '' : `/Resources << /XObject << /X ${6 + n} 0 R >> >>`;
    return stream(`/Type /XObject /Subtype /Form /BBox [0 0 200 280] ${resources}`, Buffer.from(draws));
  });
  const first = page('/Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >>');
  return pdf(root(''), PAGES, first, stream('', Buffer.from('/X Do')), ...forms);
}

const refused = (what: string, bytes: Buffer): HostileFile => ({ what, bytes, expected: 'refused' });

/** A picture is made of its pages, and whatever it would do in a reader of PDF stays behind. */
const tamed = (what: string, bytes: Buffer): HostileFile => ({
  ...{ what, bytes, expected: 'harmless', marker: 'hidden-payload' },
});

const either = (what: string, bytes: Buffer): HostileFile => ({
  ...{ what, bytes, expected: 'either', marker: 'hidden-payload' },
});

/** What would do something in a reader of PDF. */
const thatAct = (): HostileFile[] => [
  tamed(
    'PDF with a script when it is opened',
    plain('/OpenAction << /S /JavaScript /JS (app.alert\\("hidden-payload"\\)) >>'),
  ),
  tamed('PDF that starts a program', plain('/OpenAction << /S /Launch /F (hidden-payload.exe) >>')),
  tamed('PDF that opens an address', plain('/OpenAction << /S /URI /URI (https://example.com/hidden-payload) >>')),
  tamed('PDF that sends a form', plain('/OpenAction << /S /SubmitForm /F (https://example.com/hidden-payload) >>')),
  tamed('PDF that opens a file beside it', plain('/OpenAction << /S /GoToR /F (/etc/hidden-payload) /D [0 /Fit] >>')),
  tamed(
    'PDF with a file in it',
    plain(
      '/Names << /EmbeddedFiles << /Names [(a.exe) 4 0 R] >> >>',
      '<< /Type /Filespec /F (a.exe) /EF << /F 5 0 R >> >>',
      stream('/Type /EmbeddedFile', Buffer.from('MZ hidden-payload')),
    ),
  ),
  tamed(
    'PDF with a form of XFA',
    plain(
      '/AcroForm << /XFA 4 0 R /Fields [] >>',
      stream('', Buffer.from('<xdp><script>hidden-payload</script></xdp>')),
    ),
  ),
  tamed(
    'PDF with a script on its page',
    pdf(root(''), PAGES, page('/AA << /O << /S /JavaScript /JS (hidden-payload) >> >>')),
  ),
];

/** What is not built as it says. */
const thatLie = async (good: Buffer): Promise<HostileFile[]> => [
  refused('PDF with a password', await samplePdf(1, { userPassword: 'secret', ownerPassword: 'other' })),
  refused('PDF of 1,000 pages', await samplePdf(1_000)),
  refused('PDF of 21 pages', await samplePdf(21)),
  refused('PDF without pages', pdf(root(''), '<< /Type /Pages /Kids [] /Count 0 >>')),
  either(
    'PDF that says it has 2³¹ pages',
    pdf(root(''), '<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>', page('')),
  ),
  either('PDF whose pages are their own children', pdf(root(''), '<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 4 >>')),
  refused('PDF that ends in the middle', good.subarray(0, 400)),
  refused('PDF and nothing else', Buffer.from('%PDF-1.7\n')),
  either(
    'PDF whose table is elsewhere',
    Buffer.from(good.toString('latin1').replace(/startxref\n\d+/u, 'startxref\n99999999'), 'latin1'),
  ),
  either(
    'PDF whose table refers to itself',
    Buffer.from(good.toString('latin1').replace('/Size', '/Prev 9 /Size'), 'latin1'),
  ),
  refused('PDF of noise', Buffer.concat([Buffer.from('%PDF-1.7\n'), Buffer.alloc(50_000, 0xa5)])),
];

/** What costs more to draw than it should. */
const thatCost = (): HostileFile[] => [
  either(
    'PDF with 60 MB of zipped nothing to draw',
    pdf(root(''), PAGES, page('/Contents 4 0 R'), stream('/Filter /FlateDecode', zipped(60_000_000))),
  ),
  either('PDF with a picture zipped twice', image(2_000, 2_000, 'FlateDecode', deflateSync(zipped(100_000_000)))),
  either('PDF with a picture of 2³¹ by 2³¹', image(2 ** 31 - 1, 2 ** 31 - 1, 'FlateDecode', zipped(1_000))),
  either('PDF with noise as JPEG 2000', image(1_000, 1_000, 'JPXDecode', Buffer.alloc(5_000, 0x5a))),
  either('PDF with noise as JBIG2', image(1_000, 1_000, 'JBIG2Decode', Buffer.alloc(5_000, 0x5a))),
  either('PDF with noise as JPEG', image(1_000, 1_000, 'DCTDecode', Buffer.alloc(5_000, 0x5a))),
  either('PDF of a page as large as a country', pdf(root(''), PAGES, page('', '[0 0 1000000000 1000000000]'))),
  refused('PDF of a page as thin as a hair', pdf(root(''), PAGES, page('', '[0 0 1 14000]'))),
  either('PDF of a page of less than nothing', pdf(root(''), PAGES, page('', '[0 0 -200 -280]'))),
  either('PDF of a page that is no number', pdf(root(''), PAGES, page('', '[0 0 (a) null]'))),
  either(
    'PDF that draws itself',
    pdf(
      root(''),
      PAGES,
      page('/Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >>'),
      stream('', Buffer.from('/X Do')),
      stream(
        '/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >>',
        Buffer.from('/X Do'),
      ),
    ),
  ),
  either('PDF that draws ten times what draws ten times …', drawsWithoutEnd()),
  either('PDF with arrays 100,000 deep', plain(`/A ${'['.repeat(100_000)}${']'.repeat(100_000)}`)),
  either(
    'PDF whose length is another one',
    pdf(root(''), PAGES, page('/Contents 4 0 R'), '<< /Length 4 0 R >>\nstream\nq\nendstream'),
  ),
];

export async function hostilePdfs(): Promise<HostileFile[]> {
  return [...thatAct(), ...(await thatLie(await samplePdf(1))), ...thatCost()];
}
