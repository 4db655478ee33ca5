import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import type { BehaviourInput } from './behaviour.ts';
import { submitFields, textOf } from './testing/npm_esme.ts';
import type { NpmEsme, NpmPdu } from './testing/npm_esme.ts';
import { PATIENCE, Stage } from './testing/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});

afterEach(() => stage.clear());
afterAll(() => stage.close());

async function esmeOf(behaviour: BehaviourInput): Promise<NpmEsme> {
  await stage.carrier.behaviour(behaviour);
  return stage.bound();
}

/** The statuses of several submits that are sent without waiting for each other. */
async function statusesOf(esme: NpmEsme, texts: readonly string[], fields: object = {}): Promise<number[]> {
  const responses = await Promise.all(texts.map((text) => esme.submit(text, fields)));
  return responses.map(({ command_status }) => command_status);
}

function commandsOf(esme: NpmEsme): string[] {
  return esme.heard.map(({ command }) => command).filter((command) => !command.startsWith('bind'));
}

describe('a perfect carrier', () => {
  it('answers a text and then sends its receipt; the log says the same', async () => {
    const esme = await stage.bound();
    const { command_status, message_id = '' } = await esme.submit('perfect');
    expect(command_status).toBe(0);
    const [receipt] = await esme.deliveries(1);
    expect(commandsOf(esme)).toEqual(['submit_sm_resp', 'deliver_sm']);
    expect(receipt).toMatchObject({
      esm_class: 4,
      source_addr: '447700900123',
      destination_addr: 'Letsdial',
      receipted_message_id: message_id,
      message_state: 2,
    });
    expect(textOf(receipt)).toMatch(
      /^id:\d{16} sub:001 dlvrd:001 submit date:\d{10} done date:\d{10} stat:DELIVRD err:000 text:perfect$/u,
    );
    expect(textOf(receipt)).toContain(message_id);
    expect(await stage.submitOf('perfect')).toMatchObject({
      bind: 'ann',
      from: 'Letsdial',
      from_ton: 5,
      to: '447700900123',
      to_ton: 1,
      dc: 0,
      esm: 0,
      hex: Buffer.from('perfect').toString('hex'),
      ref: null,
      rd: 1,
      id: message_id,
      status: 0,
    });
    await stage.expectStory(message_id, [
      'submit 0',
      'receipt DELIVRD try 1',
      'answered 0',
      'receipt_ack DELIVRD try 1 0',
    ]);
  });

  it('gives no receipt that was not asked for, and one of failures where only they were', async () => {
    const esme = await esmeOf({ receipts: { outcomes: [{ stat: 'UNDELIV', err: '00B', to_prefix: '4499' }] } });
    await esme.submit('none', { registered_delivery: 0, destination_addr: '44991' });
    await esme.submit('on failure, and it did not fail', { registered_delivery: 2 });
    await esme.submit('on failure', { registered_delivery: 2, destination_addr: '44992' });
    const { message_id = '' } = await esme.submit('always');
    const receipts = await esme.deliveries(2);
    expect(receipts.map((receipt) => receipt.source_addr)).toEqual(['44992', '447700900123']);
    expect(receipts[0]).toMatchObject({ message_state: 5, network_error_code: Buffer.from([3, 0, 0x0b]) });
    expect(textOf(receipts[0])).toMatch(/ dlvrd:000 .* stat:UNDELIV err:00B /u);
    expect(receipts[1]?.receipted_message_id).toBe(message_id);
  });

  it('takes texts of any size and command, with their SAR TLVs, and lets each be known by its payload', async () => {
    const esme = await stage.bound();
    const long = 'long '.repeat(60);
    await esme.submit('', { message_payload: long, short_message: '' });
    await esme.ask('data_sm', { ...submitFields(''), message_payload: 'by data_sm' });
    await esme.submit('part', { sar_msg_ref_num: 515, sar_total_segments: 3, sar_segment_seqnum: 2 });
    await esme.submit('', {
      short_message: { message: 'Szőke', udh: Buffer.from([5, 0, 3, 7, 2, 1]) },
      data_coding: 8,
    });
    expect(await stage.submitOf(long)).toMatchObject({ status: 0 });
    expect(await stage.submitOf('by data_sm')).toMatchObject({ cmd: 'data_sm', to: '447700900123' });
    expect(await stage.submitOf('part')).toMatchObject({ ref: { ref: 515, of: 3, part: 2 } });
    expect(await stage.submitOf('Szőke')).toMatchObject({ dc: 8, esm: 64 });
    const receipts = await esme.deliveries(4);
    expect(new Set(receipts.map((receipt) => receipt.receipted_message_id)).size).toBe(4);
  });

  it('tells which recipients of a submit_multi it refuses, and sends receipts of the others', async () => {
    const esme = await esmeOf({ refuse: [{ status: 'ESME_RINVDSTADR', to_prefix: '999' }] });
    const dest_address = ['44771', '9991', '44772'].map((destination_addr) => ({
      dest_addr_ton: 1,
      dest_addr_npi: 1,
      destination_addr,
    }));
    const { message_id = '', unsuccess_sme } = await esme.ask('submit_multi', {
      ...submitFields('to many'),
      dest_address,
    });
    expect(unsuccess_sme).toMatchObject([{ destination_addr: '9991', error_status_code: STATUS.ESME_RINVDSTADR }]);
    const receipts = await esme.deliveries(2);
    expect(receipts.map((receipt) => receipt.source_addr)).toEqual(['44771', '44772']);
    const facts = (await stage.facts('submit')).filter(({ cmd }) => cmd === 'submit_multi');
    expect(facts.map(({ to, id, status }) => [to, id, status])).toEqual([
      ['44771', message_id, 0],
      ['9991', null, STATUS.ESME_RINVDSTADR],
      ['44772', message_id, 0],
    ]);
  });
});

