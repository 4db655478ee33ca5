import { expect, it } from 'vitest';
import type { RateDeck } from '../../domain/rating/rate_deck.ts';
import type { NationalLanguage } from '../../domain/texts/encoding/national_language.ts';
import { judgeText } from './judge_text.ts';
import type { JudgeOptions } from './judge_text.ts';
import type { TextPayer } from './payer.ts';
import type { TextRequest } from './text_request.ts';

const payer: TextPayer = {
  ...{ account_id: 'a', wallet_id: 1n, currency: 'EUR', tax_ppm: 0, text_deck: 'retail', home_country: 'GB' },
  blocked_prefixes: [],
};

function request(text: string): TextRequest {
  return {
    ...{ sender: 'ACME', recipient: '+447700900123', content: { kind: 'text', text }, class: 'normal' },
    ...{ on_doubt: 'resend', client_ref: null, idempotency_key: null, due_at_ms: null, valid_for_ms: null },
    ...{ wants_receipt: false, source: 'http', system_id: null },
  };
}

function options(languages: readonly NationalLanguage[], segments_max = 10): JudgeOptions {
  return {
    sell: () => ({
      ...{ rate_micros_per_segment: 1_000n, prefix: '44', destination: 'UK' },
      deck: { id: 1 } as unknown as RateDeck,
    }),
    ...{ newId: () => 'x', now: () => 0, segments_max, validity_ms: 1, ahead_ms_max: 1 },
    national_languages: () => languages,
  };
}

function judged(text: string, languages: readonly NationalLanguage[], segments_max = 10): unknown {
  const judgement = judgeText(request(text), payer, options(languages, segments_max));
  if (judgement.kind === 'refused') return judgement.refusal.code;
  const { encoding, segments, net_micros, body } = judgement.text;
  expect(body).toBe(text);
  return [encoding, segments, net_micros];
}

it('a text is priced by national tables only where all carriers take them, and else by what is sure', () => {
  const turkish = 'ş'.repeat(156);
  expect(judged(turkish, ['urdu', 'turkish'])).toEqual(['gsm7', 2, 2_000n]);
  expect(judged(turkish, [])).toEqual(['ucs2', 3, 3_000n]);
  expect(judged(turkish, ['spanish'])).toEqual(['ucs2', 3, 3_000n]);
  expect(judged('Merhaba', ['turkish'])).toEqual(['gsm7', 1, 1_000n]);
  expect(judged('ş', ['turkish'])).toEqual(['ucs2', 1, 1_000n]);
  // Too long otherwise.
  expect(judged(turkish, ['turkish'], 2)).toEqual(['gsm7', 2, 2_000n]);
  expect([judged(turkish, [], 2), judged(turkish, ['turkish'], 1)]).toEqual(['text_too_long', 'text_too_long']);
  expect(judged('^'.repeat(200), ['portuguese'], 2)).toBe('text_too_long');
});

it('what would lose something as a text is kept to the octet: one to be shown at once, half a character', () => {
  const encodingOf = (data_coding: number, octets: readonly number[]): unknown => {
    const content = { kind: 'raw', data_coding, has_udh: false, octets: Buffer.from(octets) } as const;
    const judgement = judgeText({ ...request('x'), content }, payer, options([]));
    return judgement.kind === 'good' ? [judgement.text.encoding, judgement.text.segments] : judgement.refusal.code;
  };
  expect(encodingOf(0, [0x48, 0x69])).toEqual(['gsm7', 1]);
  for (const flash of [0x10, 0x18, 0xf0]) expect(encodingOf(flash, [0x00, 0x48])).toEqual(['binary', 1]);
  expect(encodingOf(8, [0xd8, 0x3d])).toEqual(['binary', 1]);
});
