import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../domain/texts/outcomes.ts';
import type { ClaimedMessage, Release } from '../../domain/texts/queue.ts';
import type { CarrierBind } from '../carriers/carrier_bind.ts';
import type { PartResult } from '../carriers/part_result.ts';
import type { RouteBook } from '../routing/route_book.ts';
import { STATUS } from '../smpp/status.ts';
import type { ClaimQueue, Mark } from './claim_queue.ts';
import { Dispatcher } from './dispatcher.ts';
import type { OutcomeWriter } from './outcome_writer.ts';
import { noParts } from './part_counts.ts';
import { UNANSWERED_MAX } from './sending.ts';

const [FIRST, SECOND] = [1, 2];
const DIALECT = {
  ...{ number_ton: 1, number_npi: 1, short_code_ton: 3, short_code_npi: 0, name_ton: 5, name_npi: 0, plus_sign: false },
  ...{ default_alphabet: 'gsm7', national_languages: [], recipient_ton: 1, recipient_npi: 1, sends_validity: false },
};

/** A bind whose window and pace the test keeps, and whose answers it gives. */
class Stage {
  /** What was submitted and not answered: by its first letters. */
  readonly out: { words: string; done: (result: PartResult) => void; late: (result: PartResult) => void }[] = [];
  submitted = 0;
  window_max = 1;
  /** By its sender. */
  admits: (sender: string) => boolean = () => true;

  readonly bind: CarrierBind = {
    row: { id: 'bind', ...DIALECT },
    ...{ is_bound: true, sends: true, admission: { admits: ({ sender }: { sender: string }) => this.admits(sender) } },
    waitMs: () => (this.out.length < this.window_max ? 0 : null),
    submit: (
      body: { short_message: Uint8Array },
      done: (result: PartResult) => void,
      late: (result: PartResult) => void,
    ) => {
      this.submitted += 1;
      const words = Buffer.from(body.short_message).toString('latin1').slice(-1);
      this.out.push({ words, done, late });
    },
  } as unknown as CarrierBind;

  /** The oldest that is out is answered so; what follows from that has happened when this resolves. */
  async answer(result: PartResult): Promise<{ late: (result: PartResult) => void }> {
    const one = this.out.shift();
    if (one === undefined) throw new Error('Nothing is out.');
    one.done(result);
    await setImmediate();
    await setImmediate();
    return one;
  }
}

let now_ms: number;
let outcomes: Outcome[];
let released: (Release & { done: (is_there: boolean) => void })[];
let marked: { message_id: string; done: (mark: Mark) => void }[];
let first: Stage;
let second: Stage;
let dispatcher: Dispatcher;
let left: string[];

beforeEach(() => {
  [now_ms, outcomes, released, marked, left] = [1_000_000, [], [], [], []];
  [first, second] = [new Stage(), new Stage()];
  const queue = {
    release: (release: Release, done: (is_there: boolean) => void) => released.push({ ...release, done }),
    settled: () => Promise.resolve(),
    markSending: (message_id: string, done: (mark: Mark) => void) => marked.push({ message_id, done }),
  };
  dispatcher = new Dispatcher({
    ...{ queue: queue as unknown as ClaimQueue, lane_texts_max: 100, unrouted_retry_ms: 60_000 },
    outcomes: { write: (outcome: Outcome) => outcomes.push(outcome) } as unknown as OutcomeWriter,
    book: { route: () => ({ routes: routes(), reason: '' }) } as unknown as RouteBook,
    ...{ routedAs: (number) => number, countsOf: noParts, now: () => now_ms, log: pino({ level: 'silent' }) },
    onLeft: (account_id) => left.push(account_id),
  });
});

let routes = (): object[] => [{ carrier_id: FIRST }];

/** Bound to these carriers, by which all texts can go. */
function bound(...carriers: number[]): void {
  routes = () => carriers.map((carrier_id) => ({ carrier_id, cost: null }));
  for (const carrier_id of carriers) dispatcher.setBinds(carrier_id, [(carrier_id === FIRST ? first : second).bind]);
}

const TAKEN: PartResult = { kind: 'taken', carrier_message_id: '1' };
const SILENCE: PartResult = { kind: 'unanswered', why: 'timeout' };
const refused = (status: number): PartResult => ({ kind: 'refused', status });

