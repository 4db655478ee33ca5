import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { emailSpelling } from '../../domain/privacy/sealing.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';

/**
 * The Message-ID of each mail holds a MAC of itself and of whom it is for. Anybody can write a report that looks as if some mail could not be
 * delivered, and send it to where reports are read; only one about a mail of ours to that very address holds such an id.
 */

type MacKey = Pick<KeyRing, 'index_key'>;

export function newMailId(ring: MacKey, to: string, from: string): string {
  const id = randomUUID();
  const [, domain = 'localhost'] = /@([A-Za-z0-9.-]+)>?\s*$/u.exec(from) ?? [];
  return `<${id}.${macOf(ring, id, to).toString('hex')}@${domain}>`;
}

/** Whether one of the ids that a text holds is of a mail of ours to that address. */
export function isOfMailTo(ring: MacKey, text: string, address: string): boolean {
  return [...text.matchAll(/<([0-9a-f-]{36})\.([0-9a-f]{32})@/gu)].some(([, id = '', mac = '']) =>
    timingSafeEqual(macOf(ring, id, address), Buffer.from(mac, 'hex')),
  );
}

const MAC_BYTES = 16;

function macOf({ index_key }: MacKey, id: string, address: string): Buffer {
  const mac = createHmac('sha256', index_key).update(`mail_id\0${id}\0${emailSpelling(address)}`);
  return mac.digest().subarray(0, MAC_BYTES);
}