describe('a bind', () => {
  it('needs a known system_id and its password, once', async () => {
    const esme = await stage.connected();
    expect(await esme.bind({ system_id: 'eve' })).toMatchObject({ command_status: STATUS.ESME_RINVSYSID });
    expect(await esme.bind({ password: 'wrong' })).toMatchObject({ command_status: STATUS.ESME_RINVPASWD });
    expect(await esme.submit('of nobody')).toMatchObject({ command_status: STATUS.ESME_RINVBNDSTS });
    expect(await esme.bind({ as: 'receiver' })).toMatchObject({ command_status: 0, command: 'bind_receiver_resp' });
    expect(await esme.bind({})).toMatchObject({ command_status: STATUS.ESME_RALYBND });
    expect(await esme.submit('of a receiver')).toMatchObject({ command_status: STATUS.ESME_RINVBNDSTS });
    expect(await esme.ask('enquire_link')).toMatchObject({ command: 'enquire_link_resp', command_status: 0 });
    expect(await esme.ask('unbind')).toMatchObject({ command: 'unbind_resp' });
    await esme.closed.within(5_000);
    const conn = (await stage.facts('bind')).find(({ bind }) => bind === 'eve')?.conn;
    // The log says so a moment after the peer can see it.
    await vi.waitFor(async () => {
      const lost = (await stage.facts('lost')).filter((fact) => fact.conn === conn);
      expect(lost).toMatchObject([{ bind: 'ann', why: 'unbound', unacknowledged: 0 }]);
    }, PATIENCE);
    const binds = (await stage.facts('bind')).filter((fact) => fact.conn === conn);
    expect(binds.map(({ bind, role, status }) => [bind, role, status])).toEqual([
      ['eve', 'transceiver', STATUS.ESME_RINVSYSID],
      ['ann', 'transceiver', STATUS.ESME_RINVPASWD],
      ['ann', 'receiver', 0],
      ['ann', 'transceiver', STATUS.ESME_RALYBND],
    ]);
  });

  it('of a receiver gets the receipts of what its transmitter sent, and of nobody else', async () => {
    const transmitter = await stage.bound({ as: 'transmitter' });
    const stranger = await stage.bound({ system_id: 'ben' });
    const { message_id = '' } = await transmitter.submit('sent by one, told to the other');
    const receiver = await stage.bound({ as: 'receiver' });
    const [receipt] = await receiver.deliveries(1);
    expect(receipt?.receipted_message_id).toBe(message_id);
    expect([...commandsOf(transmitter), ...commandsOf(stranger)]).toEqual(['submit_sm_resp']);
  });
});

