import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { PartResult } from '../carriers/part_result.ts';
import { countLate, countPart } from '../lanes/part_counts.ts';
import { CountryMetrics } from './country_metrics.ts';

const british = '+447700900123' as E164;
const nowhere = '+883510012345' as E164;

it('parts and texts are counted by country, and those to no country under other', async () => {
  const registry = new Registry();
  const metrics = new CountryMetrics(registry, (number) => (number === nowhere ? null : 'GB'));
  const results: PartResult[] = [
    { kind: 'taken', carrier_message_id: '1' },
    { kind: 'taken', carrier_message_id: '2' },
    { kind: 'refused', status: 8 },
    { kind: 'throttled', status: 88 },
    { kind: 'unanswered', why: 'timeout' },
    { kind: 'unsent' },
  ];
  for (const result of results) countPart(metrics.of(british).parts, result);
  countLate(metrics.of(british).parts, { kind: 'taken', carrier_message_id: '3' });
  metrics.accepted(british, 'http');
  metrics.accepted(british, 'http');
  metrics.accepted(nowhere, 'smpp');
  const by = { account_id: 'a', carrier_id: 1 };
  metrics.ended({ ...by, recipient: british, state: 'delivered', waited_ms: 3_000 });
  metrics.ended({ ...by, recipient: british, state: 'delivered', waited_ms: 400 });
  metrics.ended({ ...by, recipient: british, state: 'expired', waited_ms: 9_000 });

  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  // Asked for twice, nothing counts twice.
  expect((await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual(lines);
  expect(lines).toEqual(
    expect.arrayContaining([
      'letsdial_parts_submitted_total{country="GB"} 5',
      'letsdial_parts_accepted_total{country="GB"} 3',
      'letsdial_parts_refused_total{country="GB"} 1',
      'letsdial_parts_throttled_total{country="GB"} 1',
      'letsdial_parts_in_doubt_total{country="GB"} 1',
      'letsdial_parts_submitted_total{country="other"} 0',
      'letsdial_texts_accepted_total{country="GB",source="http"} 2',
      'letsdial_texts_accepted_total{country="other",source="smpp"} 1',
      'letsdial_texts_ended_total{country="GB",state="delivered"} 2',
      'letsdial_texts_ended_total{country="GB",state="expired"} 1',
      'letsdial_texts_delivery_seconds_bucket{le="0.5",country="GB"} 1',
      'letsdial_texts_delivery_seconds_bucket{le="5",country="GB"} 2',
      'letsdial_texts_delivery_seconds_sum{country="GB"} 3.4',
      'letsdial_texts_delivery_seconds_count{country="GB"} 2',
    ]),
  );
});
