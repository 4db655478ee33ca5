import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seeded } from '../../domain/rating/bench/sample_decks.ts';
import type { CallRecord } from '../sip/call_record.ts';
import type { Phone } from '../sip/phone.ts';
import { LagMeter } from '../world/lag_meter.ts';
import type { Customer } from '../world/people.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight, settledCalls } from '../world/verdict.ts';
import type { CdrVerdict } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

const CALLS = 200;
const LINES = 25;
const TALK_MS = { least: 300, most: 4_000 };
/** What a party may measure otherwise than the switch, when the party itself was not late. */
const AGREE_MS = 50;
const SEED = 20_260_101;

let world: World;
let end: () => Promise<void>;
let customer: Customer;
let phone: Phone;
const lag = new LagMeter();
const random = seeded(SEED);
const talkMs = (): number => Math.round(TALK_MS.least + random() * (TALK_MS.most - TALK_MS.least));

beforeAll(async () => {
  ({ world, end } = await testWorld({ carrier_media: false, settings: { GRANT_SECONDS: '2', RENEW_LEAD_MS: '700' } }));
  customer = await world.customer({ balance_micros: 100_000_000n });
  phone = await world.phone(customer, { media: false });
}, 120_000);

afterAll(async () => {
  lag.stop();
  await end();
});

const numberOf = (n: number): string => `+44207${String(n).padStart(7, '0')}`;

/** Half of the calls are ended by the caller, half by the callee. */
async function makeCalls(): Promise<void> {
  let next = 0;
  world.carrier('alpha').play(async (call, pause) => {
    const lasts_ms = talkMs();
    call.ring();
    if (!(await pause(20)) || !(await call.answer())) return;
    if (Number(call.number.slice(-1)) % 2 === 0 && (await pause(lasts_ms))) await call.bye();
  });
  const line = async (): Promise<void> => {
    for (let n = next++; n < CALLS; n = next++) {
      const call = phone.call(numberOf(n));
      await talk(call, n % 2 === 0 ? 60_000 : talkMs());
      if (call.isLive) await call.bye();
    }
  };
  await Promise.all(Array.from({ length: LINES }, line));
}

/** The switch's own file, read without the controller's parser: the answered seconds of each call in microseconds. */
async function switchDurations(): Promise<ReadonlyMap<string, bigint>> {
  const text = await readFile(world.asterisk.access.ASTERISK_CDR_FILE, 'utf8');
  const us = (seconds: string): bigint => BigInt(seconds.replace('.', ''));
  const rows = text
    .trim()
    .split('\n')
    .map((row) => row.split(','));
  return new Map(
    rows.map(([account = '', , , answer = '', ended = '']) => [account.split('*')[0] ?? '', us(ended) - us(answer)]),
  );
}

interface Difference {
  number: string;
  who: string;
  beyond_lag_ms: number;
}

function difference(who: string, cdr: CdrVerdict, seen: CallRecord): Difference {
  const lag_ms = lag.around(seen.answered_at_ms ?? 0) + lag.around(seen.ended?.at_ms ?? 0);
  const measured_ms = Math.abs((seen.talked_ms ?? Number.NaN) - cdr.duration_ms);
  return { number: seen.number, who, beyond_lag_ms: measured_ms - lag_ms };
}

it('agree between the record, both parties and the switch for 200 calls of random length', async () => {
  await makeCalls();
  const cdrs = await settledCalls(world.pool, customer.account_id, CALLS, 20_000);
  const by_callee = new Map(cdrs.map((cdr) => [cdr.callee ?? '', cdr]));
  const by_switch = await switchDurations();
  const callers = new Map(phone.records.map((record) => [record.number, record]));
  const callees = new Map(
    world.carrier('alpha').records.map((record) => [record.number.replace(/^\+?/u, '+'), record]),
  );
  expect(by_callee.size).toBe(CALLS);
  expect(cdrs).toHaveLength(CALLS);
  const apart: Difference[] = [];
  for (let n = 0; n < CALLS; n += 1) {
    const number = numberOf(n);
    const [cdr, caller, callee] = [by_callee.get(number), callers.get(number), callees.get(number)];
    if (cdr === undefined || caller === undefined || callee === undefined) throw new Error(`${number} has no record.`);
    const switch_us = by_switch.get(cdr.call_id) ?? -1n;
    // Microseconds that do not make a whole millisecond are not counted; then seconds are rounded up.
    expect(cdr).toMatchObject({ duration_source: 'record', duration_ms: Number(switch_us / 1000n) });
    expect(cdr.seconds_charged).toBe(Math.ceil(cdr.duration_ms / 1000));
    expect(cdr.seconds_billed).toBe(Math.ceil(cdr.duration_ms / 1000));
    expect(cdr.net_micros).toBe(BigInt(cdr.seconds_billed) * 1_000n);
    apart.push(difference('caller', cdr, caller), difference('callee', cdr, callee));
  }
  expect(apart.filter(({ beyond_lag_ms }) => !(beyond_lag_ms <= AGREE_MS))).toEqual([]);
  await booksAreRight(world.pool);
}, 120_000);
