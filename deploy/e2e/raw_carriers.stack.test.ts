import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explainText } from '../../sms-gateway/explain/explain_text.ts';
import { tellText } from '../../sms-gateway/explain/tell_text.ts';
import { decodeWhole } from '../../sms-gateway/smpp/decode.ts';
import type { ShortMessageBody } from '../../sms-gateway/smpp/pdu.ts';
import type { Session } from '../../sms-gateway/smpp/session.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { RawPeer } from '../../sms-gateway/smpp/testing/raw_peer.ts';
import { sampleDeliverSm } from '../../sms-gateway/smpp/testing/sample.ts';
import { serverStage } from '../../sms-gateway/smpp/testing/server_stage.ts';
import type { ServerStage } from '../../sms-gateway/smpp/testing/server_stage.ts';
import { NO_TLVS, TLV } from '../../sms-gateway/smpp/tlv.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { makeCarrier } from '../world/people.ts';
import { putTextDeck } from '../world/tariffs.ts';
import { TextClient } from '../world/text_client.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { makeBind } from '../world/texts.ts';
import { booksAreRight, eventually } from '../world/verdict.ts';

const PERSON = '+447700900123';
/** Reached by the carrier that comes to us. */
const GERMAN = '+4915112345678';
const PATIENCE_MS = 15_000;

let database: FreshDatabase;
let world: TextWorld;
let texter: Texter;
let client: TextClient;
/** A carrier to which the gateway connects. */
let carrier: ServerStage;
let carrier_id = 0;
/** What it was sent. */
const submits: ShortMessageBody[] = [];
/** The one text that it refuses: another that is still on its way when a test begins is taken. */
const REFUSED = 'Refused';
const bodyOf = (pdu: ShortMessageBody) => Buffer.from(pdu.short_message).toString('latin1');
/** From where the other one comes. */
let host = '';

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({ database_url: database.url, redis_url: redis.url, carriers: [] });
  host = `${world.network}.30`;
  texter = await world.texter({ balance_micros: 10_000_000n });
  client = new TextClient(world.gateway.url, texter.api_key);
  carrier = await serverStage({
    owner: {
      onRequest: (_session, pdu, respond) => {
        if (pdu.command !== 'submit_sm') return void respond(STATUS.ESME_RINVCMDID);
        submits.push(pdu);
        if (bodyOf(pdu) === REFUSED) return void respond(0xffffffff);
        respond(STATUS.ESME_ROK, { command: 'submit_sm_resp', message_id: `raw-${submits.length}`, tlvs: NO_TLVS });
      },
    },
  });
  carrier_id = await addCarrier('raw', '44', { host: '127.0.0.1', port: carrier.port });
  await addCarrier('comes', '49', {
    ...{ host: 'comes.example', port: 1, outbind_system_id: 'comes', outbind_password: 'let me' },
    outbind_address: `${host}/32`,
  });
}, 60_000);

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await carrier.server.close();
  await database.drop();
});

async function addCarrier(name: string, prefix: string, bind: Readonly<Record<string, unknown>>): Promise<number> {
  const id = await makeCarrier(world.pool, { carrier: name, trunk: `trunk-${name}`, address: host, port: 5060 });
  const rows = [{ prefix, destination: name, rate_micros_per_segment: 20_000n }];
  await putTextDeck(world.pool, { name: `buy-${name}`, currency: 'EUR', carrier_id: id, rows });
  const login = { host: '127.0.0.1', port: 1, system_id: 'letsdial', password: 'ours' };
  await makeBind(world.pool, { id: `${name}-1`, carrier_id: id, ...login, more: bind });
  return id;
}

const session = (): Promise<Session> =>
  eventually('the gateway to be bound', PATIENCE_MS, () => Promise.resolve(carrier.bound.at(-1) ?? null));

async function balance(): Promise<string | undefined> {
  const { rows } = await world.pool.query<{ balance_micros: string }>(
    'select balance_micros from wallet where id = $1',
    [texter.wallet_id.toString()],
  );
  return rows[0]?.balance_micros;
}

async function page<T>(path: string): Promise<T> {
  return (await (await fetch(`${world.gateway.observe_url}${path}`)).json()) as T;
}

async function metric(line: string): Promise<number> {
  const text = await (await fetch(`${world.gateway.observe_url}/metrics`)).text();
  const found = text.split('\n').find((one) => one.startsWith(`${line} `));
  return Number(found?.slice(line.length + 1) ?? '0');
}

/** Resolves with the status of the answer. */
function deliver(to: Session, changes: Partial<ShortMessageBody>): Promise<number | string> {
  return new Promise((resolve) => {
    to.request(sampleDeliverSm({ source_addr: PERSON.slice(1), source_addr_ton: 1, ...changes }), {
      onOutcome: (outcome) => resolve(outcome.kind === 'response' ? outcome.pdu.command_status : outcome.why),
    });
  });
}

