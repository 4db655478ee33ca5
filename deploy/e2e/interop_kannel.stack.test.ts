import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KannelCallbacks } from '../kannel/callbacks.ts';
import { findKannel } from '../kannel/install.ts';
import { Kannel } from '../kannel/kannel.ts';
import { showProgress } from '../runtime/progress.ts';
import { deploySettings } from '../settings.ts';
import { factsOf } from '../smsc/read_log.ts';
import { wholeTexts } from '../smsc/submitted_text.ts';
import type { WholeText } from '../smsc/submitted_text.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { makeEsme } from '../world/texts.ts';
import { booksAreRight, eventually, walletOf } from '../world/verdict.ts';

const { home, cache, mirror } = deploySettings(process.env);
const found = await findKannel({ home, cache, mirror, progress: showProgress(process.stdout, Date.now) });
const why_not = found.kind === 'found' ? '' : ` (not run: ${found.why})`;

const MONEY_MICROS = 10_000_000n;
const PRICE_MICROS = 40_000n;
const SYSTEM_ID = 'kannel';
/** Kinds of Kannel's receipts. */
const DELIVERED = 1;
const NOT_DELIVERED = 2;
const TAKEN = 8;
const REFUSED = 16;

describe.runIf(found.kind === 'found')(`Kannel as a customer of our SMSC${why_not}`, () => {
  let database: FreshDatabase;
  let world: TextWorld;
  let texter: Texter;
  let callbacks: KannelCallbacks;
  let kannel: Kannel;

  beforeAll(async () => {
    if (found.kind !== 'found') return;
    database = await freshDatabase();
    const redis = await freshRedis();
    world = await TextWorld.begin({ database_url: database.url, redis_url: redis.url });
    texter = await world.texter({ balance_micros: MONEY_MICROS });
    await makeEsme(world.pool, texter.account_id, { system_id: SYSTEM_ID, password: 'secret' });
    const address = `${world.network}.60`;
    callbacks = await KannelCallbacks.listen(address);
    kannel = await Kannel.start({
      programs: found.programs,
      home: join(world.home, 'kannel'),
      plan: {
        address,
        ports: { admin: 13_000, smsbox: 13_001, sendsms: 13_013 },
        password: 'secret',
        smsc: { ...world.gateway.smpp, system_id: SYSTEM_ID, password: 'secret' },
        text_url: callbacks.text_url,
        ...{ spool: null, window: 10 },
      },
      log_level: 0,
    });
  }, 90_000);

  afterAll(async () => {
    await kannel.stop();
    await callbacks.end();
    await booksAreRight(world.pool);
    await world.end();
    await database.drop();
  });

  const carrier = () => world.carrier('alpha').carrier;

  /** The kinds of receipts that Kannel told of this text, once those are among them; it tells each on a connection of its own. */
  const receiptsOf = (id: string, ...wanted: number[]): Promise<number[]> =>
    eventually(`the receipts ${wanted.join(', ')} of ${id}`, 15_000, () => {
      const kinds = callbacks.receipts.filter((receipt) => receipt.id === id).map(({ kind }) => kind);
      return wanted.every((kind) => kinds.includes(kind)) ? kinds.toSorted((a, b) => a - b) : null;
    });

  /** What the carrier was given for that number, put together as a phone would. */
  const taken = async (digits: string): Promise<WholeText[]> =>
    wholeTexts((await factsOf(world.carrier('alpha').log_file, 'submit')).filter(({ to }) => to === digits));

  interface Stored {
    body: string;
    encoding: string;
    segments: number;
    net_micros: string;
    sender: string;
    state: string;
  }

  const storedFor = async (recipient: string): Promise<Stored[]> => {
    const { rows } = await world.pool.query<Stored>(
      `select m.body, m.encoding, m.segments, m.net_micros, m.sender, s.state from message m
       join message_state s on s.message_id = m.id
       where m.account_id = $1 and m.recipient = $2 and m.system_id = $3 order by m.id`,
      [texter.account_id, recipient, SYSTEM_ID],
    );
    return rows;
  };

  const balance = async (): Promise<bigint> => (await walletOf(world.pool, texter.wallet_id)).balance_micros;

  it.each([
    ['in the GSM alphabet with its extension', 'gsm7', '+447700900401', 'Grüße für 5 € [~{|}^\\] @ £ Ø Δ_Ω ¿ñà?'],
    ['in UCS-2, beyond the plane where one unit is one character', 'ucs2', '+447700900402', 'Привет, 你好, ő, 👋🏽!'],
  ] as const)('sends a text %s, and is told that it arrived', async (_, encoding, to, text) => {
    const id = randomUUID();
    const before = await balance();
    await kannel.send({ from: texter.number, to, text, receipt_url: callbacks.receiptUrl(id) }, encoding);
    expect(await receiptsOf(id, TAKEN, DELIVERED)).toEqual([DELIVERED, TAKEN]);
    expect(await taken(to.slice(1))).toMatchObject([{ text, from: texter.number.slice(1), of: 1 }]);
    expect(await storedFor(to)).toEqual([
      { body: text, encoding, segments: 1, net_micros: '40000', sender: texter.number, state: 'delivered' },
    ]);
    expect(await balance()).toBe(before - PRICE_MICROS);
  });

  it('sends a long text that it splits itself, which arrives as one', async () => {
    const id = randomUUID();
    const to = '+447700900403';
    const text = 'Straße {1} kostet 5 €, und [zwei] nicht. '.repeat(6);
    const before = await balance();
    await kannel.send({ from: texter.number, to, text, receipt_url: callbacks.receiptUrl(id) }, 'gsm7');
    await receiptsOf(id, DELIVERED);
    const stored = await storedFor(to);
    expect(await taken(to.slice(1))).toMatchObject([{ text, of: stored.length }]);
    expect(stored.length).toBe(2);
    expect(await balance()).toBe(before - 2n * PRICE_MICROS);
  });

  it('is told of a text that we refuse, and of one that did not reach the phone', async () => {
    const [refused, lost] = [randomUUID(), randomUUID()];
    const wish = { from: texter.number, text: 'Hello?' };
    await carrier().behaviour({ receipts: { outcomes: [{ stat: 'UNDELIV', err: '011' }] } });
    const before = await balance();
    await kannel.send({ ...wish, to: '+81312345678', receipt_url: callbacks.receiptUrl(refused) }, 'gsm7');
    await kannel.send({ ...wish, to: '+447700900404', receipt_url: callbacks.receiptUrl(lost) }, 'gsm7');
    expect(await receiptsOf(refused, REFUSED)).toEqual([REFUSED]);
    expect(await receiptsOf(lost, TAKEN, NOT_DELIVERED)).toEqual([NOT_DELIVERED, TAKEN]);
    await carrier().behaviour({});
    const told = callbacks.receipts.find(({ id, kind }) => id === lost && kind === NOT_DELIVERED);
    expect(told?.words).toContain('err:011');
    expect(await storedFor('+447700900404')).toMatchObject([{ state: 'undeliverable' }]);
    expect(await storedFor('+81312345678')).toEqual([]);
    expect(await balance()).toBe(before - PRICE_MICROS);
  });

  it.each([
    ['in the GSM alphabet with its extension', 'Schöne Grüße, 5 € [~{|}^\\] @ £ Ø Δ_Ω'],
    ['in UCS-2', 'Спасибо! 👍🏽 你好'],
    ['in several parts', 'Ответ из нескольких частей, 你好 👋. '.repeat(8)],
  ])('has a text of a phone, %s', async (_, text) => {
    const heard = callbacks.texts.length;
    const from = '+447700900410';
    const { parts } = await carrier().sendMo({ from, to: texter.number, text, parts: 'udh8', order: 'reversed' });
    expect(parts.every(({ status }) => status === 0)).toBe(true);
    await eventually('the text', 15_000, () => (callbacks.texts.length > heard ? true : null));
    expect(callbacks.texts.slice(heard)).toEqual([{ from, to: texter.number, text }]);
  });

  it('comes back after a stop of the gateway, and has what waited for it', async () => {
    const id = randomUUID();
    const heard = callbacks.texts.length;
    await carrier().behaviour({ receipts: { delay_ms: { min: 2_000, max: 2_000 } } });
    const wish = { from: texter.number, to: '+447700900405', text: 'Still there?' };
    await kannel.send({ ...wish, receipt_url: callbacks.receiptUrl(id) }, 'gsm7');
    await receiptsOf(id, TAKEN);
    await world.gateway.stop();
    await world.startGateway();
    await carrier().behaviour({});
    await carrier().sendMo({ from: '+447700900411', to: texter.number, text: 'Yes' });
    expect(await receiptsOf(id, TAKEN, DELIVERED)).toEqual([DELIVERED, TAKEN]);
    await eventually('the text', 15_000, () => (callbacks.texts.length > heard ? true : null));
    expect(callbacks.texts.slice(heard)).toEqual([{ from: '+447700900411', to: texter.number, text: 'Yes' }]);
  }, 60_000);
});
