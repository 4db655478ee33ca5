import { describe, expect, it } from 'vitest';
import type { RefusalCode } from '../../accept/refusal.ts';
import type { DataSmBody, ShortMessageBody } from '../../smpp/pdu.ts';
import { STATUS } from '../../smpp/status.ts';
import type { StatusName } from '../../smpp/status.ts';
import { TLV, tlvUint16 } from '../../smpp/tlv.ts';
import { readSubmission } from './read_submission.ts';
import type { Submission } from './read_submission.ts';
import { statusOf } from './refusal_status.ts';

const now_ms = Date.UTC(2026, 0, 15, 12);
const HOUR_MS = 3_600_000;
const esme = { system_id: 'acme', default_class: 'normal', on_doubt: 'resend' } as const;
const context = { esme, home_country: 'DE', now_ms };

type SubmitSm = ShortMessageBody & { command: 'submit_sm' };

const submit = (changes: Partial<SubmitSm> = {}): SubmitSm => ({
  ...{ command: 'submit_sm', service_type: '', source_addr_ton: 1, source_addr_npi: 1, source_addr: '4930123456' },
  ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '447700900123', esm_class: 0, protocol_id: 0 },
  ...{ priority_flag: 0, schedule_delivery_time: '', validity_period: '', registered_delivery: 0 },
  ...{ replace_if_present_flag: 0, data_coding: 0, sm_default_msg_id: 0, short_message: Buffer.from('Hi'), tlvs: [] },
  ...changes,
});

function requestOf(pdu: Submission) {
  const read = readSubmission(pdu, '+447700900123', context);
  if (read.kind === 'refused') throw new Error(read.why);
  return read.request;
}

const statusOfRefused = (changes: Partial<SubmitSm>): number => {
  const read = readSubmission(submit(changes), '+447700900123', context);
  return read.kind === 'refused' ? read.status : STATUS.ESME_ROK;
};

describe('a submit_sm', () => {
  it('asks for a text', () => {
    expect(requestOf(submit())).toEqual({
      ...{ sender: '+4930123456', recipient: '+447700900123', class: 'normal', on_doubt: 'resend' },
      content: { kind: 'raw', data_coding: 0, has_udh: false, octets: Buffer.from('Hi') },
      ...{ client_ref: null, idempotency_key: null, due_at_ms: null, valid_for_ms: null, wants_receipt: false },
      ...{ source: 'smpp', system_id: 'acme' },
    });
  });

  it.each([
    [0, 'normal'],
    [1, 'normal'],
    [2, 'code'],
    [3, 'code'],
  ])('of priority %i is of class %s', (priority_flag, expected) => {
    expect(requestOf(submit({ priority_flag })).class).toBe(expected);
  });

  it('is of the class and held in doubt as the customer’s row says, save a code', () => {
    const of = (priority_flag: number) =>
      readSubmission(submit({ priority_flag }), '+447700900123', {
        ...context,
        esme: { ...esme, default_class: 'bulk', on_doubt: 'hold' },
      });
    expect(of(0)).toMatchObject({ request: { class: 'bulk', on_doubt: 'hold' } });
    expect(of(3)).toMatchObject({ request: { class: 'code', on_doubt: 'hold' } });
  });

  it.each([
    [0, false],
    [1, true],
    [2, true],
    [3, true],
    [16, false],
    [17, true],
  ])('with registered_delivery %i wants a receipt: %s', (registered_delivery, expected) => {
    expect(requestOf(submit({ registered_delivery })).wants_receipt).toBe(expected);
  });

  it('brings the reference of its sender', () => {
    const tlvs = [tlvUint16(TLV.user_message_reference, 513)];
    expect(requestOf(submit({ tlvs })).client_ref).toBe('513');
  });

  it('may be due and valid until a time', () => {
    const schedule_delivery_time = '260115140000000+';
    expect(requestOf(submit({ schedule_delivery_time }))).toMatchObject({
      due_at_ms: now_ms + 2 * HOUR_MS,
      valid_for_ms: null,
    });
    expect(requestOf(submit({ validity_period: '000000010000000R' }))).toMatchObject({
      due_at_ms: null,
      valid_for_ms: HOUR_MS,
    });
    // Both are counted from now, and what is left of the validity begins when the text is due.
    expect(requestOf(submit({ schedule_delivery_time, validity_period: '000000050000000R' }))).toMatchObject({
      due_at_ms: now_ms + 2 * HOUR_MS,
      valid_for_ms: 3 * HOUR_MS,
    });
  });

  it.each<[StatusName, Partial<SubmitSm>]>([
    ['ESME_ROK', { esm_class: 0x03 }],
    ['ESME_ROK', { esm_class: 0x80 }],
    ['ESME_RINVESMCLASS', { esm_class: 0x02 }],
    ['ESME_RINVESMCLASS', { esm_class: 0x04 }],
    ['ESME_RINVESMCLASS', { esm_class: 0x08 }],
    ['ESME_RINVSERTYP', { service_type: 'USSD' }],
    ['ESME_ROK', { service_type: 'CMT' }],
    ['ESME_RINVPRTFLG', { priority_flag: 4 }],
    ['ESME_RINVREPFLAG', { replace_if_present_flag: 1 }],
    ['ESME_RINVDFTMSGID', { sm_default_msg_id: 1 }],
    ['ESME_RINVSCHED', { schedule_delivery_time: 'tomorrow' }],
    ['ESME_RINVEXPIRY', { validity_period: 'for ever' }],
    ['ESME_RINVEXPIRY', { validity_period: '260115115900000+' }],
    ['ESME_RINVEXPIRY', { schedule_delivery_time: '260115140000000+', validity_period: '000000010000000R' }],
    ['ESME_RINVMSGLEN', { tlvs: [{ tag: TLV.message_payload, value: Buffer.from('Ho') }] }],
  ])('is answered %s for %o', (status, changes) => {
    expect(statusOfRefused(changes)).toBe(STATUS[status]);
  });
});