describe('a receipt that cannot be read', () => {
  const odd = {
    ...{ esm_class: 4, short_message: Buffer.from('id:4711 stat:PERHAPS text:Your\0code', 'latin1') },
    tlvs: [{ tag: 0x1400, value: Buffer.from([1, 2, 255]) }],
  };

  it('is acknowledged once it is kept, and no earlier', async () => {
    const bound = await session();
    const locker = await world.pool.connect();
    let answer: number | string | null = null;
    try {
      await locker.query('begin; lock table unreadable_receipt in exclusive mode');
      const answered = deliver(bound, odd).then((status) => (answer = status));
      // One that came after it, and can be read.
      expect(await deliver(bound, { esm_class: 4, short_message: Buffer.from('id:nobody stat:DELIVRD') })).toBe(0);
      await eventually('the gateway to wait for the table', PATIENCE_MS, async () => {
        const { rowCount } = await world.pool.query(
          `select 1 from pg_locks where relation = 'unreadable_receipt'::regclass and not granted`,
        );
        return rowCount === 1 ? true : null;
      });
      expect(answer).toBeNull();
      await locker.query('rollback');
      expect(await answered).toBe(STATUS.ESME_ROK);
    } finally {
      locker.release();
    }
    const { rows } = await world.pool.query<{ bind_id: string; pdu: Buffer; is_new: boolean }>(
      `select bind_id, pdu, received_at > now() - interval '1 minute' as is_new from unreadable_receipt`,
    );
    expect(rows).toMatchObject([{ bind_id: 'raw-1', is_new: true }]);
    const kept = decodeWhole(rows[0]?.pdu ?? Buffer.alloc(0));
    expect(kept.kind === 'pdu' && kept.pdu).toMatchObject({
      command: 'deliver_sm',
      source_addr: PERSON.slice(1),
      ...odd,
    });
  });

  it('is counted and listed for the operator, without what is personal in it', async () => {
    expect(await metric(`letsdial_texts_unreadable_receipts_total{carrier="${carrier_id}",verdict="kept"}`)).toBe(1);
    const listed = await page<Record<string, string>[]>('/unreadable-receipts');
    expect(listed).toEqual([
      {
        ...{
          id: expect.any(String) as string,
          carrier: 'raw',
          bind: 'raw-1',
          received_at: expect.any(String) as string,
        },
        why: 'The receipt of 4711 says stat:PERHAPS, which is no state that we know.',
      },
    ]);
    expect(JSON.stringify(listed)).not.toContain(PERSON.slice(1));
  });
});

describe('a text of a language with tables of its own', () => {
  const turkish = 'ş'.repeat(156);
  const languages = (of: string, id: string) =>
    world.pool.query('update carrier_bind set national_languages = $1 where id = $2', [of, id]);
  const sendUntil = (encoding: string) =>
    eventually(`a text to be counted as ${encoding}`, PATIENCE_MS, async () => {
      const reply = await client.send({ from: texter.number, to: PERSON, text: turkish });
      return reply.encoding === encoding ? reply : null;
    });

  it('goes out by them where all carriers take them, and costs what it is then, and not before', async () => {
    await session();
    await languages('{turkish}', 'raw-1');
    const uncertain = await client.send({ from: texter.number, to: PERSON, text: turkish });
    expect(uncertain).toMatchObject({ encoding: 'ucs2', segments: 3, price: { net_micros: '120000' } });
    await languages('{urdu,turkish}', 'comes-1');
    const certain = await sendUntil('gsm7');
    expect(certain).toMatchObject({ segments: 2, price: { net_micros: '80000' } });
    const sent = await eventually('its two parts to be with the carrier', PATIENCE_MS, () => {
      const parts = submits.filter(({ data_coding }) => data_coding === 0);
      return Promise.resolve(parts.length >= 2 ? parts : null);
    });
    // 3GPP TS 23.040: two parts, and the locking shift table of language 1, where the letter is at 1D.
    expect(sent.map(({ esm_class, short_message }) => [esm_class, short_message.length])).toEqual([
      [0x40, 9 + 149],
      [0x40, 9 + 7],
    ]);
    for (const { short_message } of sent) {
      expect([...short_message.subarray(6, 9)]).toEqual([0x25, 1, 1]);
      expect(new Set(short_message.subarray(9))).toEqual(new Set([0x1d]));
    }
    await languages('{}', 'comes-1');
    expect(await sendUntil('ucs2')).toMatchObject({ segments: 3 });
  }, 60_000);
});

