import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encode } from '../../sms-gateway/smpp/encode.ts';
import { NPI, TON } from '../../sms-gateway/smpp/field_value.ts';
import type { ShortMessageBody } from '../../sms-gateway/smpp/pdu.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { storm } from '../../sms-gateway/smpp/testing/mutation_storm.ts';
import { RawPeer } from '../../sms-gateway/smpp/testing/raw_peer.ts';
import { sampleBind, sampleSubmitSm } from '../../sms-gateway/smpp/testing/sample.ts';
import { NpmEsme } from '../../sms-gateway/smsc/testing/npm_esme.ts';
import type { BindKind } from '../../sms-gateway/smsc/testing/npm_esme.ts';
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

const PASSWORD = 'secret';
const PERSON = '+447700900123';
const BALANCE_MICROS = 1_000_000_000n;
const PRICE_MICROS = 40_000n;
const PATIENCE_MS = 45_000;

let database: FreshDatabase;
let world: TextWorld;

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  world = await TextWorld.begin({
    database_url: database.url,
    redis_url: redis.url,
    settings: { RESPONSE_TIMEOUT_MS: '1500', ENQUIRE_LINK_MS: '1000', TEXTS_PER_SECOND_MAX: '100000' },
  });
}, 60_000);

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await database.drop();
});

interface Customer extends Texter {
  system_id: string;
}

/** With a row of esme that has these columns besides. */
async function customer(more: Readonly<Record<string, unknown>> = {}): Promise<Customer> {
  const texter = await world.texter({ balance_micros: BALANCE_MICROS });
  const system_id = `c${randomBytes(5).toString('hex')}`;
  const limits = { texts_per_second_max: 100_000, ...more };
  await makeEsme(world.pool, texter.account_id, { system_id, password: PASSWORD, more: limits });
  return { ...texter, system_id };
}

const submitOf = ({ number }: Texter, text: string): ShortMessageBody =>
  sampleSubmitSm({
    ...{ source_addr_ton: TON.international, source_addr_npi: NPI.isdn, source_addr: number.slice(1) },
    ...{ destination_addr: PERSON.slice(1), short_message: Buffer.from(text, 'latin1') },
  });

async function bind(kind: BindKind, { system_id }: Customer): Promise<{ esme: NpmEsme; status: number }> {
  const esme = await NpmEsme.connect(world.gateway.smpp);
  return { esme, status: await esme.bind(kind, system_id, PASSWORD) };
}

/** Connects from the address of that number in the network of this world: limits and guesses are counted by address. */
async function connectFrom(host_no: number): Promise<RawPeer> {
  const { address: host, port } = world.gateway.smpp;
  const socket = connectPlain({ host, port, localAddress: `${world.network}.${host_no}` });
  const peer = new RawPeer(socket);
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
    // One that is turned away at the door may hear so before it hears that it was connected.
    socket.once('close', () => resolve());
  });
  return peer;
}

/** A customer binds, sends a text, hears how it ended and unbinds; and another text is taken over HTTP. */
async function othersGoOn(one: Customer): Promise<void> {
  const { esme, status } = await bind('bind_transceiver', one);
  expect(status).toBe(STATUS.ESME_ROK);
  const response = await esme.ask('submit_sm', { ...submitOf(one, 'I go on') });
  expect(response.command_status).toBe(STATUS.ESME_ROK);
  const [receipt] = await esme.hears(1);
  expect(receipt?.receipted_message_id).toBe(response['message_id']);
  await esme.unbind();
  const client = new TextClient(world.gateway.url, one.api_key);
  expect((await client.send({ from: one.number, to: PERSON, text: 'So do I' })).status).toBe(202);
}

