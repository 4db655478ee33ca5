import { randomBytes } from 'node:crypto';
import { KEY_BYTES, seal, unseal } from '../../domain/privacy/sealing.ts';

/** A document as it is kept: its pages in one file that is sealed by a key of its own, which the key of the account seals. */
export interface SealedDocument {
  key_sealed: Buffer;
  /** How many bytes each page has, in order. */
  page_bytes: number[];
  file: Buffer;
}

export function sealDocument(account_key: Buffer, id: string, pages: readonly Buffer[]): SealedDocument {
  const key = randomBytes(KEY_BYTES);
  return {
    key_sealed: seal(account_key, `kyc_document.key_sealed:${id}`, key),
    page_bytes: pages.map((page) => page.length),
    file: seal(key, `kyc_document.file:${id}`, Buffer.concat(pages)),
  };
}

/** Throws where the account's key is not the one, or anything was changed. */
export function unsealDocument(
  account_key: Buffer,
  id: string,
  { key_sealed, page_bytes, file }: SealedDocument,
): readonly Buffer[] {
  const key = unseal(account_key, `kyc_document.key_sealed:${id}`, key_sealed);
  const bytes = unseal(key, `kyc_document.file:${id}`, file);
  let from = 0;
  return page_bytes.map((length) => bytes.subarray(from, (from += length)));
}
