import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { submitFields } from './testing/npm_esme.ts';
import type { NpmPdu } from './testing/npm_esme.ts';
import { PATIENCE, Stage } from './testing/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});

afterEach(() => stage.clear());
afterAll(() => stage.close());

describe('a receipt that is not acknowledged', () => {
  it('comes again after a reconnect, in its order', async () => {
    const first = await stage.bound({ acknowledge: () => null });
    const ids = [];
    for (const text of ['one', 'two', 'three']) ids.push((await first.submit(text)).message_id);
    await first.deliveries(3);
    first.end();
    await first.closed.within(5_000);
    const second = await stage.bound();
    const receipts = await second.deliveries(3);
    expect(receipts.map((receipt) => receipt.receipted_message_id)).toEqual(ids);
    await stage.expectStory(ids[2] ?? '', [
      'submit 0',
      'receipt DELIVRD try 1',
      'answered 0',
      'receipt DELIVRD try 2',
      'receipt_ack DELIVRD try 2 0',
    ]);
    expect((await stage.facts('lost')).at(-1)).toMatchObject({ bind: 'ann', unacknowledged: 3 });
    expect(await stage.carrier.state()).toMatchObject({
      waiting: { ann: 0 },
      sessions: [{ bound: { unacknowledged: 0 } }],
    });
  });

  it('comes again on the same connection when the wait is over', async () => {
    let deaf = true;
    const esme = await stage.bound({ acknowledge: () => (deaf ? null : 0) });
    const { message_id = '' } = await esme.submit('to the deaf');
    await esme.deliveries(1);
    deaf = false;
    await stage.carrier.behaviour({ deliveries: { response_timeout_ms: 2_000 } });
    await esme.deliveries(2);
    await stage.expectStory(message_id, [
      'submit 0',
      'receipt DELIVRD try 1',
      'answered 0',
      'receipt DELIVRD try 2',
      'receipt_ack DELIVRD try 2 0',
    ]);
  });

  it('comes again after an answer that asks for patience, and not after one that refuses it', async () => {
    await stage.carrier.behaviour({ deliveries: { again_after_ms: 30 } });
    const statuses = [STATUS.ESME_RX_T_APPN, STATUS.ESME_RX_R_APPN];
    const esme = await stage.bound({ acknowledge: () => statuses.shift() ?? 0 });
    const { message_id = '' } = await esme.submit('patience');
    await esme.deliveries(2);
    const { message_id: next_id = '' } = await esme.submit('next');
    await esme.deliveries(3);
    await stage.expectStory(message_id, [
      'submit 0',
      'receipt DELIVRD try 1',
      'answered 0',
      `receipt_ack DELIVRD try 1 ${STATUS.ESME_RX_T_APPN}`,
      'receipt DELIVRD try 2',
      `receipt_ack DELIVRD try 2 ${STATUS.ESME_RX_R_APPN}`,
    ]);
    await stage.expectStory(next_id, [
      'submit 0',
      'receipt DELIVRD try 1',
      'answered 0',
      'receipt_ack DELIVRD try 1 0',
    ]);
  });

  it('holds back the next ones, when they are as many as the window', async () => {
    await stage.carrier.behaviour({ deliveries: { window: 2 } });
    const unacknowledged: NpmPdu[] = [];
    const esme = await stage.bound({
      acknowledge: (pdu) => {
        unacknowledged.push(pdu);
        return null;
      },
    });
    for (let n = 0; n < 5; n += 1) await esme.submit(`held back ${n}`);
    expect(await stage.carrier.state()).toMatchObject({
      waiting: { ann: 3 },
      sessions: [{ bound: { unacknowledged: 2 } }],
    });
    expect(unacknowledged).toHaveLength(2);
    await stage.carrier.behaviour({});
    await esme.deliveries(5);
  });
});

describe('the state', () => {
  it('counts what has not come to its end: the texts first, then their receipts', async () => {
    await stage.carrier.behaviour({ receipts: { delay_ms: { min: 4_000, max: 4_000 } } });
    const esme = await stage.bound({ acknowledge: () => null });
    await esme.submit('one');
    await esme.submit('two');
    expect(await stage.carrier.state()).toMatchObject({ unfinished: 2, sessions: [{ bound: { unacknowledged: 0 } }] });
    await esme.deliveries(2);
    expect(await stage.carrier.state()).toMatchObject({ unfinished: 0, sessions: [{ bound: { unacknowledged: 2 } }] });
  });
});

