import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { replayDeadLetters } from '../../../domain/texts/dead_letters.ts';
import { STATUS } from '../../smpp/status.ts';
import { findTlvText, TLV } from '../../smpp/tlv.ts';
import { DeliveryStage, LEASE_MS, SenderAtWork } from '../testing/delivery_stage.ts';
import type { FakeBind } from '../testing/fake_bind.ts';
import { RETRY_DELAYS_MS } from './retry_schedule.ts';

const start = new Date('2026-01-15T12:00:00Z');
const after = (ms: number): Date => new Date(start.getTime() + ms);

let stage: DeliveryStage;
const at_work: SenderAtWork[] = [];

beforeAll(async () => {
  stage = await DeliveryStage.make();
});

afterAll(() => stage.books.end());

afterEach(async () => {
  for (const work of at_work.splice(0)) await work.sender.stop();
});

function sender(): SenderAtWork {
  const work = new SenderAtWork(stage.books, start);
  at_work.push(work);
  return work;
}

/** A customer who is to hear of so many texts, one after the other. */
async function waiting(receipts: number) {
  const esme = await stage.esme();
  const ids: string[] = [];
  for (let n = 0; n < receipts; n += 1) {
    const { id } = await stage.delivered(esme, after(n - receipts));
    ids.push(id.replaceAll('-', ''));
  }
  return { ...esme, ids };
}

const idsOf = (bind: FakeBind): (string | null)[] =>
  bind.sent.map(({ tlvs }) => findTlvText(tlvs, TLV.receipted_message_id));

describe('what a customer is to be told', () => {
  it('goes to his receiver in its order, as much as the window holds, and is forgotten when it was acknowledged', async () => {
    const { system_id, ids } = await waiting(5);
    const work = sender();
    const { bind } = work.bind(system_id, { window_max: 2 });
    await work.sent(bind, 2);
    expect(idsOf(bind)).toEqual(ids.slice(0, 2));
    expect(await stage.rows(system_id)).toHaveLength(5);
    bind.answers_with = STATUS.ESME_ROK;
    bind.answer();
    bind.answer();
    await work.until('delivered', 5);
    expect(idsOf(bind)).toEqual(ids);
    expect(await stage.rows(system_id)).toEqual([]);
    expect(work.sender.under_way).toBe(0);
  });

  it('waits while nobody is bound, and is told to nobody else', async () => {
    const { system_id, ids } = await waiting(1);
    const other = await stage.esme();
    const work = sender();
    const stranger = work.bind(other.system_id);
    work.later(48 * 3_600_000).sender.wake();
    const { bind } = work.bind(system_id);
    await work.sent(bind, 1);
    expect(idsOf(bind)).toEqual(ids);
    expect(stranger.bind.sent).toEqual([]);
    bind.answer();
    await work.until('delivered', 1);
  });

  it('is shared by the receivers of one system_id', async () => {
    const { system_id, ids } = await waiting(4);
    const work = sender();
    const [one, two] = [work.bind(system_id, { window_max: 2 }), work.bind(system_id, { window_max: 2 })];
    await work.sent(two.bind, 2);
    await work.sent(one.bind, 2);
    expect([...idsOf(one.bind), ...idsOf(two.bind)].sort()).toEqual([...ids].sort());
    for (const { bind } of [one, two]) [1, 2].forEach(() => bind.answer());
    await work.until('delivered', 4);
  });

  it('is a text of many parts, which all have to be acknowledged', async () => {
    const esme = await stage.esme();
    await stage.arrived(esme, start, { body: 'я'.repeat(150), encoding: 'ucs2', segments: 3 });
    const work = sender();
    const { bind } = work.bind(esme.system_id, { window_max: 2 });
    await work.sent(bind, 2);
    expect(bind.sent).toHaveLength(2);
    bind.answer();
    await work.sent(bind, 3);
    expect(bind.sent.map(({ short_message }) => short_message[5])).toEqual([1, 2, 3]);
    bind.answer();
    expect(work.events).toEqual([]);
    bind.answer();
    await work.until('delivered', 1);
    expect(await stage.rows(esme.system_id)).toEqual([]);
  });

  it('is found by looking now and then, too', async () => {
    const { system_id } = await waiting(0);
    const work = sender();
    work.sender.start();
    const { bind } = work.bind(system_id);
    await stage.delivered(await withSystemId(system_id), start);
    while (bind.sent.length === 0) {
      work.clock.advance(1000);
      await new Promise(setImmediate);
    }
    bind.answer();
    await work.until('delivered', 1);
  });
});

