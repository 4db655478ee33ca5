import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { hashPassword } from '../../domain/texts/esmes/bind_password.ts';
import { NpmEsme } from '../../sms-gateway/smsc/testing/npm_esme.ts';
import type { BindKind, Delivered } from '../../sms-gateway/smsc/testing/npm_esme.ts';
import { keptCertificate } from '../runtime/process/certificate.ts';
import { factsOf } from '../smsc/read_log.ts';
import { freshDatabase } from '../testing/database.ts';
import type { FreshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { topUpNow } from '../world/people.ts';
import { makeEsme } from '../world/texts.ts';
import { TextWorld } from '../world/text_world.ts';
import type { Texter } from '../world/text_world.ts';
import { booksAreRight, eventually, walletOf } from '../world/verdict.ts';

const PASSWORD = 'secret';
const RECIPIENT = '447700900123';
const TLS_PORT = 3550;

let database: FreshDatabase;
let world: TextWorld;
const esmes: NpmEsme[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  const home = await mkdtemp(join(tmpdir(), 'letsdial-texts-'));
  const tls = await keptCertificate(join(home, 'tls'), []);
  const settings = {
    GATEWAY_SMPP_TLS_PORT: String(TLS_PORT),
    GATEWAY_TLS_CERT_FILE: tls.certificate_file,
    GATEWAY_TLS_KEY_FILE: tls.private_key_file,
  };
  world = await TextWorld.begin({ database_url: database.url, redis_url: redis.url, home, settings });
}, 60_000);

afterEach(async () => {
  for (const esme of esmes.splice(0)) {
    esme.close();
    await esme.closed;
  }
});

afterAll(async () => {
  await booksAreRight(world.pool);
  await world.end();
  await database.drop();
});

interface Customer extends Texter {
  system_id: string;
}

/** A customer with leave to bind, whose row has these columns. */
async function customer(
  columns: Readonly<Record<string, unknown>> = {},
  balance_micros = 1_000_000n,
): Promise<Customer> {
  const texter = await world.texter({ balance_micros });
  const system_id = `c${randomBytes(5).toString('hex')}`;
  const row = { system_id, account_id: texter.account_id, password_scrypt: await hashPassword(PASSWORD), ...columns };
  const names = Object.keys(row);
  await world.pool.query(
    `insert into esme (${names.join(', ')}) values (${names.map((_, n) => `$${n + 1}`).join(', ')})`,
    Object.values(row),
  );
  return { ...texter, system_id };
}

async function connect(): Promise<NpmEsme> {
  const esme = await NpmEsme.connect(world.gateway.smpp);
  esmes.push(esme);
  return esme;
}

async function bound({ system_id }: Customer, kind: BindKind = 'bind_transceiver', fields = {}): Promise<NpmEsme> {
  const esme = await connect();
  expect(await esme.bind(kind, system_id, PASSWORD, fields)).toBe(STATUS.ESME_ROK);
  return esme;
}

const from = ({ number }: Customer) => ({ source_addr_ton: 1, source_addr_npi: 1, source_addr: number.slice(1) });
const to = (digits: string) => ({ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: digits });
const uuidOf = (message_id: unknown): string =>
  String(message_id).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');

interface MessageRow {
  account_id: string;
  body: string;
  encoding: string;
  segments: number;
  class: string;
  net_micros: string;
  source: string;
  system_id: string;
  client_ref: string | null;
  state: string;
}

async function messageOf(message_id: unknown): Promise<MessageRow> {
  const { rows } = await world.pool.query<MessageRow>(
    `select m.account_id, m.body, m.encoding, m.segments, m.class, m.net_micros, m.source, m.system_id, m.client_ref, s.state
       from message m join message_state s on s.message_id = m.id where m.id = $1`,
    [uuidOf(message_id)],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`There is no text ${String(message_id)}.`);
  return row;
}

const balanceOf = async ({ wallet_id }: Customer): Promise<bigint> =>
  (await walletOf(world.pool, wallet_id)).balance_micros;
const wordsOf = ({ short_message: { message } }: Delivered): string => message.toString();
const submitsTo = async (digits: string) =>
  (await factsOf(world.carrier('alpha').log_file, 'submit')).filter((fact) => fact.to === digits);

