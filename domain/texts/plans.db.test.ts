import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptMessages } from './accept_messages.ts';
import { takeEndedTexts } from './ended_texts.ts';
import { endUnheardTexts } from './unheard_texts.ts';
import { ensureMessageMonths } from './message_months.ts';
import { recordOutcomes } from './outcomes.ts';
import { claimMessages, claimStranded, expireMessages, markSending, releaseMessages, whatWaits } from './queue.ts';
import { countQueuedTexts } from './queued_texts.ts';
import { receiveReceipts, sweepParked } from './receipts.ts';
import { receiptOf, stateOf, submitted, textBooks } from './testing/texts.ts';
import type { TextBooks } from './testing/texts.ts';

/** So many texts wait, as many were sent before, and as many receipts are nobody's. */
const TEXTS = 20_000;
const now = new Date('2026-02-20T12:00:00Z');
/** Of a carrier for which all texts are for later. */
const LATER_LANE = 4_711;

let books: TextBooks;
let client: pg.Client;
/** The plans of all statements that were carried out, those within functions, too. */
let plans: string[] = [];

beforeAll(async () => {
  books = await textBooks();
  await ensureMessageMonths(books.pool, new Date('2026-01-01T00:00:00Z'));
  const customer = await books.customer(1_000_000n);
  // An id for each second, in two months.
  const ids = `select overlay(overlay(uuid_v7_floor(t.at)::text placing lpad(to_hex(n), 12, '0') from 25) placing '7' from 15)::uuid as id, n, t.at
    from generate_series(1, ${2 * TEXTS}) n, lateral (select timestamptz '2026-01-15' + n * interval '70 seconds' as at) t`;
  await books.pool.query(
    `insert into message (id, account_id, direction, accepted_at, sender, recipient, encoding, segments, source)
     select id, $1, 'mt', at, 'ACME', '+447700900123', 'gsm7', 1, 'http' from (${ids}) i`,
    [customer.account_id],
  );
  await books.pool.query(
    `insert into message_event (message_id, at, kind, part_no, carrier_id, carrier_message_id)
     select id, at, 'submitted', 1, $1, n::text from (${ids}) i where n <= ${TEXTS}`,
    [books.carrier_id],
  );
  await books.pool.query(
    `insert into message_queue (message_id, state, carrier_id, priority, due_at, valid_until)
     select id, 'w', case when n % 2 = 0 then $1::integer end, n % 3, at, '2026-04-01' from (${ids}) i where n > ${TEXTS}`,
    [books.carrier_id],
  );
  await books.pool.query(
    `insert into message_queue (message_id, state, carrier_id, priority, due_at, valid_until)
     select gen_random_uuid(), 'w', ${LATER_LANE}, n % 3, '2026-03-01', '2026-04-01' from generate_series(1, ${2 * TEXTS}) n`,
  );
  await books.pool.query(
    `insert into parked_receipt (carrier_id, carrier_message_ids, state, received_at)
     select $1, array['nobody-' || n, n::text], 'delivered', $2::timestamptz - n * interval '1 second'
       from generate_series(${TEXTS}, ${3 * TEXTS}) n`,
    [books.carrier_id, now],
  );
  await books.pool.query('analyze');
  client = new pg.Client({ connectionString: books.database_url });
  await client.connect();
  await client.query(`load 'auto_explain'`);
  await client.query(
    `set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on;
     set auto_explain.log_timing = off; set auto_explain.log_level = notice`,
  );
  client.on('notice', ({ message = '' }) => plans.push(message));
});

afterAll(async () => {
  await client.end();
  await books.end();
});

/** Steps of the plans that looked at far more rows than they were asked for. */
function wasteful(): string[] {
  return plans
    .flatMap((plan) => plan.split('\n'))
    .filter((line) => {
      const [, read, removed] = /actual rows=(\d+)|Rows Removed by .*: (\d+)/u.exec(line) ?? [];
      return Number(read ?? removed ?? 0) > 1_000;
    });
}