function text(more: Partial<ClaimedMessage> = {}): ClaimedMessage {
  return {
    ...{ message_id: randomUUID(), account_id: 'a', sender: '+4930123', recipient: '+447700900123', body: 'x' },
    ...{ encoding: 'gsm7', segments: 1, on_doubt: 'resend', priority: 1, attempt: 1, parts_submitted: [], sale: null },
    ...{ wanted_at_ms: 0, valid_until_ms: 86_400_000, is_unwanted: false },
    ...more,
  };
}

/** Of three parts, of which one has room in the window at a time. */
const long = (more: Partial<ClaimedMessage> = {}): ClaimedMessage =>
  text({ body: `${'a'.repeat(153)}${'b'.repeat(153)}${'c'.repeat(100)}`, segments: 3, ...more });

async function take(...messages: ClaimedMessage[]): Promise<void> {
  dispatcher.takeClaimed(messages);
  await setImmediate();
  await setImmediate();
}

const states = (): (string | null)[] => outcomes.map(({ then_state }) => then_state);

describe('a long text of which one part after the other is answered', () => {
  it('goes on part by part, and is done once, and the next one goes after it', async () => {
    bound(FIRST);
    await take(long(), text({ body: 'z' }));
    for (let part = 0; part < 3; part += 1) await first.answer(TAKEN);
    expect(states()).toEqual([null, null, 'done']);
    expect(first.out.map(({ words }) => words)).toEqual(['z']);
    await first.answer(TAKEN);
    expect([first.submitted, dispatcher.lane(FIRST).depth]).toEqual([4, 0]);
    expect(left).toEqual(['a', 'a']);
  });

  it('ends where a part is refused for its own sake, is in no lane any more, and keeps nobody waiting', async () => {
    bound(FIRST);
    const message = long();
    await take(message, text({ body: 'z' }));
    await first.answer(refused(STATUS.ESME_RINVDSTADR));
    expect(outcomes.at(-1)).toMatchObject({ then_state: 'rejected', refund_segments: 3 });
    expect(dispatcher.holds(message.message_id)).toBe(false);
    expect(first.out.map(({ words }) => words)).toEqual(['z']);
    await first.answer(TAKEN);
    expect([first.submitted, dispatcher.lane(FIRST).depth]).toEqual([2, 0]);
  });

  it('that a carrier cannot take for the moment is given back, and not sent on by the lane it was in', async () => {
    bound(FIRST);
    await take(long());
    await first.answer(refused(STATUS.ESME_RSYSERR));
    expect(released).toHaveLength(1);
    expect([first.submitted, dispatcher.lane(FIRST).depth]).toEqual([1, 0]);
  });

  it('goes on to another carrier with what is left of it, and only that', async () => {
    bound(FIRST, SECOND);
    second.window_max = 3;
    await take(long());
    await first.answer(TAKEN);
    await first.answer(refused(STATUS.ESME_RINVSRCADR));
    expect(second.out.map(({ words }) => words)).toEqual(['b', 'c']);
    await second.answer(TAKEN);
    await second.answer(TAKEN);
    expect(states()).toEqual([null, null, null, 'done']);
    expect([first.submitted, second.submitted]).toEqual([2, 2]);
  });

  it('of which doubt means hold is not sent on once a part was not answered', async () => {
    bound(FIRST);
    const message = long({ on_doubt: 'hold' });
    await take(message);
    marked[0]?.done('may_go');
    await setImmediate();
    await setImmediate();
    await first.answer(TAKEN);
    await first.answer(SILENCE);
    expect(states()).toEqual([null, 'doubt']);
    expect([first.submitted, dispatcher.lane(FIRST).depth, dispatcher.holds(message.message_id)]).toEqual([
      2,
      0,
      false,
    ]);
  });

  it('that is out in part while the gateway stops is given back only when that is answered', async () => {
    bound(FIRST);
    await take(long());
    dispatcher.drain();
    expect(released).toEqual([]);
    await first.answer(TAKEN);
    expect(released).toHaveLength(1);
    expect(first.submitted).toBe(1);
  });

  it('whose validity ends while a part is out ends when that is answered, with the rest of its price given back', async () => {
    bound(FIRST);
    await take(long({ valid_until_ms: now_ms + 1 }));
    now_ms += 10;
    dispatcher.lane(FIRST).schedule();
    await setImmediate();
    expect(outcomes).toEqual([]);
    await first.answer(TAKEN);
    expect(outcomes.at(-1)).toMatchObject({ then_state: 'expired', refund_segments: 2 });
    expect(first.submitted).toBe(1);
  });
});