async function withSystemId(system_id: string) {
  const { rows } = await stage.books.pool.query<{ account_id: string; wallet_id: string; number: string }>(
    `select e.account_id, w.id as wallet_id, d.number from esme e join wallet w on w.account_id = e.account_id
       join did d on d.account_id = e.account_id where e.system_id = $1`,
    [system_id],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('there is no such bind');
  return { ...row, wallet_id: BigInt(row.wallet_id), system_id, device: { username: '', password: '' } };
}

describe('a delivery that fails', () => {
  it('is attempted again later, and holds up no later one', async () => {
    const { system_id, ids } = await waiting(2);
    const work = sender();
    const { bind } = work.bind(system_id, { window_max: 1 });
    await work.sent(bind, 1);
    bind.answer(STATUS.ESME_RX_P_APPN);
    await work.sent(bind, 2);
    bind.answer();
    await work.until('delivered', 1);
    await work.until('failed', 1);
    expect(await stage.rows(system_id)).toEqual([
      { attempts: 1, due_at: after(2000), dead_at: null, last_error: 'The bind answered ESME_RX_P_APPN.' },
    ]);
    const fresh = await stage.delivered(await withSystemId(system_id), after(1999));
    work.later(1999).sender.wake();
    await work.sent(bind, 3);
    bind.answer();
    await work.until('delivered', 2);
    work.later(1).sender.wake();
    await work.sent(bind, 4);
    expect(idsOf(bind)).toEqual([ids[0], ids[1], fresh.id.replaceAll('-', ''), ids[0]]);
    bind.answer();
    await work.until('delivered', 3);
  });

  it('is dead after its last attempt, a day later, and kept until somebody asks for it', async () => {
    const { system_id, account_id } = await waiting(1);
    const work = sender();
    const { bind } = work.bind(system_id);
    for (const [n, delay_ms] of [...RETRY_DELAYS_MS, 0].entries()) {
      await work.sent(bind, n + 1);
      bind.fallSilent();
      if (delay_ms === 0) break;
      await work.until('failed', n + 1);
      work.later(Math.max(delay_ms, 1000)).sender.wake();
    }
    await work.until('dead', 1);
    expect(work.at_ms - start.getTime()).toBeGreaterThan(24 * 3_600_000);
    const [row] = await stage.rows(system_id);
    expect(row).toMatchObject({
      ...{ attempts: RETRY_DELAYS_MS.length + 1, last_error: 'The bind gave no answer: timeout.' },
      dead_at: new Date(work.at_ms),
    });
    work.later(3_600_000).sender.wake();
    const again = work.bind(system_id);
    await work.sender.pause();
    expect(again.bind.sent).toEqual([]);

    const wishes = { account_id, since: null, message_id: null, rows_max: 100 };
    const replayed = await replayDeadLetters(stage.books.pool, wishes, new Date(work.at_ms));
    expect(replayed).toEqual({ replayed: 1, left: 0 });
    const next = sender().later(work.at_ms - start.getTime());
    const { bind: awake } = next.bind(system_id);
    await next.sent(awake, 1);
    awake.answer();
    await next.until('delivered', 1);
    expect(await stage.rows(system_id)).toEqual([]);
  });

  it('slows down what goes to a peer that asks for patience', async () => {
    const { system_id } = await waiting(6);
    const work = sender();
    const { bind } = work.bind(system_id, { window_max: 2 });
    await work.sent(bind, 2);
    bind.answer(STATUS.ESME_RTHROTTLED);
    bind.answer(STATUS.ESME_RTHROTTLED);
    await work.until('failed', 2);
    work.later(999).sender.wake();
    work.later(1).sender.wake();
    await work.sent(bind, 3);
    // One by one, and then one more at a time.
    expect(bind.in_flight).toBe(1);
    bind.answer();
    await work.sent(bind, 5);
    bind.answers_with = STATUS.ESME_ROK;
    bind.answer();
    bind.answer();
    await work.until('delivered', 4);
  });

  it('is none where it was never sent: it is due as before', async () => {
    const { system_id, ids } = await waiting(3);
    const work = sender();
    const first = work.bind(system_id, { window_max: 3 });
    await work.sent(first.bind, 3);
    first.bind.close(false);
    work.sender.remove(first.receiver);
    await work.until('given_back', 3);
    expect(await stage.rows(system_id)).toMatchObject([{ attempts: 0 }, { attempts: 0 }, { attempts: 0 }]);
    const second = work.bind(system_id);
    await work.sent(second.bind, 3);
    expect(idsOf(second.bind)).toEqual(ids);
    second.bind.close();
    work.sender.remove(second.receiver);
    await work.until('failed', 3);
    expect(await stage.rows(system_id)).toMatchObject([{ attempts: 1 }, { attempts: 1 }, { attempts: 1 }]);
  });
});

describe('a bind that leaves', () => {
  it('gives back what it did not take any more, and fails what it took in part', async () => {
    const esme = await stage.esme();
    await stage.arrived(esme, start, { body: 'я'.repeat(150), encoding: 'ucs2', segments: 3 });
    await stage.arrived(esme, after(1));
    const work = sender().later(1);
    const first = work.bind(esme.system_id, { window_max: 2 });
    await work.sent(first.bind, 2);
    // From here on it takes nothing new, as a session that is to end.
    first.bind.is_open = false;
    first.bind.answer();
    first.bind.answer();
    first.bind.close();
    work.sender.remove(first.receiver);
    await work.until('failed', 1);
    const [torn, other] = await stage.rows(esme.system_id);
    expect(torn).toMatchObject({ attempts: 1, last_error: 'The bind ended in the middle of it.' });
    expect(other).toMatchObject({ attempts: 0 });

    // What is given back is written beside what goes on, so whoever looks too early looks again, as by its poll.
    const poll = setInterval(() => work.sender.wake(), 1);
    try {
      const deaf = work.bind(esme.system_id);
      deaf.bind.is_open = false;
      while (deaf.receiver.room === 10) await new Promise(setImmediate);
      work.sender.remove(deaf.receiver);
      const second = work.bind(esme.system_id);
      await work.sent(second.bind, 1);
      second.bind.answer();
      await work.until('delivered', 1);
      await work.until('given_back', 1);
    } finally {
      clearInterval(poll);
    }
  });
});

describe('a process that dies', () => {
  it('loses nothing: whoever comes next attempts it when its time is over', async () => {
    const { system_id, ids } = await waiting(1);
    const dead = sender();
    const before = dead.bind(system_id);
    await dead.sent(before.bind, 1);
    const next = sender();
    const { bind } = next.bind(system_id);
    next.later(LEASE_MS - 1).sender.wake();
    next.later(1).sender.wake();
    await next.sent(bind, 1);
    expect(idsOf(bind)).toEqual(ids);
    bind.answer();
    await next.until('delivered', 1);
    // That the dead one hears of a failure after all is its own affair.
    before.bind.answer(STATUS.ESME_RSYSERR);
    await dead.until('failed', 1);
    expect(await stage.rows(system_id)).toEqual([]);
  });
});

describe('what cannot be told', () => {
  it('is buried at once where its text was erased', async () => {
    const esme = await stage.esme();
    await stage.arrived(esme, start);
    await stage.books.pool.query('update message set body = null where account_id = $1', [esme.account_id]);
    const work = sender();
    work.bind(esme.system_id);
    await work.until('dead', 1);
    expect(await stage.rows(esme.system_id)).toMatchObject([
      { dead_at: start, last_error: 'The text is no longer stored.' },
    ]);
  });
});