describe('a bind', () => {
  it.each<BindKind>(['bind_transmitter', 'bind_receiver', 'bind_transceiver'])('is taken: %s', async (kind) => {
    const esme = await bound(await customer(), kind);
    await esme.unbind();
  });

  it('is taken over TLS at a port of its own, where it must be if its row says so', async () => {
    const one = await customer({ tls_required: true });
    const in_the_clear = await connect();
    expect(await in_the_clear.bind('bind_transceiver', one.system_id, PASSWORD)).toBe(STATUS.ESME_RBINDFAIL);
    const esme = await NpmEsme.connect({ ...world.gateway.smpp, port: TLS_PORT, tls: true });
    esmes.push(esme);
    expect(await esme.bind('bind_transceiver', one.system_id, PASSWORD)).toBe(STATUS.ESME_ROK);
    const submitted = await esme.ask('submit_sm', { ...from(one), ...to('447700900124'), short_message: 'Sealed' });
    expect(submitted.command_status).toBe(STATUS.ESME_ROK);
    await eventually('the text at the carrier', 5_000, async () => (await submitsTo('447700900124'))[0] ?? null);
  });

  it('is refused in the same way for a wrong password, an unknown name and an address that is not allowed', async () => {
    const known = await customer();
    const elsewhere = await customer({ allowed_address: '{192.0.2.0/24}' });
    for (const [system_id, password] of [
      [known.system_id, 'wrong'],
      ['nobody', PASSWORD],
      [elsewhere.system_id, PASSWORD],
    ] as const) {
      const esme = await connect();
      expect(await esme.bind('bind_transceiver', system_id, password)).toBe(STATUS.ESME_RINVPASWD);
      await esme.closed;
    }
    await bound(await customer({ allowed_address: '{192.0.2.0/24,127.0.0.0/8}' }));
  });

  it('is refused where it or its account is not enabled', async () => {
    const disabled = await customer({ enabled: false });
    const suspended = await customer();
    await world.pool.query(`update account set state = 'suspended' where id = $1`, [suspended.account_id]);
    for (const { system_id } of [disabled, suspended]) {
      const esme = await connect();
      expect(await esme.bind('bind_transceiver', system_id, PASSWORD)).toBe(STATUS.ESME_RBINDFAIL);
    }
  });

  it('is refused where there are as many as are allowed, until one ends', async () => {
    const one = await customer({ binds_max: 2 });
    const first = await bound(one);
    await bound(one, 'bind_transmitter');
    const third = await connect();
    expect(await third.bind('bind_receiver', one.system_id, PASSWORD)).toBe(STATUS.ESME_RALYBND);
    await first.unbind();
    await bound(one, 'bind_receiver');
  });

  it('ends when it is disabled', async () => {
    const one = await customer();
    const esme = await bound(one);
    await world.pool.query('update esme set enabled = false where system_id = $1', [one.system_id]);
    await esme.closed;
  });
});