it('a text whose bind is full keeps none waiting that goes by another bind of the same carrier', async () => {
  [first.admits, second.admits] = [(sender) => sender.startsWith('+'), (sender) => !sender.startsWith('+')];
  dispatcher.setBinds(FIRST, [first.bind, second.bind]);
  routes = () => [{ carrier_id: FIRST }];
  const names = [text({ sender: 'Name', body: '1' }), text({ sender: 'Name', body: '2' })];
  await take(...names, text({ body: '3' }), text({ body: '4' }));
  expect([first, second].map(({ out }) => out.map(({ words }) => words))).toEqual([['3'], ['1']]);
  await first.answer(TAKEN);
  expect(first.out.map(({ words }) => words)).toEqual(['4']);
  await second.answer(TAKEN);
  expect(second.out.map(({ words }) => words)).toEqual(['2']);
  expect(dispatcher.lane(FIRST).depth).toBe(0);
});

it('a part is booked at what its carrier took when it was sent there, though it is no route any more by then', async () => {
  const cost = { micros_per_segment: 70n, currency: 'EUR' };
  dispatcher.setBinds(FIRST, [first.bind]);
  routes = () => [{ carrier_id: FIRST, cost }];
  await take(text());
  routes = () => [];
  await first.answer(TAKEN);
  expect(outcomes).toMatchObject([{ carrier_id: FIRST, cost: { micros: 70n, currency: 'EUR' } }]);
});

describe('a text that is not answered', () => {
  it('goes again, by another carrier where there is one, once the database says that nothing was heard of it', async () => {
    bound(FIRST, SECOND);
    const message = text();
    await take(message);
    await first.answer(SILENCE);
    expect(second.submitted).toBe(0);
    expect(marked.map(({ message_id }) => message_id)).toEqual([message.message_id]);
    marked[0]?.done('may_go');
    await setImmediate();
    await setImmediate();
    expect([first.submitted, second.submitted]).toEqual([1, 1]);
  });

  it('does not go again where its receipt has come, or somebody has ended it', async () => {
    bound(FIRST);
    const message = text();
    await take(message);
    await first.answer(SILENCE);
    marked[0]?.done('ended');
    await setImmediate();
    expect([first.submitted, dispatcher.holds(message.message_id)]).toEqual([1, false]);
  });

  it('is a matter for a person after so many times', async () => {
    bound(FIRST);
    await take(text());
    for (let time = 1; time < UNANSWERED_MAX; time += 1) {
      await first.answer(SILENCE);
      marked.shift()?.done('may_go');
      await setImmediate();
      await setImmediate();
    }
    expect(states()).toEqual(Array.from({ length: UNANSWERED_MAX - 1 }, () => null));
    await first.answer(SILENCE);
    expect(states().at(-1)).toBe('doubt');
    expect(first.submitted).toBe(UNANSWERED_MAX);
  });

  it('goes back with the number of its attempt where the database cannot be asked', async () => {
    bound(FIRST);
    const message = text();
    await take(message);
    await first.answer(SILENCE);
    marked[0]?.done('not_asked');
    expect(released).toMatchObject([{ message_id: message.message_id, attempt: 2 }]);
    expect([first.submitted, dispatcher.holds(message.message_id)]).toEqual([1, false]);
  });

  it('is not sent for ever by being given back and claimed again in between', async () => {
    bound(FIRST);
    await take(text({ attempt: 7 }));
    marked.shift()?.done('may_go');
    await setImmediate();
    await setImmediate();
    await first.answer(SILENCE);
    expect(states()).toEqual(['doubt']);
    expect(first.submitted).toBe(1);
  });

  it('and that was claimed again meanwhile hears of the late answer to what it was before', async () => {
    bound(FIRST);
    const message = text();
    await take(message);
    const { late } = await first.answer(SILENCE);
    marked[0]?.done('not_asked');
    await take({ ...message, attempt: 2 });
    late(TAKEN);
    marked[1]?.done('may_go');
    await setImmediate();
    await setImmediate();
    expect(states()).toEqual([null, 'done']);
    expect(first.submitted).toBe(1);
  });

  it('is not sent again where the answer comes late, and before it goes', async () => {
    bound(FIRST);
    const message = text();
    await take(message);
    const { late } = await first.answer(SILENCE);
    late(TAKEN);
    marked[0]?.done('may_go');
    await setImmediate();
    await setImmediate();
    expect(states()).toEqual([null, 'done']);
    expect([first.submitted, dispatcher.holds(message.message_id)]).toEqual([1, false]);
  });

  it('is done where the answer to the first time comes late and the second one is not answered at all', async () => {
    bound(FIRST);
    await take(text());
    const { late } = await first.answer(SILENCE);
    marked[0]?.done('may_go');
    await setImmediate();
    await setImmediate();
    late(TAKEN);
    await first.answer(SILENCE);
    expect(states()).toEqual([null, null, 'done']);
    expect(first.submitted).toBe(2);
  });

  it('and that is held is done where the answers to all its parts have come, late or not', async () => {
    bound(FIRST);
    first.window_max = 3;
    await take(long({ on_doubt: 'hold' }));
    marked[0]?.done('may_go');
    await setImmediate();
    await setImmediate();
    const { late } = await first.answer(SILENCE);
    await first.answer(TAKEN);
    await first.answer(TAKEN);
    expect(states()).toEqual([null, null, 'doubt']);
    late(TAKEN);
    expect(states().at(-1)).toBe('done');
  });
});

