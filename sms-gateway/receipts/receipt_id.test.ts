import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalSubmitId, sharedNumber, submitIdsOf } from './receipt_id.ts';
import type { ReceiptIdForm } from './receipt_id.ts';

const number = fc.oneof(
  fc.bigInt({ min: 0n, max: 40n }),
  fc.bigInt({ min: 0n, max: 2n ** 32n }),
  fc.bigInt({ min: 2n ** 60n, max: 2n ** 200n }),
);
const padding = fc.integer({ min: 0, max: 12 }).map((zeros) => '0'.repeat(zeros));
const spaces = fc.constantFrom('', ' ', '  ');

/** One number as a carrier may write it: padded, in upper or lower case, with blanks around. */
function inHex(value: bigint): fc.Arbitrary<string> {
  return fc.tuple(padding, fc.boolean(), spaces, fc.constantFrom('', '0x')).map(([zeros, upper, blank, prefix]) => {
    const digits = value.toString(16);
    return `${blank}${prefix}${zeros}${upper ? digits.toUpperCase() : digits}${blank}`;
  });
}

function inDecimal(value: bigint): fc.Arbitrary<string> {
  return fc.tuple(padding, spaces).map(([zeros, blank]) => `${blank}${zeros}${value}${blank}`);
}

type Notation = (value: bigint) => fc.Arbitrary<string>;

const numeric: readonly [ReceiptIdForm, Notation, Notation][] = [
  ['hex_then_decimal', inHex, inDecimal],
  ['decimal_then_hex', inDecimal, inHex],
];

const anything: readonly [Notation, Notation][] = [
  [inHex, inDecimal],
  [inDecimal, inHex],
  [inHex, inHex],
  [inDecimal, inDecimal],
];

/** Ids that a carrier tells apart: no blanks around them, and not longer than any index would hold. */
const opaque = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64 }).filter((id) => id === id.trim());

describe('the id of a receipt', () => {
  it.each(numeric)('matches the one that was submitted: %s', (form, submits, receipts) => {
    fc.assert(
      fc.property(
        number.chain((value) => fc.tuple(submits(value), receipts(value))),
        ([submitted, receipt]) => {
          expect(submitIdsOf(receipt, form)).toContain(canonicalSubmitId(submitted, form));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each(numeric)('matches no other message: %s', (form, submits, receipts) => {
    const two = fc.tuple(number, number).filter(([one, other]) => one !== other);
    fc.assert(
      fc.property(
        two.chain(([one, other]) => fc.tuple(submits(one), receipts(other))),
        ([submitted, receipt]) => {
          expect(submitIdsOf(receipt, form)).not.toContain(canonicalSubmitId(submitted, form));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it.each(anything)('matches in any two notations where the form is any', (submits, receipts) => {
    fc.assert(
      fc.property(
        number.chain((value) => fc.tuple(submits(value), receipts(value))),
        ([submitted, receipt]) => {
          expect(submitIdsOf(receipt, 'any')).toContain(canonicalSubmitId(submitted, 'any'));
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('that is no number matches itself, and nothing else, in every form', () => {
    const forms = ['same', 'hex_then_decimal', 'decimal_then_hex', 'any'] as const;
    const no_number = opaque.filter((id) => !/^(0x)?[0-9a-f]+$/iu.test(id));
    fc.assert(
      fc.property(fc.constantFrom(...forms), no_number, no_number, (form, one, other) => {
        expect(submitIdsOf(one, form)).toEqual([canonicalSubmitId(one, form)]);
        if (one !== other) expect(submitIdsOf(one, form)).not.toContain(canonicalSubmitId(other, form));
      }),
    );
  });

  it('is the same, or another, to the character where the form is same', () => {
    fc.assert(
      fc.property(opaque, opaque, (one, other) => {
        expect(submitIdsOf(one, 'same')).toEqual([canonicalSubmitId(one, 'same')]);
        expect(submitIdsOf(one, 'same').includes(canonicalSubmitId(other, 'same'))).toBe(one === other);
      }),
    );
    expect(submitIdsOf('0A', 'same')).toEqual(['0A']);
    expect(canonicalSubmitId(' 0A ', 'same')).toBe('0A');
  });

  it('with letters is hex even where decimal was agreed', () => {
    expect(canonicalSubmitId('00FF', 'decimal_then_hex')).toBe('ff');
    expect(submitIdsOf('00FF', 'hex_then_decimal')).toEqual(['ff']);
  });

  it('that fills a packet is cut on both sides, and is no number', () => {
    for (const form of ['same', 'hex_then_decimal', 'decimal_then_hex', 'any'] as const) {
      const id = `x${'9'.repeat(60_000)}`;
      expect(canonicalSubmitId(id, form)).toHaveLength(255);
      expect(submitIdsOf(id, form)).toEqual([canonicalSubmitId(id, form)]);
    }
  });

  it('agrees with another notation of the same number', () => {
    expect(sharedNumber('1A', '26')).toBe(26n);
    expect(sharedNumber('0026', '1a')).toBe(26n);
    expect(sharedNumber('18446744073709551616', '10000000000000000')).toBe(2n ** 64n);
    expect(sharedNumber('1A', '27')).toBeNull();
    expect(sharedNumber('a-1', 'a-1')).toBeNull();
  });
});