describe('a submit_sm', () => {
  it('is charged and stored before it is answered, goes to the carrier, and its receipt comes back', async () => {
    const one = await customer();
    const esme = await bound(one);
    const response = await esme.ask('submit_sm', {
      ...{ ...from(one), ...to(RECIPIENT), short_message: 'Hello @ home', registered_delivery: 1, priority_flag: 2 },
      user_message_reference: 513,
    });
    expect(response).toMatchObject({
      command_status: STATUS.ESME_ROK,
      message_id: expect.stringMatching(/^[0-9a-f]{32}$/u) as string,
    });
    expect(await balanceOf(one)).toBe(960_000n);
    expect(await messageOf(response['message_id'])).toMatchObject({
      ...{ account_id: one.account_id, body: 'Hello @ home', encoding: 'gsm7', segments: 1, class: 'code' },
      ...{ net_micros: '40000', source: 'smpp', system_id: one.system_id, client_ref: '513' },
    });
    const [receipt] = await esme.hears(1);
    expect(receipt).toMatchObject({
      ...{ esm_class: 4, source_addr: RECIPIENT, destination_addr: one.number.slice(1), message_state: 2 },
      ...{ receipted_message_id: response['message_id'], user_message_reference: 513 },
    });
    expect(receipt && wordsOf(receipt)).toMatch(/^id:[0-9a-f]{32} sub:001 dlvrd:001 .* stat:DELIVRD err:000 text:/u);
    const submits = await submitsTo(RECIPIENT);
    expect(submits.map(({ from: sender }) => sender)).toContain(one.number.slice(1));
    await eventually('the receipt is forgotten', 5_000, async () => {
      const { rowCount } = await world.pool.query('select 1 from customer_delivery where target = $1', [one.system_id]);
      return rowCount === 0 ? true : null;
    });
  });

  it('may be a part of a long text that the customer split', async () => {
    const one = await customer();
    const esme = await bound(one);
    const recipient = '447700900777';
    const parts = ['Привет, '.repeat(8), 'мир'];
    const responses = await Promise.all(
      parts.map((text, n) =>
        esme.ask('submit_sm', {
          ...{ ...from(one), ...to(recipient), data_coding: 8, esm_class: 0x40, registered_delivery: 1 },
          short_message: Buffer.concat([Buffer.from([5, 0, 3, 77, 2, n + 1]), Buffer.from(text, 'utf16le').swap16()]),
        }),
      ),
    );
    expect(responses.map(({ command_status }) => command_status)).toEqual([0, 0]);
    expect(await balanceOf(one)).toBe(920_000n);
    await esme.hears(2);
    const submits = (await submitsTo(recipient)).toSorted((a, b) => (a.hex < b.hex ? -1 : 1));
    expect(submits).toMatchObject([
      { dc: 8, esm: 0x40 },
      { dc: 8, esm: 0x40 },
    ]);
    expect(submits.map(({ hex }) => hex.slice(0, 12))).toEqual(['0500034d0201', '0500034d0202']);
    const read = Buffer.from(submits.map(({ hex }) => hex.slice(12)).join(''), 'hex')
      .swap16()
      .toString('utf16le');
    expect(read).toBe(parts.join(''));
  });

  it('may be a long text that we split', async () => {
    const one = await customer();
    const esme = await bound(one);
    const recipient = '447700900778';
    const text = 'Здравствуйте! '.repeat(12);
    const response = await esme.ask('submit_sm', {
      ...{ ...from(one), ...to(recipient), data_coding: 8, registered_delivery: 1 },
      message_payload: Buffer.from(text, 'utf16le').swap16(),
    });
    expect(await messageOf(response['message_id'])).toMatchObject({ body: text, encoding: 'ucs2', segments: 3 });
    expect(await balanceOf(one)).toBe(880_000n);
    const [receipt] = await esme.hears(1);
    expect(receipt?.receipted_message_id).toBe(response['message_id']);
    expect(await submitsTo(recipient)).toHaveLength(3);
  });

  it('is refused with a status, and with a reason in words', async () => {
    const one = await customer({}, 70_000n);
    const esme = await bound(one);
    const submit = (fields: object) =>
      esme.ask('submit_sm', { ...from(one), ...to(RECIPIENT), short_message: 'Hi', ...fields });
    expect(await submit({})).toMatchObject({ command_status: STATUS.ESME_ROK });
    expect(await submit({})).toMatchObject({
      command_status: STATUS.ESME_RSUBMITFAIL,
      additional_status_info_text: expect.stringMatching(/^no_money: The wallet cannot pay/u) as string,
    });
    await topUpNow(world.pool, one.wallet_id, 1_000_000n);
    const refusals = [
      [{ source_addr: '15550100', source_addr_ton: 1 }, STATUS.ESME_RINVSRCADR],
      [{ source_addr: 'ACME', source_addr_ton: 5, source_addr_npi: 0 }, STATUS.ESME_RINVSRCADR],
      [{ destination_addr: '81312345678' }, STATUS.ESME_RINVDSTADR],
      [{ short_message: '' }, STATUS.ESME_RINVMSGLEN],
      [{ esm_class: 0x40, data_coding: 4, short_message: Buffer.from([9, 1]) }, STATUS.ESME_RINVESMCLASS],
      [{ schedule_delivery_time: '010000000000000R' }, STATUS.ESME_RINVSCHED],
    ] as const;
    for (const [fields, status] of refusals) expect((await submit(fields)).command_status).toBe(status);
    expect(await balanceOf(one)).toBe(1_030_000n);
  });

  it('has no words for a peer of an older version, and its receipt has none but the text', async () => {
    const one = await customer();
    const esme = await bound(one, 'bind_transceiver', { interface_version: 0x33 });
    const bad = await esme.ask('submit_sm', { ...from(one), ...to('1'), short_message: 'Hi' });
    expect(bad).toMatchObject({ command_status: STATUS.ESME_RINVDSTADR });
    expect(bad['additional_status_info_text']).toBeUndefined();
    await esme.ask('submit_sm', { ...from(one), ...to(RECIPIENT), short_message: 'Hi', registered_delivery: 1 });
    const [receipt] = await esme.hears(1);
    expect(receipt?.receipted_message_id).toBeUndefined();
    expect(receipt && wordsOf(receipt)).toContain('stat:DELIVRD');
  });

  it('is throttled beyond the rate that all binds of a customer share', async () => {
    const one = await customer({ texts_per_second_max: 5 });
    const [first, second] = [await bound(one), await bound(one, 'bind_transmitter')];
    const asked = Array.from({ length: 24 }, (_, n) =>
      (n % 2 === 0 ? first : second).ask('submit_sm', { ...from(one), ...to(RECIPIENT), short_message: `no. ${n}` }),
    );
    const statuses = (await Promise.all(asked)).map(({ command_status }) => command_status);
    const taken = statuses.filter((status) => status === STATUS.ESME_ROK).length;
    expect(taken).toBeGreaterThanOrEqual(5);
    expect(taken).toBeLessThan(24);
    expect(statuses.filter((status) => status === STATUS.ESME_RTHROTTLED)).toHaveLength(24 - taken);
    const { rows } = await world.pool.query('select 1 from message where system_id = $1', [one.system_id]);
    expect(rows).toHaveLength(taken);
  });

  it('is throttled beyond the window of its bind', async () => {
    const one = await customer({ window_max: 3 });
    const esme = await bound(one);
    const asked = Array.from({ length: 40 }, () =>
      esme.ask('submit_sm', { ...from(one), ...to(RECIPIENT), short_message: 'Hi' }),
    );
    const statuses = (await Promise.all(asked)).map(({ command_status }) => command_status);
    expect(new Set(statuses)).toEqual(new Set([STATUS.ESME_ROK, STATUS.ESME_RTHROTTLED]));
  });
});

