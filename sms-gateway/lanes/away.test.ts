import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { ClaimedMessage, Release } from '../../domain/texts/queue.ts';
import type { CarrierBind } from '../carriers/carrier_bind.ts';
import type { RouteBook } from '../routing/route_book.ts';
import type { ClaimQueue } from './claim_queue.ts';
import { Dispatcher } from './dispatcher.ts';
import type { OutcomeWriter } from './outcome_writer.ts';
import { noParts } from './part_counts.ts';
import { Refill } from './refill.ts';

/** Two carriers: the texts are those of the first, which is away, and the second would take them. */
const [AWAY, OTHER] = [1, 2];
const LANE_TEXTS_MAX = 300;
const log = pino({ level: 'silent' });

let waiting: ClaimedMessage[] = [];
let released: Release[] = [];
/** When it was asked for what waits for the carrier that is away. */
let looks: number[] = [];
let now_ms = 0;
let dispatcher: Dispatcher;
let refill: Refill;

function claimed(): ClaimedMessage {
  return {
    ...{ message_id: randomUUID(), account_id: 'a', sender: '+4930123', recipient: '+447700900123', body: 'Hello' },
    ...{ encoding: 'gsm7', segments: 1, on_doubt: 'resend', priority: 1, attempt: 1, parts_submitted: [], sale: null },
    ...{ wanted_at_ms: 0, valid_until_ms: 86_400_000, is_unwanted: false },
  };
}

/** One whose window is full, so that nothing leaves the lane. */
function bind(is_bound: boolean): CarrierBind {
  const admission = { admits: () => true };
  return { is_bound, sends: true, admission, waitMs: () => null } as unknown as CarrierBind;
}

const queue = {
  claim: () => Promise.resolve([]),
  claimStranded: (_carrier_id: number, _before_ms: number, rows_max: number) => {
    looks.push(now_ms);
    return Promise.resolve(waiting.splice(0, rows_max));
  },
  release: (release: Release) => released.push(release),
};
/** Nothing is sent, so nothing is answered. */
const nothing = {};
const routes = [AWAY, OTHER].map((carrier_id) => ({ carrier_id }));

beforeEach(() => {
  [waiting, released, looks, now_ms] = [[], [], [], 1_000_000];
  dispatcher = new Dispatcher({
    ...{ queue: queue as unknown as ClaimQueue, outcomes: nothing as unknown as OutcomeWriter },
    book: { route: () => ({ routes, reason: '' }) } as unknown as RouteBook,
    ...{ routedAs: (number) => number, countsOf: noParts, now: () => now_ms, unrouted_retry_ms: 60_000, log },
    onLeft: () => undefined,
    lane_texts_max: LANE_TEXTS_MAX,
  });
  refill = new Refill({
    ...{ dispatcher, queue: queue as unknown as ClaimQueue, now: () => now_ms, log },
    db: { query: () => Promise.resolve({ rows: [] }) } as unknown as Queryable,
    ...{ lane_texts_max: LANE_TEXTS_MAX, stranded_look_ms: 60_000 },
    screenWaiting: () => Promise.resolve({ any_passed: false, any_left: false }),
  });
  dispatcher.setBinds(AWAY, [bind(false)]);
});

/** So many passes, as often as a gateway makes them, each after something was put into the queue. */
async function pass(times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) {
    refill.wake();
    await refill.pass();
    now_ms += 200;
  }
}

describe('what waits for a carrier that is away', () => {
  it('is looked at once a second, however much more comes', async () => {
    waiting = Array.from({ length: 10_000 }, claimed);
    await pass(11);
    expect(looks.map((at_ms) => at_ms - 1_000_000)).toEqual([0, 1_000, 2_000]);
    expect(released).toHaveLength(600);
    expect(new Set(released.map(({ carrier_id }) => carrier_id))).toEqual(new Set([AWAY]));
  });

  it('goes to another as fast as that one has room, and no more of it is in memory than two lanes’ worth', async () => {
    waiting = Array.from({ length: 10_000 }, claimed);
    dispatcher.setBinds(OTHER, [bind(true)]);
    await pass(3);
    expect(looks).toHaveLength(3);
    expect(dispatcher.lane(OTHER).depth).toBe(600);
    await pass(10);
    expect(dispatcher.lane(OTHER).depth).toBe(2 * LANE_TEXTS_MAX);
    // What was taken out of the queue beyond that waits there for the other one, a second’s look at a time.
    expect(released.every(({ carrier_id }) => carrier_id === OTHER)).toBe(true);
    expect(looks.length).toBeLessThan(7);
  });
});
