import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { findTlv, findTlvNumber, TLV } from '../../sms-gateway/smpp/tlv.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { moOrderSchema } from './mo_order.ts';
import type { MoOrderInput } from './mo_order.ts';
import { moParts } from './mo_parts.ts';
import { payloadOf } from './submitted_text.ts';
import { textOf } from './testing/npm_esme.ts';
import { Stage } from './testing/stage.ts';

const ADDRESSES = { from: '+447700900123', to: '+36301234567' } as const;

describe('the parts of a text', () => {
  const ways = ['udh8', 'udh16', 'sar'] as const;

  it.each([
    ['udh8', 'a', 153],
    ['udh16', 'a', 152],
    ['sar', 'a', 153],
    ['udh8', 'ű', 67],
    ['udh16', 'ű', 66],
  ] as const)('hold with %s of "%s" %i characters', (parts, character, characters) => {
    const count = (length: number): number => moParts(order({ parts, text: character.repeat(length) }), 1).length;
    expect([count(characters), count(characters + 1)]).toEqual([1, 2]);
  });

  it('put together are the text, whatever it is and however it is split', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 400 }), fc.string({ maxLength: 900 }));
    fc.assert(
      fc.property(text, fc.constantFrom(...ways), fc.integer({ min: 0, max: 0xffff }), (given, parts, reference) => {
        const bodies = moParts(order({ parts, text: given }), reference);
        const payloads = bodies.map((body) => {
          const { tlvs, data_coding: dc, esm_class: esm } = body;
          const ref = findTlvNumber(tlvs, TLV.sar_msg_ref_num);
          const of = findTlvNumber(tlvs, TLV.sar_total_segments) ?? 0;
          const part = findTlvNumber(tlvs, TLV.sar_segment_seqnum) ?? 0;
          const hex = Buffer.from(body.short_message).toString('hex');
          return payloadOf({ hex, dc, esm, ref: ref === null ? null : { ref, of, part } });
        });
        expect(payloads.map((payload) => payload.text).join('')).toBe(given);
        const ref = parts === 'udh8' ? reference & 0xff : reference;
        const of = bodies.length;
        expect(payloads.map(({ segment }) => segment)).toEqual(bodies.map((_, n) => ({ ref, of, part: n + 1 })));
      }),
      { numRuns: 200 },
    );
  });

  it('never cut a character in two', () => {
    const escaped = moParts(order({ parts: 'udh8', text: '€'.repeat(100) }), 1);
    expect(escaped.map((body) => body.short_message.length)).toEqual([6 + 152, 6 + 48]);
    const pairs = moParts(order({ parts: 'udh8', text: '😀'.repeat(40) }), 1);
    expect(pairs.map((body) => body.short_message.length)).toEqual([6 + 132, 6 + 28]);
  });

  it('are one where nothing says otherwise, in message_payload if it is long', () => {
    const [body, ...others] = moParts(order({ text: 'a'.repeat(300) }), 1);
    expect(others).toEqual([]);
    expect(body?.short_message).toHaveLength(0);
    expect(findTlv(body?.tlvs ?? [], TLV.message_payload)).toHaveLength(300);
  });

  it('have addresses of the type that they look like', () => {
    const tons = (from: string): unknown[] => {
      const [body] = moParts(order({ from, text: '' }), 1);
      return [body?.source_addr, body?.source_addr_ton, body?.source_addr_npi];
    };
    expect([tons('+4477'), tons('12345'), tons('Bank')]).toEqual([
      ['4477', 1, 1],
      ['12345', 3, 0],
      ['Bank', 5, 0],
    ]);
  });
});