describe(`with ${2 * TEXTS} texts the tables are asked by their indexes alone`, () => {
  const { lease, carrier_id } = { lease: () => books.lease, carrier_id: () => books.carrier_id };

  it.each<[string, () => Promise<unknown>]>([
    ['when a lane is claimed', () => claimMessages(client, lease(), carrier_id(), now, 100)],
    [
      'when what waits for a carrier that is away is looked at, more of it each time',
      async () => {
        const looked_before = new Date(now.getTime() - 60_000);
        const looked_at = await claimStranded(client, lease(), carrier_id(), now, looked_before, 200);
        const back = { carrier_id: carrier_id(), due_at: null, attempt: 1 };
        await releaseMessages(
          client,
          lease(),
          looked_at.map(({ message_id }) => ({ message_id, ...back })),
        );
      },
    ],
    ['when it is asked what waits', () => whatWaits(client)],
    ['when what has no lane is claimed', () => claimMessages(client, lease(), null, now, 100)],
    [
      'when receipts come',
      () =>
        receiveReceipts(
          client,
          lease(),
          now,
          ['77', '78', 'nobody'].map((id) => receiptOf(books, id)),
        ),
    ],
    ['when parked receipts are looked through', () => sweepParked(client, lease(), now, 10)],
    ['when texts are ended of which nothing was heard', () => endUnheardTexts(client, lease(), now, 3_600_000, 100)],
    ['when stale texts are looked for', () => expireMessages(client, lease(), now, 100)],
    [
      'when texts are marked, sent, refused and given back',
      async () => {
        const claimed = await claimMessages(client, lease(), carrier_id(), now, 4);
        const [sent, refused, doubted, back] = claimed.map(({ message_id }) => message_id);
        await markSending(client, lease(), [sent ?? '', refused ?? '']);
        const no = { kind: 'refused', carrier_message_id: null, cost: null } as const;
        await recordOutcomes(client, lease(), randomUUID(), now, [
          submitted(books, sent ?? '', 'sent'),
          submitted(books, refused ?? '', '', { ...no, then_state: 'rejected', refund_segments: 1 }),
          submitted(books, doubted ?? '', '', { ...no, kind: 'in_doubt', then_state: 'doubt' }),
        ]);
        await releaseMessages(client, lease(), [
          { message_id: back ?? '', carrier_id: null, due_at: null, attempt: 1 },
        ]);
      },
    ],
    [
      'when texts that have ended are counted',
      async () => {
        await client.query('insert into ended_text select id, $1, accepted_at from message order by id limit 100', [
          'delivered',
        ]);
        expect(await takeEndedTexts(client, lease(), 100, 100)).toHaveLength(100);
      },
    ],
    [
      'when texts are accepted',
      async () => acceptMessages(client, now, [books.text(await books.customer(5_000n), { epoch: null })]),
    ],
    [
      'when it is asked where a text stands',
      async () => {
        const { rows } = await books.pool.query<{ id: string }>('select id from message offset 500 limit 1');
        const client_as_pool = client as unknown as pg.Pool;
        return stateOf(client_as_pool, rows[0]?.id ?? '');
      },
    ],
  ])('%s', async (_, ask) => {
    // After five times Postgres may take a plan for whatever is asked.
    for (let turn = 0; turn < 7; turn += 1) {
      plans = [];
      await ask();
      expect(plans.length).toBeGreaterThan(0);
      expect(wasteful()).toEqual([]);
    }
  });

  it('but the count of what waits, which looks at no text that does not', async () => {
    plans = [];
    const counted = await countQueuedTexts(client, now);
    expect(Math.max(...counted.map(({ waiting }) => waiting))).toBeGreaterThan(TEXTS / 2);
    const asked = /message_queue|Nested Loop|Aggregate|Sort/u;
    expect(wasteful().filter((line) => !asked.test(line))).toEqual([]);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['when its lane is claimed', () => claimMessages(client, lease(), LATER_LANE, now, 100)],
    ['while its carrier is away', () => claimStranded(client, lease(), LATER_LANE, now, now, 200)],
  ])('and what is for later is not read %s', async (_, ask) => {
    await client.query('set auto_explain.log_buffers = on');
    plans = [];
    expect(await ask()).toEqual([]);
    await client.query('set auto_explain.log_buffers = off');
    // A condition on the last columns of an index removes no rows: it shows in how many pages were read.
    const pages = plans.flatMap((plan) => [...plan.matchAll(/shared hit=(\d+)/gu)]).map(([, hit]) => Number(hit));
    expect(pages.length).toBeGreaterThan(0);
    expect(Math.max(...pages)).toBeLessThan(100);
  });
});
