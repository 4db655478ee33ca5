import { afterAll, beforeAll, expect, it } from 'vitest';
import { acceptMessages } from '../../domain/texts/accept_messages.ts';
import type { NewMessage } from '../../domain/texts/accept_messages.ts';
import { MessageIds } from '../../domain/texts/message_id.ts';
import { factsOf } from '../smsc/read_log.ts';
import { payloadOf } from '../smsc/submitted_text.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { killed } from '../world/processes.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';

const PRICE_MICROS = 40_000n;
const MONEY_MICROS = 100_000_000n;
const ids = new MessageIds(Date.now);

let database: FreshDatabase;
let world: TextWorld;
let texter: Texter;

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({ database_url: database.url, redis_url: redis.url });
  texter = await world.texter({ balance_micros: MONEY_MICROS });
  await world.unlimited(texter.account_id);
  await world.pool.query(
    `insert into content_rule (country, kind, pattern, action, reason)
     values ('GB', 'word', 'casino', 'hold', 'gambling needs a licence'), ('GB', 'link', 'bit.ly', 'refuse', 'no shortened links')`,
  );
}, 60_000);

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await database.drop();
});

/** Charged and stored as the portal does it. */
async function portalTexts(bodies: readonly string[]): Promise<string[]> {
  const { rows } = await world.pool.query<{ id: number }>(`select id from rate_deck where name = 'retail-texts'`);
  const texts = bodies.map((body, n): NewMessage => {
    const rate = { deck_id: rows[0]?.id ?? 0, prefix: '44', destination: 'United Kingdom' };
    return {
      ...{ id: ids.next(), account_id: texter.account_id, wallet_id: texter.wallet_id, sender: texter.number, body },
      ...{
        recipient: `+4477009${String(10_000 + n)}`,
        encoding: 'gsm7',
        segments: 1,
        class: 'normal',
        on_doubt: 'resend',
      },
      ...{ net_micros: PRICE_MICROS, tax_micros: 0n, rate: { ...rate, rate_micros_per_segment: PRICE_MICROS } },
      ...{ source: 'portal', system_id: null, client_ref: null, wants_receipt: false, idempotency: null, due_at: null },
      ...{ valid_until: new Date(Date.now() + 86_400_000), carrier_id: null, epoch: null, hold_reason: null },
    };
  });
  await acceptMessages(world.pool, new Date(), texts);
  return texts.map(({ id }) => id);
}

async function states(message_ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await world.pool.query<{ message_id: string; state: string }>(
    'select message_id, state from message_state where message_id = any($1)',
    [message_ids],
  );
  return new Map(rows.map(({ message_id, state }) => [message_id, state]));
}

/** What the carrier says that it was given. */
async function bodiesAtCarrier(): Promise<string[]> {
  const submits = await factsOf(world.carrier('alpha').log_file, 'submit');
  return submits.map((submit) => payloadOf(submit).text);
}

it('texts of the portal reach a carrier only once they were screened, whenever the gateway dies', async () => {
  const expected = ['submitted', 'held', 'rejected'];
  const kinds = ['a plain text', 'the best casino', 'see bit.ly/x'];
  const bodies = Array.from({ length: 900 }, (_, n) => kinds[n % 3] ?? '');
  // The carrier sends no receipts here; what it has is told by its log.
  const ends = (state: string): string => (state === 'delivered' ? 'submitted' : state);
  // Killed while it screens and sends, more than once.
  const message_ids: string[] = [];
  for (const left_at_most of [899, 400]) {
    message_ids.push(...(await portalTexts(bodies)));
    await eventually('the gateway to have begun', 10_000, async () => {
      const { rows } = await world.pool.query<{ left: number }>(
        `select count(*)::integer as left from message_queue where state = 'u'`,
      );
      return (rows[0]?.left ?? 0) <= left_at_most ? true : null;
    });
    await killed(world.gateway);
    await world.startGateway();
  }
  await eventually('all to have come to their end', 60_000, async () => {
    const counts = [...(await states(message_ids)).values()];
    return counts.every((state) => expected.includes(ends(state))) ? true : null;
  });
  const by_id = await states(message_ids);
  expect(message_ids.filter((id, n) => ends(by_id.get(id) ?? '') !== expected[n % 3])).toEqual([]);
  expect(new Set(await bodiesAtCarrier())).toEqual(new Set(['a plain text']));
}, 120_000);