describe('a data_sm', () => {
  const data: DataSmBody = {
    ...{ command: 'data_sm', service_type: '', source_addr_ton: 5, source_addr_npi: 0, source_addr: 'ACME' },
    ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: '447700900123', esm_class: 0, data_coding: 8 },
    registered_delivery: 1,
    tlvs: [
      { tag: TLV.message_payload, value: Buffer.from([0x04, 0x1f]) },
      { tag: TLV.qos_time_to_live, value: Buffer.from([0, 0, 0x0e, 0x10]) },
    ],
  };

  it('asks for a text like a submit_sm', () => {
    expect(requestOf(data)).toMatchObject({
      ...{ sender: 'ACME', content: { data_coding: 8, octets: Buffer.from([0x04, 0x1f]) } },
      ...{ due_at_ms: null, valid_for_ms: HOUR_MS, wants_receipt: true, class: 'normal' },
    });
  });

  it('may not wait for the handset', () => {
    expect(readSubmission({ ...data, esm_class: 2 }, '+447700900123', context)).toMatchObject({
      kind: 'refused',
      status: STATUS.ESME_RINVESMCLASS,
    });
  });
});

describe('a refusal', () => {
  it.each<[RefusalCode, StatusName]>([
    ['no_money', 'ESME_RSUBMITFAIL'],
    ['spend_day', 'ESME_RSUBMITFAIL'],
    ['restricted', 'ESME_RSUBMITFAIL'],
    ['sender_not_yours', 'ESME_RINVSRCADR'],
    ['invalid_recipient', 'ESME_RINVDSTADR'],
    ['opted_out', 'ESME_RINVDSTADR'],
    ['text_too_long', 'ESME_RINVMSGLEN'],
    ['too_fast', 'ESME_RTHROTTLED'],
    ['queue_full', 'ESME_RMSGQFUL'],
    ['account_queue_full', 'ESME_RMSGQFUL'],
    ['unavailable', 'ESME_RSYSERR'],
    ['invalid_time', 'ESME_RINVEXPIRY'],
  ])('because of %s is %s', (code, status) => {
    expect(statusOf(code, { due_at_ms: null })).toBe(STATUS[status]);
  });

  it('because of a time is about the time that was given', () => {
    expect(statusOf('invalid_time', { due_at_ms: 1 })).toBe(STATUS.ESME_RINVSCHED);
  });
});
