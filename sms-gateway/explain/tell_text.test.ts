import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { STATUS } from '../smpp/status.ts';
import { composeTextStory } from './compose_text_story.ts';
import { tellText } from './tell_text.ts';
import { ACCEPTED_AT_MS, event, final, ofAlpha, receipt, sampleText, taken } from './testing/sample_text.ts';
import type { StoredEvent, TextRecord } from './text_record.ts';

const tell = (record: TextRecord, with_body = false): string =>
  tellText(composeTextStory(record, with_body)).join('\n');

function with_events(segments: number, ...events: readonly StoredEvent[]): TextRecord {
  return { ...sampleText({ segments }), events };
}

function with_message(record: TextRecord, more: Partial<TextRecord['message']>): TextRecord {
  return { ...record, message: { ...record.message, ...more } };
}

describe('what a text cost', () => {
  it('is the charge less what was given back, whatever the rate, the tax and the segments', () => {
    const samples = fc.integer({ min: 1, max: 12 }).chain((segments) =>
      fc.record({
        segments: fc.constant(segments),
        rate_micros_per_segment: fc.bigInt(0n, 10n ** 8n),
        tax_ppm: fc.nat(1_000_000),
        refunded: fc.nat(segments),
        others: fc.nat(400),
      }),
    );
    fc.assert(
      fc.property(samples, (sample) => {
        const story = composeTextStory(sampleText(sample), false);
        expect(story.contradictions).toEqual([]);
        expect(story.paid_micros).toBe(story.charged_micros - story.refunded_micros);
        expect(story.paid_micros >= 0n).toBe(true);
        const is_free = sample.rate_micros_per_segment === 0n;
        if (!is_free && sample.refunded > 0) expect(story.segments_refunded).toBe(sample.refunded);
        if (sample.refunded === sample.segments) expect(story.paid_micros).toBe(0n);
      }),
      { numRuns: 1_000 },
    );
  });

  it('leads from the segments to the sum in lines that a person can add up', () => {
    const words = tell(sampleText({ segments: 3, refunded: 2, others: 1 }));
    expect(words).toMatch(/3 segments at 0\.001 EUR +0\.003 EUR\n +tax +0\.00057 EUR/u);
    expect(words).toMatch(/Charged when it was accepted +0\.00357 EUR/u);
    expect(words).toMatch(/given back for 2 segments that did not go +-0\.00238 EUR/u);
    expect(words).toMatch(/What it cost +0\.00119 EUR/u);
    expect(words).toContain(
      'Transaction 7 charged it, 0.00357 EUR of it for this text: 1 other text of the same batch has the rest.',
    );
    expect(words).toMatch(/the wallet's cash +-0\.00714 EUR/u);
    expect(words).not.toContain('does not add up');
  });

  it('is nothing where nobody pays', () => {
    const free = with_message(
      { ...sampleText({ rate_micros_per_segment: 0n }), deck: null },
      { rate: null, currency: null, source: 'system' },
    );
    const words = tell(free);
    expect(words).toContain('Nobody pays for it.');
    expect(words).toContain('Nothing is charged.');
    expect(words).toContain('Nobody: Letsdial sent it by itself.');
    expect(words).not.toContain('does not add up');
  });

  it('names the row of the deck by the time for which it holds', () => {
    const sample = sampleText();
    const row = { effective_from: new Date('2026-11-01T00:00:00Z'), effective_to: new Date('2026-12-01T00:00:00Z') };
    const deck = { name: 'retail-texts', version: 4, currency: 'EUR', rows: [row] };
    expect(tell({ ...sample, deck })).toContain(
      '(the longest prefix that fits), the row that holds from 1 Nov 2026 to 1 Dec 2026.',
    );
  });
});

describe('the way of a text', () => {
  const reason =
    'zed 300 EUR micros: may carry it; alpha 400 EUR micros: may carry it; beta 900 EUR micros: not needed';

  it('tells who was considered, who was passed over and who was asked', () => {
    const throttled = { status: STATUS.ESME_RTHROTTLED, detail: reason };
    const words = tell(
      with_events(
        1,
        ofAlpha('throttled', 10, throttled),
        taken(1, 30, { carrier: 'beta', bind_id: 'beta-2', detail: 'beta 900 EUR micros: may carry it' }),
        receipt(1, 500, { carrier: 'beta' }),
        final(600),
      ),
    );
    expect(words).toContain('zed, 0.0003 EUR a segment: may carry it\n');
    expect(words).toContain('zed was passed over: it was away, or had no bind that takes a text like this.');
    expect(words).toContain('Looked at again at 13:00:00.030:\n    beta, 0.0009 EUR a segment: may carry it');
    expect(words).toContain('Tried: alpha, then beta.');
    expect(words).toContain('alpha asks for patience over alpha-1: ESME_RTHROTTLED, more texts come than it wants.');
    expect(words).toContain('Receipt: beta says delivered, 0.470 s after it took it.');
  });

  it('says a list of carriers once while it stays as it is, and takes over words that it does not know', () => {
    const words = tell(
      with_events(
        1,
        ofAlpha('refused', 10, { status: 0x0400, detail: 'ported to another network' }),
        taken(1, 20, { carrier: 'beta', detail: 'ported to another network' }),
      ),
    );
    expect(words.split('ported to another network')).toHaveLength(2);
    expect(words).not.toContain('Looked at again');
    expect(words).toContain('alpha refuses it over alpha-1: 0x00000400.');
  });

  it('gives the time of a text that was replaced to its last replacement', () => {
    const later = with_message(sampleText(), { due_at: new Date(ACCEPTED_AT_MS + 3_600_000) });
    expect(tell(later)).toContain('Accepted over the HTTP API, to be sent on 24 Nov 2026 at 14:00:00.000.');
    const replaced = event('replaced', 9, { part_no: 0, detail: 'another text, another time' });
    const words = tell({ ...later, events: [replaced, ...later.events] });
    expect(words).toContain('Accepted over the HTTP API.');
    expect(words).toContain(
      'Replaced by its sender: another text, another time, to be sent on 24 Nov 2026 at 14:00:00.000.',
    );
  });

  it('says when a carrier took it without naming it', () => {
    expect(tell(with_events(1, taken(1, 5, { carrier_message_id: '' })))).toContain(
      'alpha takes it over alpha-1 and gives it no id, so that no receipt of it can be found',
    );
  });

  it('tells what its receipts say, with the error of the network', () => {
    const words = tell(
      with_events(
        1,
        taken(1, 100),
        receipt(1, 200, { state: 'enroute' }),
        receipt(1, 7_800_000, { state: 'undeliverable', error: '007' }),
        final(7_800_000, { state: 'undeliverable', error: '007' }),
      ),
    );
    expect(words).toContain('Receipt: alpha says on its way, 0.100 s after it took it.');
    expect(words).toContain('+2 h 10 min  Receipt: alpha says it cannot be delivered, error 007');
    expect(words).toContain('Not delivered: the network cannot deliver it (007).');
    expect(words).not.toContain('does not add up');
  });

  it.each([
    ['waiting', 'Now: it waits in the lane of alpha, to go not before 24 Nov 2026 at 13:00:00.000'],
    ['claimed', 'Now: a gateway has it in its hands, for alpha, attempt 2, and may have sent it.'],
    ['held', "Now: it is held for a person's decision, until 25 Nov 2026 at 13:00:00.000"],
    ['in_doubt', 'Now: nobody knows whether a carrier has it'],
  ] as const)('of a text that is %s ends where it stands', (state, words) => {
    const place = {
      ...{ state, carrier: 'alpha', attempt: 2, sending: true, looked_at: null },
      ...{ due_at: new Date(ACCEPTED_AT_MS), valid_until: new Date(ACCEPTED_AT_MS + 86_400_000) },
    };
    const told = tell({ ...with_events(1), place });
    expect(told).toContain(words);
    expect(told).not.toContain('does not add up');
  });
});

describe('what the customer was told', () => {
  const told = (more: Partial<TextRecord['message']>, ended = true): string => {
    const sample = with_message(sampleText(), more);
    return tell(ended ? sample : { ...sample, events: sample.events.slice(0, 1) });
  };

  it('depends on how it came, on what was asked for and on whether it has ended', () => {
    const by_smpp = { source: 'smpp', system_id: 'shop-1' } as const;
    expect(told(by_smpp)).toContain('Accepted over SMPP, by shop-1.');
    expect(told(by_smpp)).toContain('ESME shop-1 was told how it ended.');
    expect(told({ ...by_smpp, wants_receipt: false })).toContain('Nothing: its sender asked for no receipt.');
    expect(told(by_smpp, false)).toContain('Nothing yet: a receipt follows when it has ended.');
    expect(told({})).toContain('Whichever webhook endpoint was to hear how it ended has been told; none is left.');
  });
});

describe('what it says', () => {
  it('is shown to whoever asks for it alone', () => {
    const secret = with_message(sampleText(), { body: 'Your code is 4711' });
    expect(tell(secret)).not.toContain('4711');
    expect(JSON.stringify(composeTextStory(secret, false).body)).toBe('null');
    expect(tell(secret, true)).toContain('What it says\n  Your code is 4711');
  });
});

describe('a text that came in', () => {
  const arrival = (more: Partial<TextRecord['message']>): TextRecord => ({
    ...sampleText({ rate_micros_per_segment: 0n }),
    ...{ events: [], deck: null, state: 'received' },
    message: {
      ...sampleText({ rate_micros_per_segment: 0n }).message,
      ...{ direction: 'mo', rate: null, currency: null, source: 'carrier', carrier: 'alpha', valid_until: null },
      ...more,
    },
  });

  it.each([
    ['stop', 'It says STOP, and that was obeyed: texts from +447700900123 to +49301234567 are refused until a START.'],
    ['start', 'It says START, and that was obeyed: texts from +447700900123 to +49301234567 are sent again.'],
    ['help', 'It asks for HELP.'],
  ] as const)('with the keyword %s tells what that did', (keyword, words) => {
    const told = tell(arrival({ keyword }));
    expect(told).toContain(words);
    expect(told).toContain('A text that comes in costs nothing.');
    expect(told).not.toContain('does not add up');
  });

  it('for nobody obeys nothing', () => {
    expect(tell(arrival({ keyword: 'stop', account_id: null }))).toContain(
      'It says STOP, but there is nobody whose texts that could be about.',
    );
  });

  it('and was charged, or sent on, contradicts itself', () => {
    const charged = composeTextStory(arrival({ net_micros: 5n }), false);
    expect(charged.contradictions.join()).toContain('this one was charged');
    const sent = composeTextStory({ ...arrival({}), events: [event('held', 1)] }, false);
    expect(sent.contradictions.join()).toContain('this one was on its way');
  });
});