describe('a carrier that refuses', () => {
  it('throttles beyond its rate', async () => {
    // Another one would be due after a hundred seconds.
    const esme = await esmeOf({ texts_per_second_max: 0.01 });
    const statuses = await statusesOf(esme, ['t1', 't2', 't3', 't4']);
    expect(statuses).toEqual([0, STATUS.ESME_RTHROTTLED, STATUS.ESME_RTHROTTLED, STATUS.ESME_RTHROTTLED]);
    expect(await stage.submitOf('t4')).toMatchObject({ id: null, status: STATUS.ESME_RTHROTTLED });
    await esme.deliveries(1);
    expect(commandsOf(esme).filter((command) => command === 'deliver_sm')).toHaveLength(1);
  });

  it('throttles by chance, as often as it was told to', async () => {
    const esme = await esmeOf({ throttled_per_mille: 500 });
    const statuses = await statusesOf(
      esme,
      Array.from({ length: 200 }, (_, n) => `chance ${n}`),
    );
    const throttled = statuses.filter((status) => status === STATUS.ESME_RTHROTTLED).length;
    expect(throttled).toBeGreaterThan(50);
    expect(throttled).toBeLessThan(150);
    expect(statuses.filter((status) => status === 0)).toHaveLength(200 - throttled);
  });

  it('lets only so many submits wait for their answer', async () => {
    const esme = await esmeOf({ window: 2, answer_delay_ms: { min: 2_000, max: 2_000 } });
    expect(await statusesOf(esme, ['w1', 'w2', 'w3'])).toEqual([0, 0, STATUS.ESME_RMSGQFUL]);
    expect(await statusesOf(esme, ['w4', 'w5'])).toEqual([0, 0]);
    await stage.carrier.behaviour({ window: 1, window_status: 'ESME_RTHROTTLED' });
    // All at once, and the answers leave at the end of the turn.
    expect((await statusesOf(esme, ['w6'])).concat(await statusesOf(esme, ['w7']))).toEqual([0, 0]);
  });

  it('refuses by rules of the recipient and the sender', async () => {
    const esme = await esmeOf({
      refuse: [
        { status: 'ESME_RINVDSTADR', to_prefix: '4477' },
        { status: 0x400, from: 'Spam' },
      ],
    });
    const [wrong, vendor, right] = [
      await esme.submit('r1'),
      await esme.submit('r2', { destination_addr: '361', source_addr: 'Spam' }),
      await esme.submit('r3', { destination_addr: '361' }),
    ];
    expect([wrong, vendor, right].map(({ command_status }) => command_status)).toEqual([
      STATUS.ESME_RINVDSTADR,
      0x400,
      0,
    ]);
    expect(wrong.message_id ?? '').toBe('');
    expect(await stage.submitOf('r2')).toMatchObject({ id: null, status: 0x400 });
  });

  it('does not take a behaviour that it does not know', async () => {
    const wrong = { refuse: [{ status: 'ESME_NONSENSE' }] } as unknown as BehaviourInput;
    await expect(stage.carrier.behaviour(wrong)).rejects.toThrow(/refuse/u);
    await expect(stage.carrier.behaviour({ windows: 3 } as BehaviourInput)).rejects.toThrow(/windows/u);
  });
});

