import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Receipt, ReceiptVerdict } from '../../domain/texts/receipts.ts';
import { ReceiptIntake } from './receipt_intake.ts';
import type { IntakeVerdict } from './receipt_intake.ts';
import { FakeClock } from '../smpp/testing/fake_clock.ts';

function receipt(id: string): Receipt {
  return { carrier_id: 1, carrier_message_ids: [id], state: 'delivered', error: null, done_at: null };
}

const idOf = ({ carrier_message_ids }: Receipt): string => carrier_message_ids[0] ?? '';

/** An intake whose database answers when it is told to, and says how. */
class Bench {
  readonly clock = new FakeClock();
  readonly asked: string[][] = [];
  readonly told: string[] = [];
  readonly outages: number[] = [];
  readonly unstorable: string[] = [];
  readonly counted: IntakeVerdict[] = [];
  readonly intake: ReceiptIntake;
  #answer: ((error?: Error) => void) | null = null;

  constructor(batch_size_max = 100) {
    this.intake = new ReceiptIntake({
      write: (receipts) => this.#write(receipts),
      clock: this.clock,
      random: () => 0.999999,
      retry: { first_ms: 100, most_ms: 1000 },
      batch_size_max,
      gather: () => setImmediate(),
      onOutage: (_, retry_ms) => this.outages.push(retry_ms),
      onUnstorable: (one) => this.unstorable.push(idOf(one)),
      onVerdicts: (verdicts) => this.counted.push(...verdicts),
    });
  }

  push(...ids: string[]): void {
    for (const id of ids) this.intake.push(receipt(id), (verdict) => this.told.push(`${id} ${verdict}`));
  }

  async answer(error?: Error): Promise<void> {
    while (this.#answer === null) await setImmediate();
    this.#answer(error);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await setImmediate();
  }

  #write(receipts: readonly Receipt[]): Promise<ReceiptVerdict[]> {
    this.asked.push(receipts.map(idOf));
    return new Promise((resolve, reject) => {
      this.#answer = (error) => {
        this.#answer = null;
        if (error === undefined) resolve(receipts.map((one) => (idOf(one).startsWith('p') ? 'parked' : 'matched')));
        else reject(error);
      };
    });
  }
}

const away = (): Error => new Error('connect ECONNREFUSED');
const refusal = (): Error => Object.assign(new Error('new row violates a check'), { code: '23514' });

describe('receipts', () => {
  it('go together when they came together, and are told of after the commit', async () => {
    const bench = new Bench();
    bench.push('a', 'p1');
    await bench.until(() => bench.asked.length === 1);
    bench.push('b');
    expect(bench.told).toEqual([]);
    await bench.answer();
    await bench.answer();
    await bench.until(() => bench.intake.length === 0);
    expect(bench.asked).toEqual([['a', 'p1'], ['b']]);
    expect(bench.told).toEqual(['a matched', 'p1 parked', 'b matched']);
    expect(bench.counted).toEqual(['matched', 'parked', 'matched']);
  });

  it('are written even when they come just as the last one is told of', async () => {
    for (let turns = 0; turns < 8; turns += 1) {
      const bench = new Bench();
      bench.intake.push(receipt('a'), () => {
        let turn = Promise.resolve();
        for (let n = 0; n < turns; n += 1) turn = turn.then(() => undefined);
        void turn.then(() => bench.push('b'));
      });
      await bench.answer();
      await bench.answer();
      await bench.until(() => bench.told.length === 1);
      expect(bench.told).toEqual(['b matched']);
    }
  });

  it('stay in their order, and are kept, while the database is away', async () => {
    const bench = new Bench(2);
    bench.push('a', 'b', 'c');
    for (let outage = 1; outage <= 6; outage += 1) {
      await bench.answer(away());
      await bench.until(() => bench.outages.length === outage);
      bench.push(`later-${outage}`);
      bench.clock.advance(bench.outages.at(-1) ?? 0);
    }
    expect(bench.outages).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect([bench.told, bench.intake.length]).toEqual([[], 9]);
    while (bench.intake.length > 0) {
      await bench.answer();
      await setImmediate();
    }
    expect(bench.asked.slice(6)).toEqual([
      ['a', 'b'],
      ['c', 'later-1'],
      ['later-2', 'later-3'],
      ['later-4', 'later-5'],
      ['later-6'],
    ]);
    expect(bench.told).toHaveLength(9);
  });

  it('begin with short waits again after the next outage', async () => {
    const bench = new Bench();
    for (const name of ['a', 'b']) {
      bench.push(name);
      await bench.answer(away());
      await bench.until(() => bench.clock.timers === 1);
      bench.clock.advance(100);
      await bench.answer();
      await bench.until(() => bench.told.length > 0 && bench.intake.length === 0);
    }
    expect(bench.outages).toEqual([100, 100]);
  });

  it('that the database refuses hold up no others', async () => {
    const bench = new Bench();
    bench.push('a', 'bad', 'c');
    await bench.answer(refusal());
    await bench.answer();
    await bench.answer(refusal());
    await bench.answer();
    await bench.until(() => bench.intake.length === 0);
    expect(bench.told).toEqual(['a matched', 'bad unstorable', 'c matched']);
    expect(bench.unstorable).toEqual(['bad']);
  });

  it('are neither lost nor told of when the database goes away among them', async () => {
    const bench = new Bench();
    bench.push('a', 'bad', 'c');
    await bench.answer(refusal());
    await bench.answer();
    await bench.answer(refusal());
    await bench.answer(away());
    await bench.until(() => bench.clock.timers === 1);
    expect(bench.told).toEqual(['a matched', 'bad unstorable']);
    bench.clock.advance(100);
    await bench.answer();
    await bench.until(() => bench.intake.length === 0);
    expect(bench.told).toEqual(['a matched', 'bad unstorable', 'c matched']);
  });

  it('under way are told of when the intake stops, and no others', async () => {
    const bench = new Bench(1);
    bench.push('a', 'b');
    await bench.until(() => bench.asked.length === 1);
    const stopped = bench.intake.stop();
    bench.push('c');
    await bench.answer();
    await stopped;
    expect(bench.told).toEqual(['a matched']);
    expect(bench.asked).toEqual([['a']]);
  });

  it('that wait for the database do not hold up a stop', async () => {
    const bench = new Bench();
    bench.push('a');
    await bench.answer(away());
    await bench.until(() => bench.clock.timers === 1);
    await bench.intake.stop();
    expect([bench.clock.timers, bench.told]).toEqual([0, []]);
  });
});
