import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Customer } from '../../../deploy/world/people.ts';
import { brokenInvariants } from '../../ledger/invariants.ts';
import { acceptMessages } from '../accept_messages.ts';
import type { NewMessage } from '../accept_messages.ts';
import { cancelMessage, decideHeldMessage } from '../decisions.ts';
import { claimMessages, claimStranded, expireMessages, whatWaits } from '../queue.ts';
import { balanceOf, eventsOf, stateOf, textBooks } from '../testing/texts.ts';
import type { TextBooks } from '../testing/texts.ts';
import { recordScreenings, unscreenedTexts } from './unscreened_texts.ts';
import type { ScreenedText } from './unscreened_texts.ts';

const MONEY_MICROS = 100_000n;

let books: TextBooks;
let customer: Customer;

beforeAll(async () => {
  books = await textBooks();
  customer = await books.customer(MONEY_MICROS);
});

afterAll(async () => {
  expect(await brokenInvariants(books.pool)).toEqual([]);
  await books.end();
});

/** Accepted as the portal does it, or as nobody should. */
async function portalTexts(...wishes: Partial<NewMessage>[]): Promise<string[]> {
  const texts = wishes.map((wish) =>
    books.text(customer, { source: 'portal', carrier_id: null, epoch: null, wants_receipt: false, ...wish }),
  );
  const answers = await acceptMessages(books.pool, new Date(), texts);
  expect(answers.map(({ verdict }) => verdict)).toEqual(texts.map(() => 'accepted'));
  return texts.map(({ id }) => id);
}

async function claimed(): Promise<string[]> {
  const lanes = await Promise.all(
    [null, books.carrier_id].flatMap((carrier_id) => [
      claimMessages(books.pool, books.lease, carrier_id, new Date(), 100),
      claimStranded(books.pool, books.lease, carrier_id, new Date(), new Date(Date.now() + 1_000), 100),
    ]),
  );
  return lanes.flat().map(({ message_id }) => message_id);
}

const verdict = (
  message_id: string,
  kind: ScreenedText['verdict'],
  more: Partial<ScreenedText> = {},
): ScreenedText => ({
  ...{ message_id, verdict: kind, words: kind === 'pass' ? null : 'gambling needs a licence', due_at: null },
  ...more,
});

const record = (...screened: ScreenedText[]) => recordScreenings(books.pool, books.lease, new Date(), screened);