/** What the gateway's process has in memory. */
async function residentKib(): Promise<number> {
  const status = await readFile(`/proc/${world.gateway.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]);
}

describe.concurrent('with peers that mean it badly or know no better', () => {
  it('what is no SMPP is told so and cut off, whatever it is', async () => {
    const one = await customer();
    const { address: host, port } = world.gateway.smpp;
    const { esme, status } = await bind('bind_transceiver', one);
    expect(status).toBe(STATUS.ESME_ROK);
    const strangers = [
      Buffer.from('GET / HTTP/1.1\r\nHost: letsdial.example\r\n\r\n'),
      Buffer.from('16030100c8010000c40303', 'hex'),
      ...Array.from({ length: 20 }, () => Buffer.concat([Buffer.from([0x7f]), randomBytes(500)])),
      Buffer.from('0000000f8000000000000000', 'hex'),
    ];
    for (const octets of strangers) {
      const peer = await connectFrom(30);
      peer.socket.write(octets);
      const nack = await peer.next('generic_nack');
      expect(nack, octets.toString('hex')).toMatchObject({
        command_status: STATUS.ESME_RINVCMDLEN,
        sequence_number: 0,
      });
      await peer.closed;
    }
    // Real programs of those protocols, that are given nothing to wait for.
    await expect(new Promise((_resolve, reject) => http.get({ host, port }).once('error', reject))).rejects.toThrow(
      'Parse Error',
    );
    await expect(new Promise((_resolve, reject) => connectTls({ host, port }).once('error', reject))).rejects.toThrow(
      'wrong version number',
    );

    const framed = await connectFrom(30);
    // A length that a PDU may have, a command that there is not, and the number 77.
    framed.socket.write(Buffer.concat([Buffer.from('0000004000001234000000000000004d', 'hex'), randomBytes(48)]));
    expect(await framed.next('generic_nack')).toMatchObject({
      command_status: STATUS.ESME_RINVCMDID,
      sequence_number: 77,
    });
    framed.send(sampleBind({ system_id: one.system_id, password: PASSWORD }), 78);
    expect(await framed.next('bind_transceiver_resp')).toMatchObject({ command_status: STATUS.ESME_ROK });
    framed.socket.destroy();

    expect((await esme.ask('submit_sm', { ...submitOf(one, 'Still here') })).command_status).toBe(STATUS.ESME_ROK);
    await esme.unbind();
    await othersGoOn(await customer());
  }, 60_000);

  it('a customer who stops reading costs nobody else anything, is cut off, and is then told all that waited', async () => {
    const RECEIPTS = 2_000;
    const WINDOW = 100;
    const GROWTH_KIB_MAX = 150_000;
    const [deaf, other] = [await customer({ window_max: WINDOW }), await customer()];
    const peer = await connectFrom(40);
    peer.send(sampleBind({ command: 'bind_receiver', system_id: deaf.system_id, password: PASSWORD }), 1);
    expect(await peer.next('bind_receiver_resp')).toMatchObject({ command_status: STATUS.ESME_ROK });
    peer.socket.pause();
    await othersGoOn(other);
    const before_kib = await residentKib();

    const transmitter = await bind('bind_transmitter', deaf);
    const ids: unknown[] = [];
    for (let from = 0; from < RECEIPTS; from += WINDOW) {
      const asked = Array.from({ length: WINDOW }, (_, n) =>
        transmitter.esme.ask('submit_sm', { ...submitOf(deaf, `No ${from + n}`) }),
      );
      ids.push(...(await Promise.all(asked)).map((response) => response['message_id']));
    }
    await transmitter.esme.unbind();
    const waiting = async (): Promise<{ all: number; in_hand: number }> => {
      const { rows } = await world.pool.query<{ all: number; in_hand: number }>(
        `select count(*)::int as all, count(*) filter (where attempts = 0 and due_at > now())::int as in_hand
           from customer_delivery where target = $1`,
        [deaf.system_id],
      );
      return rows[0] ?? { all: -1, in_hand: -1 };
    };
    await eventually('all receipts to wait', PATIENCE_MS, async () =>
      (await waiting()).all === RECEIPTS ? true : null,
    );

    // As long as the deaf bind lives there is no room for another one.
    await world.pool.query('update esme set binds_max = 1 where system_id = $1', [deaf.system_id]);
    let refusals = 0;
    let in_hand_max = 0;
    const again = await eventually('the deaf bind to be cut off', PATIENCE_MS, async () => {
      in_hand_max = Math.max(in_hand_max, (await waiting()).in_hand);
      await othersGoOn(other);
      const { esme, status } = await bind('bind_receiver', deaf);
      if (status === STATUS.ESME_ROK) return esme;
      expect(status).toBe(STATUS.ESME_RALYBND);
      refusals += 1;
      return null;
    });
    expect(refusals).toBeGreaterThan(0);
    expect(in_hand_max).toBeLessThanOrEqual(WINDOW);
    expect((await residentKib()) - before_kib).toBeLessThan(GROWTH_KIB_MAX);
    const heard = (): Set<unknown> => new Set(again.delivered.map(({ receipted_message_id }) => receipted_message_id));
    await eventually('all receipts', PATIENCE_MS, () => (heard().size >= RECEIPTS ? true : null));
    expect(heard()).toEqual(new Set(ids));
    await eventually('none to be left', PATIENCE_MS, async () => ((await waiting()).all === 0 ? true : null));
    await again.unbind();
    peer.socket.resume();
    await peer.closed;
  }, 120_000);

  it('a storm of connections that never bind is turned away and timed out, and shuts nobody else out', async () => {
    const SILENT = 300;
    /** CONNECTIONS_PER_ADDRESS_MAX of sms-gateway/smsc/assemble_smsc.ts. */
    const LET_IN_MAX = 200;
    const one = await customer();
    const silent = await Promise.all(Array.from({ length: SILENT }, () => connectFrom(50)));
    const closed = (): readonly RawPeer[] => silent.filter(({ is_closed }) => is_closed);
    await eventually('those beyond the limit to be turned away', PATIENCE_MS, () =>
      closed().length >= SILENT - LET_IN_MAX ? true : null,
    );
    await othersGoOn(one);
    await eventually('all to be timed out', PATIENCE_MS, () => (closed().length === SILENT ? true : null));
    // Those who were turned away were reset, and the others ended in good order.
    expect(silent.filter(({ socket }) => socket.readableEnded)).toHaveLength(LET_IN_MAX);
    await othersGoOn(one);
    // The address itself is nobody's enemy.
    const peer = await connectFrom(50);
    peer.send(sampleBind({ system_id: one.system_id, password: PASSWORD }), 1);
    expect(await peer.next('bind_transceiver_resp')).toMatchObject({ command_status: STATUS.ESME_ROK });
    peer.socket.destroy();
  }, 90_000);
});

it('a storm of wrong passwords is refused, mostly without a look at them, and shuts nobody else out', async () => {
  const GUESSERS = 150;
  /** WRONG_MAX of sms-gateway/http/guesses.ts: what one address may guess wrong in a minute. */
  const WRONG_MAX = 20;
  const one = await customer();
  const guessers = await Promise.all(Array.from({ length: GUESSERS }, () => connectFrom(60)));
  const answers = guessers.map(async (peer, n) => {
    peer.send(sampleBind({ system_id: n % 2 === 0 ? one.system_id : `nobody${n}`, password: `no${n}` }), 1);
    const response = await peer.next('bind_transceiver_resp');
    await peer.closed;
    return response?.command === 'bind_transceiver_resp' ? response.command_status : null;
  });
  const [statuses] = await Promise.all([Promise.all(answers), othersGoOn(one)]);
  const count = (asked: number | null): number => statuses.filter((status) => status === asked).length;
  // Each look costs as much as a hundred texts, and takes turns with that at the passwords of everybody else.
  expect(count(STATUS.ESME_RINVPASWD)).toBeLessThanOrEqual(WRONG_MAX);
  expect(count(STATUS.ESME_RINVPASWD) + count(STATUS.ESME_RTHROTTLED)).toBe(GUESSERS);
}, 60_000);

it('ten thousand broken PDUs of a customer who is bound end his connections at most, and nothing else', async () => {
  const [broken, other] = [await customer(), await customer()];
  const boundPeer = async (): Promise<RawPeer> => {
    const { address: host, port } = world.gateway.smpp;
    const peer = new RawPeer(connectPlain({ host, port }));
    peer.send(sampleBind({ system_id: broken.system_id, password: PASSWORD }), 1);
    const answer = await peer.next('bind_transceiver_resp');
    if (answer?.command_status !== 0) throw new Error(`No new bind was taken: ${answer?.command_status ?? 'closed'}.`);
    return peer;
  };
  const report = await storm(boundPeer, 10_000, 20_261_130);
  expect(report.enquiries_answered).toBeGreaterThan(100);
  expect(report.reconnects).toBeGreaterThan(10);
  const { id } = await new TextClient(world.gateway.url, other.api_key).send({
    from: other.number,
    to: PERSON,
    text: 'fine',
  });
  await eventually('a text of another customer to arrive', 10_000, async () => {
    const { rows } = await world.pool.query<{ state: string }>(
      'select state from message_state where message_id = $1',
      [id],
    );
    return rows[0]?.state === 'delivered' ? true : null;
  });
  const lines = (await readFile(join(world.home, 'log/sms-gateway.log'), 'utf8')).split('\n');
  expect(lines.filter((line) => line.startsWith('{"level":50') || line.startsWith('{"level":60'))).toEqual([]);
}, 60_000);

describe('where few texts may wait to be stored', () => {
  const WAITING_MAX = 20;

  beforeAll(async () => {
    await world.gateway.stop();
    await world.startGateway({ settings: { ACCEPT_WAITING_MAX: String(WAITING_MAX) } });
  }, 60_000);

  const OF_ACCOUNT = `select m.id, m.body, s.state from message m join message_state s on s.message_id = m.id
                       where m.account_id = $1`;

  /** All that the database has of it. */
  async function storyOf(id: string | undefined): Promise<unknown> {
    const { rows } = await world.pool.query<{ story: unknown }>(
      `select json_build_object(
                'events', (select json_agg(e order by e.n) from message_event e where e.message_id = $1),
                'queue', (select json_agg(q) from message_queue q where q.message_id = $1),
                'parked_receipts', (select json_agg(r) from parked_receipt r),
                'now', now()) as story`,
      [id],
    );
    return rows[0]?.story;
  }

  /** What was accepted, and nothing else, is stored, paid, sent and delivered. */
  async function onlyTheseExist(one: Customer, ids: readonly string[], texts: readonly string[]): Promise<void> {
    await eventually('the last text to be delivered', PATIENCE_MS, async () => {
      const { rows } = await world.pool.query(`${OF_ACCOUNT} and s.state <> 'delivered'`, [one.account_id]);
      return rows.length === 0 ? true : null;
    }).catch(async (error: unknown) => {
      // What has become of one of those that are late tells why.
      const { rows } = await world.pool.query<{ id: string; state: string }>(
        `${OF_ACCOUNT} and s.state <> 'delivered' limit 1`,
        [one.account_id],
      );
      throw new Error(`of those that are not: ${JSON.stringify(await storyOf(rows[0]?.id))}`, { cause: error });
    });
    const { rows: stored } = await world.pool.query<{ id: string; body: string }>(OF_ACCOUNT, [one.account_id]);
    expect(stored.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(stored.map(({ body }) => body).toSorted()).toEqual(texts.toSorted());
    const submits = await factsOf(world.carrier('alpha').log_file, 'submit');
    const sent = submits.filter(({ from }) => from === one.number.slice(1)).map((submit) => payloadOf(submit).text);
    expect(sent.toSorted()).toEqual(texts.toSorted());
    const { balance_micros } = await walletOf(world.pool, one.wallet_id);
    expect(balance_micros).toBe(BALANCE_MICROS - BigInt(ids.length) * PRICE_MICROS);
  }

  it('a burst over HTTP is accepted in part, the rest is refused with 503, and nothing is in between', async () => {
    const one = await customer();
    const client = new TextClient(world.gateway.url, one.api_key);
    const texts = Array.from({ length: 500 }, (_, n) => `Burst ${n}`);
    const replies = await client.sendAll(texts.map((text) => ({ from: one.number, to: PERSON, text })));
    const accepted = replies.flatMap(({ status, id }, n) => (status === 202 ? [{ id, text: texts[n] ?? '' }] : []));
    expect(accepted.length).toBeGreaterThanOrEqual(WAITING_MAX);
    const refused = replies.filter(({ status }) => status !== 202);
    expect(refused).toHaveLength(texts.length - accepted.length);
    expect(new Set(refused.map(({ status, type }) => `${status} ${type}`))).toEqual(
      new Set(['503 urn:letsdial:problem:queue_full']),
    );
    await onlyTheseExist(
      one,
      accepted.map(({ id }) => id),
      accepted.map(({ text }) => text),
    );
    expect((await client.send({ from: one.number, to: PERSON, text: 'Later' })).status).toBe(202);
  }, 60_000);

  it('a burst over SMPP is accepted in part, the rest is refused with ESME_RMSGQFUL, and nothing is in between', async () => {
    const one = await customer({ window_max: 1_000 });
    const peer = await connectFrom(70);
    peer.send(sampleBind({ command: 'bind_transmitter', system_id: one.system_id, password: PASSWORD }), 1);
    expect(await peer.next('bind_transmitter_resp')).toMatchObject({ command_status: STATUS.ESME_ROK });
    const texts = Array.from({ length: 300 }, (_, n) => `Burst ${n}`);
    const pdus = texts.map((text, n) => encode({ ...submitOf(one, text), command_status: 0, sequence_number: n }));
    peer.socket.write(Buffer.concat(pdus));
    const accepted: { id: string; text: string }[] = [];
    const refusals: number[] = [];
    while (accepted.length + refusals.length < texts.length) {
      const response = await peer.next('submit_sm_resp');
      if (response?.command !== 'submit_sm_resp') throw new Error('The gateway closed the connection.');
      const { command_status, message_id, sequence_number } = response;
      if (command_status === STATUS.ESME_ROK) {
        accepted.push({ id: uuidOf(message_id), text: texts[sequence_number] ?? '' });
      } else refusals.push(command_status);
    }
    expect(accepted.length).toBeGreaterThanOrEqual(WAITING_MAX);
    expect(new Set(refusals)).toEqual(new Set([STATUS.ESME_RMSGQFUL]));
    await onlyTheseExist(
      one,
      accepted.map(({ id }) => id),
      accepted.map(({ text }) => text),
    );
    peer.socket.destroy();
    await othersGoOn(await customer());
  }, 60_000);
});

const uuidOf = (message_id: string | null): string =>
  (message_id ?? '').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');