describe('a text from a phone', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open();
  });

  afterEach(() => stage.clear());
  afterAll(() => stage.close());

  it('reaches who is bound to receive, and its acknowledgement whoever sent it', async () => {
    const esme = await stage.bound({ as: 'receiver' });
    const result = await stage.carrier.sendMo({ ...ADDRESSES, text: 'Hello {you} €' });
    expect(result.parts).toEqual([{ part: 1, status: 0 }]);
    const [mo] = await esme.deliveries(1);
    expect(mo).toMatchObject({
      source_addr: '447700900123',
      destination_addr: '36301234567',
      esm_class: 0,
      data_coding: 0,
    });
    expect(textOf(mo)).toBe('Hello {you} €');
    const [fact] = (await stage.facts('mo')).filter((one) => one.mo === result.mo);
    expect(fact).toMatchObject({ part: 1, of: 1, from: '447700900123', to: '36301234567', try: 1 });
    expect(payloadOf(fact ?? { hex: '', dc: 0, esm: 0 })).toEqual({ text: 'Hello {you} €', segment: null });
    const acks = (await stage.facts('mo_ack')).filter((one) => one.mo === result.mo);
    expect(acks).toMatchObject([{ part: 1, try: 1, status: 0 }]);
  });

  it('comes in parts, in any order and with one missing', async () => {
    const esme = await stage.bound();
    const text = 'abcdefghij'.repeat(4);
    const short = { ...ADDRESSES, text, part_octets_max: 10, reference: 0x1234 } as const;
    const reversed = await stage.carrier.sendMo({ ...short, parts: 'udh16', order: 'reversed' });
    expect(reversed.parts).toEqual([4, 3, 2, 1].map((part) => ({ part, status: 0 })));
    await stage.carrier.sendMo({ ...short, parts: 'sar', missing_part: 2 });
    const arrived = await esme.deliveries(7);
    expect(arrived.slice(0, 4).map((one) => one.short_message?.udh?.[0]?.toString('hex'))).toEqual(
      [4, 3, 2, 1].map((part) => `08041234040${part}`),
    );
    expect(arrived.slice(4).map((one) => [one.sar_segment_seqnum, one.sar_total_segments])).toEqual([
      [1, 4],
      [3, 4],
      [4, 4],
    ]);
    const shuffled = await stage.carrier.sendMo({ ...short, parts: 'udh8', part_octets_max: 4, order: 'shuffled' });
    const order_of_parts = shuffled.parts.map(({ part }) => part);
    expect(order_of_parts).not.toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(order_of_parts.toSorted((one, other) => one - other)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('is not given up until it is acknowledged, and waits for a bind that can receive', async () => {
    const sent = stage.carrier.sendMo({ ...ADDRESSES, text: 'patient', system_id: 'ben' });
    const deaf = await stage.bound({ system_id: 'ben', acknowledge: () => null });
    await deaf.deliveries(1);
    deaf.end();
    const stranger = await stage.bound({ system_id: 'ann' });
    const transmitter = await stage.bound({ system_id: 'ben', as: 'transmitter' });
    const esme = await stage.bound({ system_id: 'ben' });
    const { mo, parts } = await sent;
    expect(parts).toEqual([{ part: 1, status: 0 }]);
    expect(textOf((await esme.deliveries(1))[0])).toBe('patient');
    expect([...stranger.heard, ...transmitter.heard].filter(({ command }) => command === 'deliver_sm')).toEqual([]);
    const tries = (await stage.facts('mo')).filter((one) => one.mo === mo).map((one) => one.try);
    expect(tries).toEqual([1, 2]);
  });

  it('tells with which status it was refused, or that nothing was said yet', async () => {
    const rude = await stage.bound({ acknowledge: () => STATUS.ESME_RX_P_APPN });
    const refused = await stage.carrier.sendMo({ ...ADDRESSES, text: 'rude' });
    expect(refused.parts).toEqual([{ part: 1, status: STATUS.ESME_RX_P_APPN }]);
    rude.end();
    const silent = await stage.bound({ acknowledge: () => null });
    const waiting = await stage.carrier.sendMo({ ...ADDRESSES, octets_hex: '00ff', data_coding: 4, wait_ms: 50 });
    expect(waiting.parts).toEqual([{ part: 1, status: null }]);
    expect((await silent.deliveries(1))[0]?.short_message?.message).toEqual(Buffer.from([0, 0xff]));
    silent.end();
    // Whoever comes next gets it, so that it is gone.
    await (await stage.bound()).deliveries(1);
  });

  it('is refused by the carrier where it makes no sense', async () => {
    const wrong = { ...ADDRESSES, text: 'x', octets_hex: '00' };
    await expect(stage.carrier.sendMo(wrong)).rejects.toThrow(/either text or octets_hex/u);
    const endless = { ...ADDRESSES, text: 'x'.repeat(1_024), parts: 'sar', part_octets_max: 4 } as const;
    await expect(stage.carrier.sendMo(endless)).rejects.toThrow(/256 parts/u);
    await expect(stage.carrier.sendMo({ ...ADDRESSES, text: 'x', system_id: 'eve' })).rejects.toThrow(/eve/u);
  });
});

function order(changes: Partial<MoOrderInput>): ReturnType<typeof moOrderSchema.parse> {
  return moOrderSchema.parse({ ...ADDRESSES, ...changes });
}