describe('an answer', () => {
  it('may come after the receipt', async () => {
    const esme = await esmeOf({ receipts: { early_per_mille: 1000 } });
    const { message_id = '' } = await esme.submit('early');
    await esme.deliveries(1);
    expect(commandsOf(esme)).toEqual(['deliver_sm', 'submit_sm_resp']);
    expect(esme.heard.find(({ command }) => command === 'deliver_sm')?.receipted_message_id).toBe(message_id);
    const [receipt] = (await stage.facts('receipt')).filter(({ id }) => id === message_id);
    expect(receipt).toMatchObject({ early: true, try: 1 });
  });

  it('may come long after it, over another connection', async () => {
    await stage.carrier.behaviour({ receipts: { early_per_mille: 1000, early_lead_ms: 600_000 } });
    const transmitter = await stage.bound({ as: 'transmitter' });
    const receiver = await stage.bound({ as: 'receiver' });
    transmitter.send('submit_sm', submitFields('answered in ten minutes'));
    await receiver.deliveries(1);
    // Had it been answered, that would have come before this.
    await transmitter.ask('enquire_link');
    expect(commandsOf(transmitter)).toEqual(['enquire_link_resp']);
    await stage.carrier.behaviour({ receipts: { early_per_mille: 1000, early_lead_ms: 50 } });
    expect(await transmitter.submit('answered soon')).toMatchObject({ command_status: 0 });
  });

  it('may come late, or never, of a text that was taken', async () => {
    const esme = await esmeOf({ unanswered_per_mille: 1000 });
    let answer: NpmPdu | null = null;
    esme.send('submit_sm', submitFields('never answered'), (pdu) => (answer = pdu));
    await esme.deliveries(1);
    await stage.carrier.behaviour({ unanswered_per_mille: 1000, late_answer_ms: 50 });
    const late = await esme.submit('answered late');
    await esme.deliveries(2);
    expect(answer).toBeNull();
    expect(commandsOf(esme)).toEqual(['deliver_sm', 'deliver_sm', 'submit_sm_resp']);
    const { id, status } = await stage.submitOf('never answered');
    expect(status).toBe(0);
    await stage.expectStory(id ?? '', ['submit 0', 'receipt DELIVRD try 1', 'receipt_ack DELIVRD try 1 0']);
    const answered = async (): Promise<unknown[]> =>
      (await stage.facts('answered')).filter((one) => one.id === late.message_id);
    await expect.poll(answered).toHaveLength(1);
  });
});

describe('a message id', () => {
  it.each([
    [{ form: 'decimal' }, '4095000', '4095000'],
    [{ form: 'decimal', receipt_form: 'hex', receipt_letters: 'upper' }, '4095001', '3E7C19'],
    [{ form: 'hex', receipt_form: 'decimal', receipt_digits_min: 10 }, '3e7c1a', '0004095002'],
    [{ form: 'hex', receipt_letters: 'upper', receipt_digits_min: 8 }, '3e7c1b', '003E7C1B'],
  ] as const)('with %o is %s in the response and %s in the receipt', async (ids, id, as) => {
    const esme = await numbered.bound();
    await numbered.carrier.behaviour({ ids, receipts: { kind: 'both' } });
    expect((await esme.submit('numbered')).message_id).toBe(id);
    const [receipt] = await esme.deliveries(1);
    expect(receipt?.receipted_message_id).toBe(as);
    expect(textOf(receipt)).toMatch(new RegExp(`^id:${as} `, 'u'));
    expect((await numbered.facts('receipt')).at(-1)).toMatchObject({ id, as });
  });

  it('may be a UUID', async () => {
    const esme = await esmeOf({ ids: { form: 'uuid', receipt_letters: 'upper', receipt_form: 'hex' } });
    const { message_id = '' } = await esme.submit('uuid');
    expect(message_id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u);
    expect((await esme.deliveries(1))[0]?.receipted_message_id).toBe(message_id.toUpperCase());
  });

  let numbered: Stage;

  beforeAll(async () => {
    numbered = await Stage.open({ first_message_number: 4_095_000 });
  });

  afterEach(() => numbered.clear());
  afterAll(() => numbered.close());
});

