import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { NpmEsme } from '../../sms-gateway/smsc/testing/npm_esme.ts';
import { factsOf } from '../smsc/read_log.ts';
import { payloadOf } from '../smsc/submitted_text.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { TextClient } from '../world/text_client.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { makeEsme } from '../world/texts.ts';
import { booksAreRight, eventually, walletOf } from '../world/verdict.ts';

const PERSON = '+447700900123';
const MONEY_MICROS = 10_000_000n;
const PRICE_MICROS = 40_000n;
const PASSWORD = 'secret';
const [QUEUE_MAX, ACCOUNT_MAX] = [9, 6];

let database: FreshDatabase;
let world: TextWorld;

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({
    ...{ database_url: database.url, redis_url: redis.url, carriers: ['alpha'] },
    settings: { QUEUE_TEXTS_MAX: String(QUEUE_MAX), ACCOUNT_QUEUE_TEXTS_MAX: String(ACCOUNT_MAX) },
  });
}, 60_000);

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await database.drop();
});

const customer = (): Promise<Texter> => world.texter({ balance_micros: MONEY_MICROS });

const wishesOf = ({ number }: Texter, count: number, word: string) =>
  Array.from({ length: count }, (_, n) => ({ from: number, to: PERSON, text: `${word} ${n}` }));

/** What the account has paid, in texts, and how many the database has of it. */
async function paidAndStored({ account_id, wallet_id }: Texter): Promise<[bigint, number]> {
  const { balance_micros } = await walletOf(world.pool, wallet_id);
  const { rows } = await world.pool.query<{ count: number }>(
    'select count(*)::integer as count from message where account_id = $1',
    [account_id],
  );
  return [(MONEY_MICROS - balance_micros) / PRICE_MICROS, rows[0]?.count ?? -1];
}

async function metric(line: string): Promise<number> {
  const text = await (await fetch(`${world.gateway.observe_url}/metrics`)).text();
  const found = text.split('\n').find((one) => one.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? '0');
}

const refusals = (source: string, code: string): Promise<number> =>
  metric(`letsdial_texts_refused_total{source="${source}",code="${code}"}`);

async function answerTo({ api_key }: Texter, body: unknown): Promise<Response> {
  return fetch(`${world.gateway.url}/v1/messages`, {
    ...{ method: 'POST', headers: { authorization: `Bearer ${api_key}` }, body: JSON.stringify(body) },
  });
}

async function esmeOf({ account_id }: Texter, system_id: string): Promise<NpmEsme> {
  await makeEsme(world.pool, account_id, { system_id, password: PASSWORD });
  const esme = await NpmEsme.connect(world.gateway.smpp);
  expect(await esme.bind('bind_transceiver', system_id, PASSWORD)).toBe(STATUS.ESME_ROK);
  return esme;
}

const statusesOf = (replies: readonly { status: number }[]): number[] => replies.map(({ status }) => status);

describe('a full queue', () => {
  /** What they have waiting, and one who has nothing. */
  let first: Texter;
  let second: Texter;
  let none: Texter;

  beforeAll(async () => {
    [first, second, none] = [await customer(), await customer(), await customer()];
    await world.carrier('alpha').carrier.listen(false);
    await eventually('the carrier to be away', 10_000, async () =>
      (await metric('letsdial_bind_bound{bind="alpha-1",carrier="alpha"}')) === 0 ? true : null,
    );
  }, 60_000);

  it('has a share for an account, beyond which it says so, and charges nothing', async () => {
    const replies = await new TextClient(world.gateway.url, first.api_key).sendAll(wishesOf(first, 8, 'First'));
    expect(statusesOf(replies)).toEqual([202, 202, 202, 202, 202, 202, 503, 503]);
    expect(replies[7]).toMatchObject({ type: 'urn:letsdial:problem:account_queue_full' });
    expect(replies[7]?.detail).toContain('neither taken nor charged');
    const alone = await answerTo(first, wishesOf(first, 1, 'Alone')[0]);
    expect([alone.status, alone.headers.get('retry-after')]).toEqual([503, '30']);
    const esme = await esmeOf(first, 'first');
    const { command_status } = await esme.ask('submit_sm', {
      ...{ source_addr_ton: 1, source_addr_npi: 1, source_addr: first.number.slice(1) },
      ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: PERSON.slice(1), short_message: 'By SMPP' },
    });
    expect(command_status).toBe(STATUS.ESME_RMSGQFUL);
    esme.close();
    expect(await paidAndStored(first)).toEqual([6n, 6]);
    const code = 'account_queue_full';
    expect([await refusals('http', code), await refusals('smpp', code)]).toEqual([3, 1]);
  });

  it('has for others what is left, and then for nobody anything but what is for later', async () => {
    const left = await answerTo(second, { messages: wishesOf(second, 4, 'Second') });
    const answers = ((await left.json()) as { messages: { status: number; type?: string }[] }).messages;
    expect(statusesOf(answers)).toEqual([202, 202, 202, 503]);
    expect([answers[3]?.type, left.headers.get('retry-after')]).toEqual(['urn:letsdial:problem:queue_full', '5']);
    expect((await answerTo(none, wishesOf(none, 1, 'None')[0])).status).toBe(503);
    expect([await paidAndStored(second), await paidAndStored(none)]).toEqual([
      [3n, 3],
      [0n, 0],
    ]);
    const third = await customer();
    const send_at = new Date(Date.now() + 3_600_000).toISOString();
    const scheduled = wishesOf(third, 7, 'Third').map((wish) => ({ ...wish, send_at }));
    const later = await new TextClient(world.gateway.url, third.api_key).sendAll(scheduled);
    expect(statusesOf(later)).toEqual([202, 202, 202, 202, 202, 202, 503]);
    const gauges = ['queued', 'queued_max', 'queued_of_account_most', 'queued_of_account_max'];
    expect(await Promise.all(gauges.map((one) => metric(`letsdial_texts_${one}`)))).toEqual([
      ...[9, QUEUE_MAX],
      ...[6, ACCOUNT_MAX],
    ]);
  });

  it('is full for the next gateway, too, loses nothing, and takes more when it is not full any more', async () => {
    await world.gateway.stop();
    await world.startGateway();
    expect((await answerTo(none, wishesOf(none, 1, 'None')[0])).status).toBe(503);
    await world.carrier('alpha').carrier.listen(true);
    await eventually('room for another text', 40_000, async () =>
      (await answerTo(none, wishesOf(none, 1, 'Room')[0])).status === 202 ? true : null,
    );
    await eventually('all that was accepted to be delivered, but for what is scheduled', 20_000, async () => {
      const { rows } = await world.pool.query(
        `select 1 from message m join message_state s on s.message_id = m.id
          where s.state <> case when m.due_at is null then 'delivered' else 'scheduled' end`,
      );
      return rows.length === 0 ? true : null;
    });
    const submits = await factsOf(world.carrier('alpha').log_file, 'submit');
    const sent = submits.filter(({ status }) => status === 0).map((submit) => payloadOf(submit).text);
    const expected = [...wishesOf(first, 6, 'First'), ...wishesOf(second, 3, 'Second'), ...wishesOf(none, 1, 'Room')];
    expect(sent.toSorted()).toEqual(expected.map(({ text }) => text).toSorted());
    // What is on its way makes room at once, without a count.
    for (const { text } of wishesOf(none, 3 * ACCOUNT_MAX, 'Then')) {
      await eventually(`${text} to be taken`, 5_000, async () =>
        (await answerTo(none, { from: none.number, to: PERSON, text })).status === 202 ? true : null,
      );
    }
  }, 90_000);
});