describe('a text that waits in memory', () => {
  it('goes back to the database for whoever wants it cancelled, unless some of it was sent', async () => {
    bound(FIRST);
    const [sent, waits] = [text(), text()];
    await take(sent, waits);
    await dispatcher.giveBack(sent.message_id);
    expect(released).toEqual([]);
    const given_back = dispatcher.giveBack(waits.message_id);
    expect(released).toMatchObject([{ message_id: waits.message_id, due_at: new Date(now_ms + 1_000) }]);
    released[0]?.done(true);
    await given_back;
    await first.answer(TAKEN);
    expect(first.submitted).toBe(1);
  });

  it('goes back where its recipient says that he wants no more', async () => {
    bound(FIRST);
    const [other, theirs] = [text({ recipient: '+447700900999' }), text()];
    await take(other, text({ recipient: '+447700900999', account_id: 'b' }), theirs);
    void dispatcher.giveBackTo('a', theirs.recipient);
    expect(released.map(({ message_id }) => message_id)).toEqual([theirs.message_id]);
  });

  it('goes back for that, and not to be cancelled, where it may have been sent before, and is not sent again', async () => {
    bound(FIRST);
    const [other, theirs] = [text({ recipient: '+447700900999' }), text({ attempt: 2 })];
    await take(other, theirs);
    marked[0]?.done('may_go');
    await setImmediate();
    await dispatcher.giveBack(theirs.message_id);
    expect(released).toEqual([]);
    void dispatcher.giveBackTo('a', theirs.recipient);
    expect(released).toMatchObject([{ message_id: theirs.message_id, carrier_id: FIRST, attempt: 2 }]);
    await first.answer(TAKEN);
    expect([first.submitted, dispatcher.lane(FIRST).depth]).toEqual([1, 0]);
  });

  it('also goes back where it is just being marked before it is sent', async () => {
    bound(FIRST);
    const theirs = text({ attempt: 2 });
    await take(theirs);
    void dispatcher.giveBackUnwanted(theirs.message_id);
    expect(released).toMatchObject([{ message_id: theirs.message_id, carrier_id: FIRST, attempt: 2 }]);
    marked[0]?.done('may_go');
    await setImmediate();
    await setImmediate();
    expect([first.submitted, dispatcher.lane(FIRST).depth]).toEqual([0, 0]);
  });

  it('goes on where a part of it is out, and back once that is answered', async () => {
    bound(FIRST);
    const theirs = long();
    await take(theirs);
    void dispatcher.giveBackUnwanted(theirs.message_id);
    expect(released).toEqual([]);
    first.window_max = 0;
    await first.answer(TAKEN);
    void dispatcher.giveBackUnwanted(theirs.message_id);
    expect(released).toMatchObject([{ message_id: theirs.message_id, attempt: 1 }]);
    expect(first.submitted).toBe(1);
  });

  it('and that is unwanted by now is not sent, and its price is given back', async () => {
    bound(FIRST);
    await take(text({ is_unwanted: true }));
    expect(outcomes).toMatchObject([{ then_state: 'rejected', refund_segments: 1 }]);
    expect(first.submitted).toBe(0);
  });

  it('and of which all was taken before is written down as that, and not sent', async () => {
    bound(FIRST);
    await take(long({ parts_submitted: [1, 2, 3] }));
    expect(states()).toEqual(['done']);
    expect(first.submitted).toBe(0);
  });
});