describe('receipts', () => {
  it.each([
    ['text', { receipted_message_id: undefined, message_state: undefined }, /stat:DELIVRD/u],
    ['tlv', { message_state: 2 }, /^$/u],
  ] as const)('of the kind %s say it there alone', async (kind, fields, text) => {
    const esme = await esmeOf({ receipts: { kind } });
    await esme.submit(kind);
    const [receipt] = await esme.deliveries(1);
    expect(receipt?.receipted_message_id).toBe(kind === 'tlv' ? (await stage.submitOf(kind)).id : undefined);
    expect(receipt?.message_state).toBe(fields.message_state);
    expect(textOf(receipt)).toMatch(text);
  });

  it('get lost, come twice, and say first that the text is under way', async () => {
    const esme = await esmeOf({ receipts: { lost_per_mille: 1000 } });
    const lost = await esme.submit('lost');
    await stage.carrier.behaviour({ receipts: { kind: 'none' } });
    const none = await esme.submit('none at all');
    await stage.carrier.behaviour({ receipts: { twice_per_mille: 1000 } });
    const twice = await esme.submit('twice');
    await esme.deliveries(2);
    await stage.carrier.behaviour({ receipts: { intermediate_per_mille: 1000, delay_ms: { min: 50, max: 60 } } });
    const two_steps = await esme.submit('two steps');
    const receipts = await esme.deliveries(4);
    expect(receipts.map((one) => [one.receipted_message_id, one.message_state])).toEqual([
      [twice.message_id, 2],
      [twice.message_id, 2],
      [two_steps.message_id, 1],
      [two_steps.message_id, 2],
    ]);
    await stage.expectStory(lost.message_id ?? '', ['submit 0', 'receipt_lost DELIVRD', 'answered 0']);
    await stage.expectStory(none.message_id ?? '', ['submit 0', 'answered 0']);
    await stage.expectStory(twice.message_id ?? '', [
      'submit 0',
      'receipt DELIVRD try 1',
      'receipt DELIVRD again try 1',
      'answered 0',
      'receipt_ack DELIVRD try 1 0',
      'receipt_ack DELIVRD again try 1 0',
    ]);
  });

  it('say how texts end, by chance and by prefix', async () => {
    const esme = await esmeOf({
      receipts: {
        outcomes: [
          { stat: 'EXPIRED', err: '027', to_prefix: '361' },
          { stat: 'REJECTD', err: '001', per_mille: 500 },
        ],
      },
    });
    await Promise.all(Array.from({ length: 100 }, (_, n) => esme.submit(`end ${n}`)));
    await esme.submit('expired', { destination_addr: '3611' });
    const states = (await esme.deliveries(101)).map((one) => one.message_state);
    expect(states.at(-1)).toBe(3);
    expect(new Set(states.slice(0, 100))).toEqual(new Set([2, 8]));
  });
});

describe('a text under way', () => {
  it('can be asked for, replaced and cancelled, and no more once it has ended', async () => {
    const esme = await esmeOf({ receipts: { delay_ms: { min: 5_000, max: 5_000 } } });
    const { message_id = '' } = await esme.submit('to be cancelled');
    const of = { message_id, source_addr_ton: 5, source_addr: 'Letsdial' };
    expect(await esme.ask('query_sm', of)).toMatchObject({ command_status: 0, message_id, message_state: 1 });
    expect(await esme.ask('replace_sm', { ...of, short_message: 'x' })).toMatchObject({ command_status: 0 });
    const foreign = { ...of, source_addr: 'Other' };
    expect(await esme.ask('cancel_sm', foreign)).toMatchObject({ command_status: STATUS.ESME_RINVMSGID });
    expect(await esme.ask('cancel_sm', { ...of, destination_addr: '447700900123' })).toMatchObject({
      command_status: 0,
    });
    const [receipt] = await esme.deliveries(1);
    expect(receipt?.message_state).toBe(4);
    expect(await esme.ask('cancel_sm', of)).toMatchObject({ command_status: STATUS.ESME_RCANCELFAIL });
    expect(await esme.ask('replace_sm', of)).toMatchObject({ command_status: STATUS.ESME_RREPLACEFAIL });
    expect(await esme.ask('query_sm', of)).toMatchObject({ command_status: 0, message_state: 4 });
    expect(await esme.ask('query_sm', { ...of, message_id: '17' })).toMatchObject({
      command_status: STATUS.ESME_RINVMSGID,
    });
  });
});
