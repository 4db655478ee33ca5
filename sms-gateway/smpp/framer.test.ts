import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from './encode.ts';
import { Framer } from './framer.ts';
import type { Pdu } from './pdu.ts';
import { arbitraryPdu } from './testing/arbitrary_pdu.ts';
import { sampleSubmitSm } from './testing/sample.ts';

const OCTETS_MAX = 65_536;

function drain(framer: Framer): unknown[] {
  const found: unknown[] = [];
  for (let next = framer.next(); next !== null; next = framer.next()) {
    found.push(next.kind === 'pdu' ? next.pdu : next);
  }
  return found;
}

const submit: Pdu = { ...sampleSubmitSm(), command_status: 0, sequence_number: 1 };

describe('the framer', () => {
  it('gives the same PDUs wherever the chunks are cut', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5_000 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(fc.array(arbitraryPdu, { minLength: 1, maxLength: 12 }), sizes, (pdus, chunk_octets) => {
        const stream = Buffer.concat(pdus.map(encode));
        const framer = new Framer(OCTETS_MAX);
        const found: Buffer[] = [];
        for (let from = 0, turn = 0; from < stream.length; turn += 1) {
          const to = from + (chunk_octets[turn % chunk_octets.length] ?? 1);
          framer.push(stream.subarray(from, to));
          found.push(...drain(framer).map((pdu) => encode(pdu as Pdu)));
          from = to;
        }
        expect(Buffer.concat(found).equals(stream)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('lets its caller stop in the middle of a chunk, and goes on there', () => {
    const framer = new Framer(OCTETS_MAX);
    const three = Buffer.concat([
      encode(submit),
      encode({ ...submit, sequence_number: 2 }),
      encode({ ...submit, sequence_number: 3 }),
    ]);
    framer.push(three.subarray(0, -4));
    expect(framer.next()).toMatchObject({ pdu: { sequence_number: 1 } });
    framer.push(three.subarray(-4));
    expect(drain(framer)).toMatchObject([{ sequence_number: 2 }, { sequence_number: 3 }]);
  });

  it('hands out views of a whole PDU, not copies', () => {
    const octets = encode(submit);
    const framer = new Framer(OCTETS_MAX);
    framer.push(octets);
    const next = framer.next();
    const text = next?.kind === 'pdu' && next.pdu.command === 'submit_sm' ? next.pdu.short_message : null;
    expect(text?.buffer).toBe(octets.buffer);
  });

  it('goes on after a PDU that is malformed within its length', () => {
    const framer = new Framer(OCTETS_MAX);
    const broken = encode(submit);
    broken[broken.length - 6] = 200;
    framer.push(Buffer.concat([broken, encode(submit)]));
    expect(drain(framer)).toMatchObject([{ kind: 'malformed' }, { command: 'submit_sm' }]);
  });

  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), /HTTP/u],
    ['the hello of TLS', Buffer.from('16030100c8010000', 'hex'), /TLS/u],
    ['a length of 0', Buffer.from('00000000', 'hex'), /less than a header/u],
    ['a length of 15', Buffer.from('0000000f', 'hex'), /less than a header/u],
    ['a length over the cap', Buffer.from('00010001', 'hex'), /longer than 65536/u],
  ])('refuses %s at its fourth byte, and takes nothing more', (_, octets, why) => {
    for (const size of [1, 3, octets.length]) {
      const framer = new Framer(OCTETS_MAX);
      framer.push(octets.subarray(0, Math.min(size, 3)));
      expect(drain(framer)).toEqual([]);
      framer.push(octets.subarray(Math.min(size, 3)));
      const found = drain(framer);
      expect(found).toMatchObject([{ kind: 'unframeable', command_length: octets.readUInt32BE(0) }]);
      expect((found[0] as { why: string }).why).toMatch(why);
      framer.push(encode(submit));
      expect(drain(framer)).toEqual([]);
    }
  });

  it('takes a PDU exactly as long as the cap', () => {
    const framer = new Framer(encode(submit).length);
    framer.push(encode(submit));
    expect(drain(framer)).toHaveLength(1);
    framer.pdu_octets_max = encode(submit).length - 1;
    framer.push(encode(submit));
    expect(drain(framer)).toMatchObject([{ kind: 'unframeable' }]);
  });
});
