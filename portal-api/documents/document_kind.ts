/** What a file can be that we read. */
export type DocumentKind = 'jpeg' | 'png' | 'webp' | 'pdf';

const BEGINNINGS: readonly { kind: DocumentKind | 'heic'; offset: number; bytes: Buffer }[] = [
  { kind: 'jpeg', offset: 0, bytes: Buffer.from('ffd8ff', 'hex') },
  { kind: 'png', offset: 0, bytes: Buffer.from('89504e470d0a1a0a', 'hex') },
  { kind: 'webp', offset: 8, bytes: Buffer.from('WEBPVP8') },
  { kind: 'pdf', offset: 0, bytes: Buffer.from('%PDF-') },
  ...['heic', 'heix', 'hevc', 'mif1', 'msf1'].map((brand) => ({
    kind: 'heic' as const,
    offset: 4,
    bytes: Buffer.from(`ftyp${brand}`),
  })),
];

/**
 * What a file is by how it begins. Neither its name nor what the sender calls its type says anything, and a PDF that begins with
 * something else, as readers of PDF allow, is none here: it could be two things at once. `heic` is told apart to be refused with a
 * word that helps whoever took the picture with a phone.
 */
export function kindOf(bytes: Buffer): DocumentKind | 'heic' | null {
  const found = BEGINNINGS.find(({ offset, bytes: beginning }) =>
    bytes.subarray(offset, offset + beginning.length).equals(beginning),
  );
  return found?.kind ?? null;
}