describe('a text that the portal took in', () => {
  it('is in no claim before it was screened, whatever its lane and whoever asks to send it at once', async () => {
    const ids = await portalTexts(
      {},
      { carrier_id: books.carrier_id },
      { carrier_id: books.carrier_id, epoch: books.lease.epoch },
      { hold_reason: 'said so by the portal' },
    );
    expect(await claimed()).toEqual([]);
    const { rows } = await books.pool.query('select 1 from message_queue where epoch is not null');
    expect(rows).toEqual([]);
    const waiting = await unscreenedTexts(books.pool, [], 100);
    expect(waiting.map(({ message_id }) => message_id)).toEqual(ids);
    expect(await unscreenedTexts(books.pool, [customer.account_id], 100)).toEqual([]);
    expect(await whatWaits(books.pool)).toMatchObject({ has_unscreened: true });
    expect(await record(...ids.map((id) => verdict(id, 'pass')))).toBe(4);
    expect((await claimed()).sort()).toEqual([...ids].sort());
    expect(await whatWaits(books.pool)).toMatchObject({ has_unscreened: false });
  });

  it('waits for a person where it is held, and goes on or comes to its end by his word', async () => {
    const before = await balanceOf(books.pool, customer);
    const [free = '', barred = ''] = await portalTexts({}, {});
    await record(verdict(free, 'hold'), verdict(barred, 'hold'));
    expect([await stateOf(books.pool, free), await eventsOf(books.pool, free)]).toEqual(['held', ['held']]);
    const decide = (message_id: string, release: boolean) =>
      decideHeldMessage(books.pool, { message_id, release, by: 'ann', reason: 'looked at' }, new Date());
    expect([await decide(free, true), await decide(barred, false)]).toEqual(['released', 'refused']);
    expect(await claimed()).toEqual([free]);
    // What a person let go is not screened again.
    expect(await record(verdict(free, 'refuse'))).toBe(0);
    expect(await balanceOf(books.pool, customer)).toBe(before - 1_000n);
  });

  it('ends with its price given back where it is refused, and the customer reads why', async () => {
    const before = await balanceOf(books.pool, customer);
    const [one = '', other = ''] = await portalTexts({ segments: 3 }, {});
    expect(await record(verdict(other, 'refuse', { words: 'other words' }), verdict(one, 'refuse'))).toBe(2);
    const { rows } = await books.pool.query(
      'select state, error from message_state where message_id = any($1) order by message_id',
      [[one, other]],
    );
    expect(rows).toEqual([
      { state: 'rejected', error: 'gambling needs a licence' },
      { state: 'rejected', error: 'other words' },
    ]);
    expect(await balanceOf(books.pool, customer)).toBe(before);
    expect(await claimed()).toEqual([]);
  });

  it('is screened once: the first verdict that is written stands', async () => {
    const before = await balanceOf(books.pool, customer);
    const [passed = '', refused = ''] = await portalTexts({}, {});
    const batch = [verdict(passed, 'pass'), verdict(refused, 'refuse')];
    expect(await record(...batch)).toBe(2);
    expect(await record(...batch)).toBe(0);
    expect(await record(verdict(passed, 'refuse'), verdict(refused, 'pass'))).toBe(0);
    expect(await claimed()).toEqual([passed]);
    expect(await record(verdict(passed, 'hold'))).toBe(0);
    expect(await balanceOf(books.pool, customer)).toBe(before - 1_000n);
    expect(await eventsOf(books.pool, refused)).toEqual(['final', 'refunded']);
  });

  it('is not screened by a gateway that lost its lease', async () => {
    const [id = ''] = await portalTexts({});
    const late = { ...books.lease, epoch: books.lease.epoch - 1 };
    expect(await recordScreenings(books.pool, late, new Date(), [verdict(id, 'pass')])).toBeNull();
    expect(await claimed()).toEqual([]);
    expect(await record(verdict(id, 'pass'))).toBe(1);
    expect(await claimed()).toEqual([id]);
  });

  it('is put off to the hours of its recipient, and is valid as long from then on', async () => {
    const due_at = new Date(Date.now() + 3_600_000);
    const [id = ''] = await portalTexts({ class: 'bulk' });
    const validity = async (): Promise<number> => {
      const { rows } = await books.pool.query<{ until: Date }>(
        'select valid_until as until from message_queue where message_id = $1',
        [id],
      );
      return rows[0]?.until.getTime() ?? 0;
    };
    const before = await validity();
    await record(verdict(id, 'pass', { due_at }));
    expect(await claimed()).toEqual([]);
    expect(await stateOf(books.pool, id)).toBe('scheduled');
    expect((await validity()) - before).toBeGreaterThan(3_500_000);
  });

  it('can be taken back by the customer, and ends with its validity', async () => {
    const before = await balanceOf(books.pool, customer);
    const [unwanted = '', stale = ''] = await portalTexts({}, { valid_until: new Date(Date.now() - 1) });
    expect(await cancelMessage(books.pool, customer.account_id, unwanted, new Date())).toBe('cancelled');
    expect(await expireMessages(books.pool, books.lease, new Date(), 100)).toBe(1);
    expect(await record(verdict(unwanted, 'pass'), verdict(stale, 'pass'))).toBe(0);
    expect([await stateOf(books.pool, unwanted), await stateOf(books.pool, stale)]).toEqual(['cancelled', 'expired']);
    expect(await balanceOf(books.pool, customer)).toBe(before);
  });
});
