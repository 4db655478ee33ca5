import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinParts, readArrival } from '../../arrivals/read_arrival.ts';
import { arrivalBodies } from './arrival_bodies.ts';
import type { ToldText } from './told_text.ts';

const text: ToldText = {
  id: '0199a3c4-1234-7abc-8def-0123456789ab',
  sender: '+447700900999',
  recipient: '+4930123456',
  body: 'Hello @ home',
  encoding: 'gsm7',
  client_ref: null,
  accepted_at: new Date(0),
  ended: null,
};

/** As whoever gets the parts reads them. */
function read(of: ToldText): { body: string; part_nos: (number | null)[] } {
  const parts = arrivalBodies(of).map((pdu) => readArrival(pdu, null));
  const { body } = joinParts(parts, 'gsm7');
  return { body, part_nos: parts.map(({ concatenation }) => concatenation?.part_no ?? null) };
}

describe('a text for a bind', () => {
  it('is one deliver_sm where it is short', () => {
    const [body, ...more] = arrivalBodies(text);
    expect(more).toEqual([]);
    expect(body).toMatchObject({
      ...{ esm_class: 0, data_coding: 0, source_addr: '447700900999', destination_addr: '4930123456' },
      ...{ source_addr_ton: 1, dest_addr_ton: 1 },
    });
    expect(body?.short_message[6]).toBe(0);
  });

  it('is in parts where it is long, the same ones each time', () => {
    const long: ToldText = { ...text, body: 'я'.repeat(100), encoding: 'ucs2' };
    const bodies = arrivalBodies(long);
    expect(
      bodies.map(({ esm_class, data_coding, short_message }) => [esm_class, data_coding, short_message.length]),
    ).toEqual([
      [0x40, 8, 6 + 134],
      [0x40, 8, 6 + 66],
    ]);
    expect(arrivalBodies(long)).toEqual(bodies);
    expect(read(long)).toEqual({ body: 'я'.repeat(100), part_nos: [1, 2] });
  });

  it('keeps the octets of a binary one', () => {
    const binary: ToldText = { ...text, encoding: 'binary', body: '00ff'.repeat(100) };
    const bodies = arrivalBodies(binary);
    expect(bodies.map(({ data_coding }) => data_coding)).toEqual([4, 4]);
    expect(Buffer.concat(bodies.map(({ short_message }) => short_message.subarray(6))).toString('hex')).toBe(
      binary.body,
    );
    expect(read({ ...binary, body: '00ff[…]00' }).body).toBe('00ff[…]00');
  });

  it('is from a name or a short code, too, of whatever length', () => {
    expect(arrivalBodies({ ...text, sender: 'A name of 21 letters.' })[0]).toMatchObject({
      source_addr_ton: 5,
      source_addr: 'A name of 21 letters',
    });
    expect(arrivalBodies({ ...text, sender: '12345' })[0]).toMatchObject({ source_addr_ton: 3, source_addr: '12345' });
  });

  it('is none once it was erased', () => {
    expect(arrivalBodies({ ...text, body: null })).toEqual([]);
  });

  it('comes out as it went in', () => {
    const readable = fc
      .string({ unit: fc.constantFrom('a', 'é', '€', '[', 'я', '😀', '日', ' ', '\n'), maxLength: 400, size: 'max' })
      .filter((body) => body !== '');
    fc.assert(
      fc.property(readable, (body) => {
        expect(read({ ...text, body }).body).toBe(body);
      }),
    );
  });
});
