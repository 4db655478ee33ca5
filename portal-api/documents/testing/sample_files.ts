import PDFDocument from 'pdfkit';
import sharp from 'sharp';

/** A picture as a phone takes one, small: noise, so that it does not compress to nothing. */
export async function samplePicture(side_px = 400): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  return sharp({ create: { width: side_px, height: side_px, channels: 3, background: '#808080', noise } })
    .jpeg()
    .toBuffer();
}

/** The same with where and by what it was taken. */
export async function pictureWithPlace(): Promise<Buffer> {
  return sharp(await samplePicture())
    .withExif({
      IFD0: { Make: 'PhoneMaker', Artist: 'Ada Example' },
      IFD3: {
        GPSLatitudeRef: 'N',
        GPSLatitude: '52/1 31/1 12/1',
        GPSLongitudeRef: 'E',
        GPSLongitude: '13/1 24/1 36/1',
      },
    })
    .jpeg()
    .toBuffer();
}

export function samplePdf(page_count: number, settings: PDFKit.PDFDocumentOptions = {}): Promise<Buffer> {
  return new Promise((resolve) => {
    const document = new PDFDocument({ size: [200, 280], margin: 10, ...settings, autoFirstPage: false });
    const parts: Buffer[] = [];
    document.on('data', (part: Buffer) => parts.push(part));
    document.on('end', () => resolve(Buffer.concat(parts)));
    for (let n = 1; n <= page_count; n += 1) document.addPage().text(`Page ${n} of a bill`);
    document.end();
  });
}

/** A form with one document, as a browser sends it. */
export function documentForm(type: string, bytes: Buffer, name = 'scan.jpg', media_type = 'image/jpeg'): FormData {
  const form = new FormData();
  form.set('type', type);
  form.set('file', new Blob([new Uint8Array(bytes)], { type: media_type }), name);
  return form;
}
