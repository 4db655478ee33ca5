import { describe, expect, it } from 'vitest';
import type { ReplaceSmBody } from '../../smpp/pdu.ts';
import { STATUS } from '../../smpp/status.ts';
import { readReplacement } from './replacement.ts';
import type { StoredText } from '../../accept/stored_text.ts';

const now_ms = Date.UTC(2026, 0, 15, 12);
const HOUR_MS = 3_600_000;

const text: StoredText = {
  ...{ id: '0199a3c4-1234-7abc-8def-0123456789ab', sender: 'ACME', recipient: '+447700900123', body: 'Hi' },
  ...{
    encoding: 'gsm7',
    class: 'normal',
    wants_receipt: true,
    due_at: null,
    state: 'queued',
    since: new Date(now_ms),
    error: null,
  },
};

const replace = (changes: Partial<ReplaceSmBody> = {}): ReplaceSmBody => ({
  ...{ command: 'replace_sm', message_id: '', source_addr_ton: 0, source_addr_npi: 0, source_addr: '' },
  ...{ schedule_delivery_time: '', validity_period: '', registered_delivery: 1, sm_default_msg_id: 0 },
  ...{ short_message: Buffer.from('Ho'), tlvs: [] },
  ...changes,
});

function wished(changes: Partial<ReplaceSmBody>, of: StoredText = text) {
  const read = readReplacement(replace(changes), of, now_ms);
  if (read.kind === 'refused') throw new Error(read.why);
  return read;
}

describe('a replace_sm', () => {
  it('asks for another text in the alphabet of the first', () => {
    expect(wished({}).request).toMatchObject({
      ...{ sender: 'ACME', recipient: '+447700900123', wants_receipt: true, due_at_ms: null, valid_for_ms: null },
      content: { data_coding: 0, has_udh: false, octets: Buffer.from('Ho') },
    });
    expect(wished({}, { ...text, encoding: 'ucs2' }).request.content).toMatchObject({ data_coding: 8 });
    const binary = wished({}, { ...text, encoding: 'binary', body: 'f5u0003' });
    expect(binary.request.content).toMatchObject({ data_coding: 0xf5, has_udh: true });
  });

  it('leaves the times as they were where it says nothing of them', () => {
    const due_at = new Date(now_ms + HOUR_MS);
    expect(wished({}, { ...text, due_at })).toMatchObject({
      is_due_anew: false,
      is_valid_anew: false,
      request: { due_at_ms: due_at.getTime() },
    });
  });

  it('may ask for other times', () => {
    const later = wished({ schedule_delivery_time: '000000020000000R' });
    expect(later).toMatchObject({
      is_due_anew: true,
      is_valid_anew: true,
      request: { due_at_ms: now_ms + 2 * HOUR_MS },
    });
    const due_at = new Date(now_ms + HOUR_MS);
    const longer = wished({ validity_period: '000000030000000R' }, { ...text, due_at });
    expect(longer).toMatchObject({ is_due_anew: false, is_valid_anew: true, request: { valid_for_ms: 2 * HOUR_MS } });
    const past = readReplacement(replace({ validity_period: '000000003000000R' }), { ...text, due_at }, now_ms);
    expect(past).toMatchObject({ kind: 'refused', status: STATUS.ESME_RINVEXPIRY });
  });

  it('has no predefined texts to offer', () => {
    const read = readReplacement(replace({ sm_default_msg_id: 1 }), text, now_ms);
    expect(read).toMatchObject({ kind: 'refused', status: STATUS.ESME_RINVDFTMSGID });
  });
});