describe('numbers that are greater than those of the standard', () => {
  it('a refusal with all bits set ends the text once, is told as it was, and gives the price back', async () => {
    await session();
    const before = await balance();
    const { id } = await client.send({ from: texter.number, to: PERSON, text: REFUSED });
    await eventually('the text to be refused', PATIENCE_MS, async () =>
      (await client.view(id))['state'] === 'rejected' ? true : null,
    );
    expect(submits.filter((pdu) => bodyOf(pdu) === REFUSED)).toHaveLength(1);
    expect(await balance()).toBe(before);
    const explained = await explainText(world.pool, id, false);
    expect(explained.kind === 'told' && tellText(explained.story).join('\n')).toContain(
      'refuses it over raw-1: 0xffffffff.',
    );
  });

  it('a long text whose parts share a reference of four octets comes whole', async () => {
    const bound = await session();
    const reference = { tag: TLV.sar_msg_ref_num, value: Buffer.from([0xff, 0xff, 0xff, 0xfe]) };
    const [one, two] = ['In two ', 'parts'].map((text, n) => ({
      destination_addr: texter.number.slice(1),
      short_message: Buffer.from(text),
      tlvs: [
        reference,
        { tag: TLV.sar_total_segments, value: Buffer.from([2]) },
        { tag: TLV.sar_segment_seqnum, value: Buffer.from([n + 1]) },
      ],
    }));
    expect(await Promise.all([deliver(bound, two ?? {}), deliver(bound, one ?? {})])).toEqual([0, 0]);
    const { rows } = await world.pool.query(`select body, segments from message where direction = 'mo'`);
    expect(rows).toEqual([{ body: 'In two parts', segments: 2 }]);
  });
});

describe('a carrier that comes to us', () => {
  const outbind = { command: 'outbind', system_id: 'comes', tlvs: NO_TLVS } as const;

  function peer(from = host): RawPeer {
    const { address, port } = world.gateway.smpp;
    return new RawPeer(connect({ host: address, port, localAddress: from }));
  }

  /** As the carrier; resolves once the gateway is bound. */
  async function comes(): Promise<RawPeer> {
    const smsc = peer();
    smsc.send({ ...outbind, password: 'let me' }, 1);
    const bind = await smsc.next('bind_transceiver');
    expect(bind).toMatchObject({ system_id: 'letsdial', password: 'ours' });
    smsc.send({ command: 'bind_transceiver_resp', system_id: 'comes', tlvs: NO_TLVS }, bind?.sequence_number ?? 0);
    return smsc;
  }

  /** Takes a text, and says that it was delivered. */
  async function takes(smsc: RawPeer, text: string, message_id: string): Promise<void> {
    const submit = await smsc.next('submit_sm');
    if (submit?.command !== 'submit_sm') throw new Error('The gateway closed the connection.');
    expect(Buffer.from(submit.short_message).toString()).toBe(text);
    smsc.send({ command: 'submit_sm_resp', message_id, tlvs: NO_TLVS }, submit.sequence_number);
    const receipt = { esm_class: 4, short_message: Buffer.from(`id:${message_id} stat:DELIVRD err:000`) };
    smsc.send(sampleDeliverSm(receipt), 100);
    expect(await smsc.next('deliver_sm_resp')).toMatchObject({ command_status: STATUS.ESME_ROK });
  }

  const delivered = (id: string) =>
    eventually('the text to be delivered', PATIENCE_MS, async () =>
      (await client.view(id))['state'] === 'delivered' ? true : null,
    );

  const send = (text: string) => client.send({ from: texter.number, to: GERMAN, text });
  const bindView = async () =>
    (await page<Record<string, unknown>[]>('/binds')).find(({ id }) => id === 'comes-1') ?? {};

  it('is bound to where it is the one that is expected, and sent what waits for it', async () => {
    const first = await send('First');
    expect(first.status).toBe(202);
    // With another password, from another address: neither hears our own.
    for (const [stranger, password] of [
      [peer(), 'let us'],
      [peer(`${world.network}.31`), 'let me'],
    ] as const) {
      stranger.send({ ...outbind, password }, 1);
      expect(await stranger.next('bind_transceiver')).toBeNull();
    }
    expect(await bindView()).toMatchObject({ comes_to_us: true, is_bound: false, next_attempt_at: null });
    const smsc = await comes();
    await takes(smsc, 'First', 'c-1');
    await delivered(first.id);
    expect(await bindView()).toMatchObject({ is_bound: true, last_error: null });

    // It goes without a word, and comes back.
    smsc.socket.destroy();
    await eventually('the bind to be lost', PATIENCE_MS, async () =>
      (await bindView())['is_bound'] === false ? true : null,
    );
    expect(await bindView()).toMatchObject({
      next_attempt_at: null,
      last_error: { why: expect.any(String) as string },
    });
    const second = await send('Second');
    const again = await comes();
    await takes(again, 'Second', 'c-2');
    await delivered(second.id);
    // A row that is not enabled any more ends it in good order.
    await world.pool.query(`update carrier_bind set enabled = false where id = 'comes-1'`);
    const unbind = await again.next('unbind');
    again.send({ command: 'unbind_resp', tlvs: NO_TLVS }, unbind?.sequence_number ?? 0);
    await again.closed;
    again.socket.destroy();
  }, 60_000);
});