describe('a submit_multi', () => {
  it('makes a text of its own for each destination, and tells which were not taken', async () => {
    const one = await customer();
    const esme = await bound(one);
    const response = await esme.ask('submit_multi', {
      ...{ ...from(one), short_message: 'To all', registered_delivery: 1 },
      dest_address: [to('447700900201'), { dl_name: 'friends' }, to('81312345678'), to('447700900202')],
    });
    expect(response).toMatchObject({
      command_status: STATUS.ESME_ROK,
      unsuccess_sme: [
        { destination_addr: 'friends', error_status_code: STATUS.ESME_RINVDLNAME },
        { destination_addr: '81312345678', error_status_code: STATUS.ESME_RINVDSTADR },
      ],
    });
    expect(await balanceOf(one)).toBe(920_000n);
    const receipts = await esme.hears(2);
    expect(receipts.map(({ source_addr }) => source_addr).toSorted()).toEqual(['447700900201', '447700900202']);
    expect(receipts.map(({ receipted_message_id }) => receipted_message_id)).toContain(response['message_id']);
  });

  it('is refused where no destination is taken', async () => {
    const one = await customer();
    const esme = await bound(one);
    const response = await esme.ask('submit_multi', {
      ...{ ...from(one), short_message: 'To all' },
      dest_address: [to('81312345678'), to('81312345679')],
    });
    expect(response.command_status).toBe(STATUS.ESME_RINVDSTADR);
  });
});