describe('a connection', () => {
  it('is reset in place of an answer; the text was taken, and its receipt comes to the next one', async () => {
    await stage.carrier.behaviour({ disconnect_per_mille: 1000 });
    const first = await stage.bound();
    first.send('submit_sm', submitFields('cut off'));
    await first.closed.within(5_000);
    expect(first.heard.map(({ command }) => command)).toEqual(['bind_transceiver_resp']);
    const { id } = await stage.submitOf('cut off');
    const second = await stage.bound();
    expect((await second.deliveries(1))[0]?.receipted_message_id).toBe(id);
    const answered = (await stage.facts('answered')).filter((fact) => fact.id === id);
    expect(answered).toEqual([]);
    const conn = (await stage.facts('submit')).find((fact) => fact.id === id)?.conn;
    const lost = (await stage.facts('lost')).filter((fact) => fact.conn === conn);
    expect(lost).toMatchObject([{ why: 'dropped' }]);
  });

  it('is reset on demand, and again and again where the carrier does so', async () => {
    const told = await stage.bound();
    expect(await stage.carrier.disconnect()).toBe(1);
    await told.closed.within(5_000);
    const dropped = async (): Promise<number> =>
      (await stage.facts('lost')).filter(({ why }) => why === 'dropped').length;
    const before = await dropped();
    await stage.carrier.behaviour({ disconnect_every_ms: 30 });
    for (let n = 0; n < 3; n += 1) {
      // A connection may be reset before this process has noticed that it was made.
      const socket = connect(stage.smsc.port, stage.smsc.address).on('error', () => undefined);
      const [was_reset] = await new Promise<[boolean]>((resolve) => socket.once('close', (...how) => resolve(how)));
      expect(was_reset).toBe(true);
    }
    await stage.carrier.behaviour({});
    expect(await dropped()).toBe(before + 3);
    const { command_status } = await (await stage.bound()).submit('not any more');
    expect(command_status).toBe(0);
  });

  it('cannot be made while the carrier is down', async () => {
    const esme = await stage.bound();
    await stage.carrier.listen(false);
    await esme.closed.within(5_000);
    await expect(stage.bound()).rejects.toThrow(/ECONNREFUSED/u);
    await stage.carrier.listen(true);
    expect((await (await stage.bound()).submit('up again')).command_status).toBe(0);
    expect((await stage.facts('listen')).map(({ on }) => on)).toEqual([false, true]);
  });

  it('stays without an answer while the carrier does not read', async () => {
    const esme = await stage.bound();
    await stage.carrier.stopReading(true);
    const answer = esme.submit('to nobody');
    expect(await stage.carrier.sendMo({ from: '+1', to: '+2', text: 'it still speaks', wait_ms: 0 })).toMatchObject({
      parts: [{ status: null }],
    });
    await esme.deliveries(1);
    expect(esme.heard.at(-1)?.command).toBe('deliver_sm');
    await expect(stage.submitOf('to nobody')).rejects.toThrow();
    await stage.carrier.stopReading(false);
    expect((await answer).command_status).toBe(0);
  });

  it('that speaks something else is told so and ended, and others do not feel it', async () => {
    const esme = await stage.bound();
    const stranger = connect(stage.smsc.port, stage.smsc.address);
    stranger.write('GET / HTTP/1.1\r\n\r\n');
    const [nack] = (await once(stranger, 'data')) as [Buffer];
    expect(nack.readUInt32BE(4)).toBe(0x80000000);
    await once(stranger, 'close');
    await vi.waitFor(async () => {
      const [last] = (await stage.facts('nonsense')).slice(-1);
      expect(last).toMatchObject({ bind: null, status: STATUS.ESME_RINVCMDLEN });
    }, PATIENCE);
    expect((await esme.submit('unmoved')).command_status).toBe(0);
  });

  it('gets a nack for what is no request of an ESME, and goes on', async () => {
    const esme = await stage.bound();
    expect(await esme.ask('deliver_sm', submitFields('wrong way'))).toMatchObject({
      command: 'generic_nack',
      command_status: STATUS.ESME_RINVCMDID,
    });
    expect((await esme.submit('still there')).command_status).toBe(0);
  });
});