describe('a data_sm', () => {
  it('is a text like any other', async () => {
    const one = await customer();
    const esme = await bound(one);
    const response = await esme.ask('data_sm', {
      ...from(one),
      ...to(RECIPIENT),
      message_payload: 'By data_sm',
      registered_delivery: 1,
    });
    expect(await messageOf(response['message_id'])).toMatchObject({ body: 'By data_sm', segments: 1 });
    const [receipt] = await esme.hears(1);
    expect(receipt?.receipted_message_id).toBe(response['message_id']);
  });
});

describe('a text that was submitted', () => {
  const scheduled = { schedule_delivery_time: '000000010000000R', registered_delivery: 1 };

  it('can be asked for', async () => {
    const one = await customer();
    const esme = await bound(one);
    const { message_id } = await esme.ask('submit_sm', {
      ...from(one),
      ...to(RECIPIENT),
      short_message: 'Hi',
      ...scheduled,
    });
    expect(await esme.ask('query_sm', { message_id, ...from(one) })).toMatchObject({ message_state: 1, message_id });
    const sent = await esme.ask('submit_sm', {
      ...from(one),
      ...to(RECIPIENT),
      short_message: 'Hi',
      registered_delivery: 1,
    });
    await esme.hears(1);
    const answer = await esme.ask('query_sm', { message_id: sent['message_id'] });
    expect(answer).toMatchObject({ command_status: 0, message_state: 2, error_code: 0 });
    expect(answer['final_date']).toBeInstanceOf(Date);
    const stranger = await bound(await customer());
    for (const [who, asked] of [
      [stranger, { message_id }],
      [esme, { message_id: '4711' }],
      [esme, { message_id, source_addr: '15550100', source_addr_ton: 1 }],
    ] as const) {
      expect((await who.ask('query_sm', asked)).command_status).toBe(STATUS.ESME_RINVMSGID);
    }
  });

  it('can be taken back while it waits, and its price comes back', async () => {
    const one = await customer();
    const esme = await bound(one);
    const { message_id } = await esme.ask('submit_sm', {
      ...from(one),
      ...to(RECIPIENT),
      short_message: 'Hi',
      ...scheduled,
    });
    expect(await balanceOf(one)).toBe(960_000n);
    expect((await esme.ask('cancel_sm', { message_id, ...from(one) })).command_status).toBe(0);
    expect(await balanceOf(one)).toBe(1_000_000n);
    expect((await esme.ask('cancel_sm', { message_id })).command_status).toBe(STATUS.ESME_RCANCELFAIL);
    expect((await esme.ask('cancel_sm', { ...from(one), ...to(RECIPIENT) })).command_status).toBe(
      STATUS.ESME_RCANCELFAIL,
    );
    const [receipt] = await esme.hears(1);
    expect(receipt && wordsOf(receipt)).toContain('stat:DELETED');
  });

  it('can be replaced while it waits, by one of the same length', async () => {
    const one = await customer();
    const esme = await bound(one);
    const recipient = '447700900303';
    const submit = { ...from(one), ...to(recipient), short_message: 'First', ...scheduled };
    const { message_id } = await esme.ask('submit_sm', submit);
    const replace = (fields: object) =>
      esme.ask('replace_sm', { message_id, ...from(one), registered_delivery: 1, ...fields });
    expect((await replace({ short_message: Buffer.alloc(161, 'x') })).command_status).toBe(STATUS.ESME_RREPLACEFAIL);
    const second = { short_message: Buffer.from('Second'), schedule_delivery_time: '000000000001000R' };
    expect((await replace(second)).command_status).toBe(0);
    const [receipt] = await esme.hears(1);
    expect(receipt?.receipted_message_id).toBe(message_id);
    expect((await submitsTo(recipient)).map(({ hex }) => Buffer.from(hex, 'hex').toString())).toEqual(['Second']);
    expect(await balanceOf(one)).toBe(960_000n);
    expect((await replace(second)).command_status).toBe(STATUS.ESME_RREPLACEFAIL);
  });
});

describe('what a customer is told', () => {
  const mo = (text: string, { number }: Customer, wait_ms = 30_000) =>
    world.carrier('alpha').carrier.sendMo({ from: '+447700900999', to: number, text, parts: 'udh8', wait_ms });

  it('a text from a phone reaches the receiver, in parts where it is long', async () => {
    const one = await customer();
    const esme = await bound(one, 'bind_receiver');
    await mo('Grüße', one);
    await mo('я'.repeat(100), one);
    const told = await esme.hears(3);
    expect(told[0]).toMatchObject({
      ...{ esm_class: 0, source_addr: '447700900999', destination_addr: one.number.slice(1), data_coding: 0 },
      short_message: { message: 'Grüße' },
    });
    expect(told.slice(1).map(({ esm_class, data_coding }) => [esm_class, data_coding])).toEqual([
      [0x40, 8],
      [0x40, 8],
    ]);
    expect(told.slice(1).map(wordsOf).join('')).toBe('я'.repeat(100));
  });

  it('waits while nobody is bound, and comes when somebody binds', async () => {
    const one = await customer();
    await mo('Are you there?', one);
    const transmitter = await bound(one, 'bind_transmitter');
    const sent = await transmitter.ask('submit_sm', {
      ...{ ...from(one), ...to(RECIPIENT), short_message: 'Hi', registered_delivery: 1 },
    });
    await eventually('the receipt to wait', 5_000, async () => {
      const { rowCount } = await world.pool.query('select 1 from customer_delivery where target = $1', [one.system_id]);
      return rowCount === 2 ? true : null;
    });
    const receiver = await bound(one, 'bind_receiver');
    const [text, receipt] = await receiver.hears(2);
    expect(text && wordsOf(text)).toBe('Are you there?');
    expect(receipt?.receipted_message_id).toBe(sent['message_id']);
    expect(transmitter.delivered).toEqual([]);
  });

  it('goes to that of an account’s programs whose range holds its number most narrowly, and to no other', async () => {
    const everything = await customer();
    const digits = everything.number.slice(1);
    const of = async (address_range: string): Promise<NpmEsme> => {
      const system_id = `r${randomBytes(5).toString('hex')}`;
      await makeEsme(world.pool, everything.account_id, { system_id, password: PASSWORD, more: { address_range } });
      return bound({ ...everything, system_id });
    };
    const others = [await bound(everything), await of(digits.slice(0, 4)), await of('447700')];
    const narrow = await of(digits);
    await mo('To the narrowest', everything);
    expect((await narrow.hears(1)).map(wordsOf)).toEqual(['To the narrowest']);
    // Once that is switched off, the next wider one is it.
    await world.pool.query('update esme set enabled = false where address_range = $1', [digits]);
    await mo('To the next', everything);
    expect((await others[1]?.hears(1))?.map(wordsOf)).toEqual(['To the next']);
    expect([others[0]?.delivered, others[2]?.delivered]).toEqual([[], []]);
  });

  it('comes again where the receiver was gone before it answered', async () => {
    const one = await customer();
    const esme = await bound(one);
    esme.answer = null;
    await mo('Twice', one, 0);
    await esme.hears(1);
    esme.close();
    const again = await bound(one);
    const [told] = await again.hears(1);
    expect(told && wordsOf(told)).toBe('Twice');
  });
});

describe('a stop of the gateway', () => {
  it('answers what came, unbinds, and loses nothing', async () => {
    const one = await customer();
    const esme = await bound(one);
    const asked = Array.from({ length: 20 }, (_, n) =>
      esme.ask('submit_sm', { ...from(one), ...to(RECIPIENT), short_message: `no. ${n}`, registered_delivery: 1 }),
    );
    const responses = await Promise.all(asked);
    await world.gateway.stop();
    await esme.closed;
    await world.startGateway();
    const accepted = responses.filter(({ command_status }) => command_status === STATUS.ESME_ROK);
    expect(accepted).toHaveLength(20);
    const again = await bound(one);
    const heard = (): Set<unknown> =>
      new Set([...esme.delivered, ...again.delivered].map(({ receipted_message_id }) => receipted_message_id));
    await eventually('all receipts', 20_000, () => (heard().size === 20 ? true : null));
    expect(heard()).toEqual(new Set(accepted.map((response) => response['message_id'])));
  }, 60_000);
});
