import type pg from 'pg';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { Queryable } from '../../domain/db/transaction.ts';
import { Calls } from '../call/calls.ts';
import type { CallPlan } from '../call/plan.ts';
import { CallLedger } from '../charging/call_ledger.ts';
import type { LiveCall, Switch, SwitchRecord } from '../switch/switch.ts';
import { freeOfCharge } from '../decide/emergency.ts';
import { Reconciler } from './reconciler.ts';
import type { Finding } from './reconciler.ts';
import { UnheldHelp } from './unheld_help.ts';

const now_ms = 1_800_000_000_000;
const log = pino({ level: 'silent' });

const rate = {
  rate_micros_per_minute: 60_000n,
  connect_fee_micros: 0n,
  minimum_seconds: 0,
  initial_increment_seconds: 1,
  subsequent_increment_seconds: 1,
  grace_seconds: 0,
  free_seconds: 0,
};

const plan: CallPlan = {
  direction: 'outbound',
  account_id: 'a',
  wallet_id: 1n,
  currency: 'EUR',
  time_zone: 'UTC',
  device: 'phone',
  dialled: '+442071838750',
  caller: null,
  callee: '+442071838750',
  destination: 'United Kingdom',
  arrived_at_ms: now_ms - 20_000,
  ring_timeout_ms: 90_000,
  tariff: { rate, tax_ppm: 0, pack: null, forwarded: null },
  source: null,
  routing: [],
  target: { kind: 'devices', devices: ['phone'] },
  otherwise: null,
  without_way_on: null,
  limits: { concurrent_calls_max: 10, spend_hour_max: 10n ** 12n, spend_day_max: 10n ** 12n },
};

const hold = { leg_id: 'leg', call_id: 'call', channel_id: 'channel' };
const detail = {
  ...hold,
  held_micros: '30000',
  pack_seconds_held: 0,
  grant_no: 1,
  seconds_granted: 30,
  answered_at: new Date(now_ms - 10_000),
  answered_attempt: 1,
  deadline_at: new Date(now_ms + 20_000),
  last_granted_at: new Date(now_ms - 11_000),
  snapshot: JSON.parse(
    JSON.stringify(plan, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
  ) as unknown,
};

/** Held while the database went away, so that the controller refused the call and forgot it. */
const unanswered = { ...detail, answered_at: null, answered_attempt: null };

const up: LiveCall = {
  channel_id: 'channel',
  call_id: 'call',
  attempt: 1,
  b_channel_id: 'b',
  answered_at_ms: now_ms - 10_000,
  waiting: false,
  help: null,
};

const record: SwitchRecord = {
  help: null,
  call_id: 'call',
  attempt: 1,
  channel_id: 'channel',
  started_at_us: BigInt(now_ms - 20_000) * 1000n,
  answered_at_us: BigInt(now_ms - 10_000) * 1000n,
  ended_at_us: BigInt(now_ms - 6_000) * 1000n,
  cause: 16,
  position: '1:1',
};

interface Settled {
  net_micros: string;
  cdr: { duration_ms: number; duration_source: string; result: string; direction?: string };
}

interface Unheld {
  cdr: Settled['cdr'] & { account_id: string; device: string; callee: string; call_id: string };
}

/** What the decision about a call for help comes out as, today as well as then. */
const helpPlan = (code: string): CallPlan => ({
  ...plan,
  ...{ direction: 'emergency', dialled: code, callee: code, tariff: { ...plan.tariff, rate: freeOfCharge } },
  target: { kind: 'emergency', trunk_id: 'trunk-help', number: code },
});

const settings = {
  grant_seconds: 30,
  call_seconds_max: 3600,
  deadline_guard_ms: 100,
  renew_lead_ms: 1,
  last_grant_retry_ms: 1000,
  overrun_ms: 60_000,
  record_wait_ms: 1,
};

const ledgerOf = (db: Queryable): CallLedger =>
  new CallLedger(
    db,
    () => ({ switch_id: 's', epoch: 1 }),
    (error) => expect(error).toBeNull(),
  );

/** A reconciler over one open hold, a switch that lists what `live` says, and a database that takes every settlement. */
function scene(live: () => readonly LiveCall[], found: typeof detail | typeof unanswered = detail) {
  const unheld: Unheld[] = [];
  const recorded: string[] = [];
  const findings: Finding[] = [];
  const clock = { now_ms, lost_at_ms: null as number | null };
  const settled: Settled[] = [];
  const hung_up: string[] = [];
  const during: { details: () => void } = { details: () => undefined };
  const answers: Readonly<Record<string, (values: readonly unknown[]) => object[]>> = {
    open_holds: () => (settled.length === 0 ? [hold] : []),
    open_hold_details: () => {
      during.details();
      return [found];
    },
    settle_batch: (values) => {
      const items = JSON.parse(String(values[2])) as Settled[];
      settled.push(...items);
      const verdict = items.some(({ cdr }) => cdr.direction === 'emergency') ? 'unknown' : 'settled';
      return items.map((_item, n) => ({ n, verdict, free_micros: '0', open_calls: 0, held_micros: '0' }));
    },
    record_unheld_batch: (values) => {
      const items = JSON.parse(String(values[2])) as Unheld[];
      unheld.push(...items);
      return items.map((_item, n) => ({ n, verdict: 'settled', free_micros: '0', open_calls: 0, held_micros: '0' }));
    },
    recorded_calls: () => recorded.map((call_id) => ({ call_id })),
  };
  const query = (asked: string | pg.QueryConfig): Promise<{ rows: object[] }> => {
    const { name = '', values = [] } = typeof asked === 'string' ? {} : asked;
    return Promise.resolve({ rows: answers[name]?.(values) ?? [] });
  };
  const db = { query } as unknown as Queryable;
  const ignored = (): Promise<'done'> => Promise.resolve('done');
  const hangUp = (channel_id: string): Promise<'done'> => {
    hung_up.push(channel_id);
    return ignored();
  };
  const media = {
    ...{ list: () => Promise.resolve(live()), armDeadline: ignored, hangUp, refuse: ignored },
  } as unknown as Switch;
  const ledger = ledgerOf(db);
  const now = (): number => clock.now_ms;
  const decide = (): Promise<never> => Promise.reject(new Error('nothing arrives here'));
  const onStrayRecord = (one: SwitchRecord): void => reconciler.keepRecord(one);
  const sure = (): boolean => true;
  const calls = new Calls({ ledger, media, now, settings, log, sure, decide, onStep: () => undefined, onStrayRecord });
  const lostAt = (): number | null => clock.lost_at_ms;
  const onFinding = (finding: Finding): void => void findings.push(finding);
  const reconciler = new Reconciler({
    ...{ calls, media, db, switch_id: 's', now, lostAt, log },
    settle_after_ms: 500,
    onFinding,
    help: new UnheldHelp({
      ...{ db, settings, onFinding, log },
      planOf: (arrival, device) => Promise.resolve(device === 'phone' ? helpPlan(arrival.dialled) : null),
    }),
  });
  return { reconciler, calls, clock, settled, hung_up, during, unheld, recorded, findings };
}

async function settlement(settled: readonly Settled[]): Promise<Settled['cdr'] | undefined> {
  await expect.poll(() => settled.length).toBe(1);
  return settled[0]?.cdr;
}

describe('reconciliation', () => {
  it('believes a record that came while the list was being read, not the list', async () => {
    const { reconciler, calls, settled, during } = scene(() => [up]);
    during.details = () => calls.onSwitchEvent({ type: 'recorded', record });
    await reconciler.pass();
    expect(await settlement(settled)).toMatchObject({ duration_ms: 4_000, duration_source: 'record' });
    calls.abandon();
  });

  it('charges a call that was lost with its switch up to the loss of the connection, not up to its discovery', async () => {
    let live: LiveCall[] = [up];
    const { reconciler, calls, clock, settled } = scene(() => live);
    await reconciler.pass();
    live = [];
    clock.lost_at_ms = now_ms + 2_000;
    clock.now_ms = now_ms + 15_000;
    await reconciler.pass();
    clock.now_ms += 600;
    await reconciler.pass();
    expect(await settlement(settled)).toMatchObject({ duration_ms: 12_000, duration_source: 'proof_of_life' });
    calls.abandon();
  });

  it('gives back all that is held for a call that was refused because the answer to the hold was lost', async () => {
    const { reconciler, calls, clock, settled } = scene(() => [], unanswered);
    await reconciler.pass();
    clock.now_ms += 600;
    await reconciler.pass();
    expect(await settlement(settled)).toMatchObject({ duration_ms: 0, duration_source: 'none', result: 'cancelled' });
    expect(settled[0]?.net_micros).toBe('0');
    calls.abandon();
  });

  it('does so when its caller has heard the refusal to the end', async () => {
    const hearing = { ...up, call_id: null, b_channel_id: null, answered_at_ms: null };
    const { reconciler, calls, clock, settled } = scene(() => [hearing], unanswered);
    for (let pass = 0; pass < 3; pass += 1) {
      await reconciler.pass();
      clock.now_ms += 600;
    }
    expect(calls.byCall('call')?.state.phase).toBe('dialling');
    calls.onSwitchEvent({ type: 'ended', channel_id: 'channel', cause: 21, at_ms: clock.now_ms });
    expect(await settlement(settled)).toMatchObject({ duration_ms: 0, duration_source: 'none' });
    expect(settled[0]?.net_micros).toBe('0');
    calls.abandon();
  });

  it('forgets a refused caller whose end was not told, once the switch lists him no more', async () => {
    const hearing = { ...up, call_id: null, b_channel_id: null, answered_at_ms: null };
    let live: LiveCall[] = [hearing];
    const { reconciler, calls, clock, settled } = scene(() => live);
    settled.push({ net_micros: '0', cdr: { duration_ms: 0, duration_source: 'none', result: 'refused' } });
    calls.refuseNew();
    const source = { kind: 'device', device: 'phone' } as const;
    const arrival = { channel_id: 'channel', source, dialled: '1', claimed_caller: null, arrived_at_ms: now_ms };
    calls.onSwitchEvent({ type: 'arrived', arrival });
    for (let pass = 0; pass < 3; pass += 1) {
      await reconciler.pass();
      clock.now_ms += 600;
    }
    expect(calls.byChannel('channel')?.state.phase).toBe('over');
    live = [];
    for (let pass = 0; pass < 2; pass += 1) {
      await reconciler.pass();
      clock.now_ms += 600;
    }
    expect(calls.byChannel('channel')).toBeUndefined();
  });

  it.each<[string, LiveCall]>([
    ['waits and was not told', { ...up, call_id: null, attempt: null, b_channel_id: null, waiting: true }],
    ['talks all the same', up],
  ])('hangs up a caller whose call is over and who %s', async (_, call) => {
    const { reconciler, calls, clock, settled, hung_up, findings } = scene(() => [call]);
    settled.push({ net_micros: '0', cdr: { duration_ms: 0, duration_source: 'none', result: 'refused' } });
    calls.refuseNew();
    const source = { kind: 'device', device: 'phone' } as const;
    const arrival = { channel_id: 'channel', source, dialled: '1', claimed_caller: null, arrived_at_ms: now_ms };
    calls.onSwitchEvent({ type: 'arrived', arrival });
    await expect.poll(() => calls.byChannel('channel')?.state.phase).toBe('over');
    for (let pass = 0; pass < 2; pass += 1) {
      await reconciler.pass();
      clock.now_ms += 600;
    }
    expect(hung_up).toEqual(['channel']);
    expect(findings).toEqual(['channel_left']);
    calls.abandon();
  });
});

describe('an attempt of which the switch did not say whether it was taken', () => {
  async function seenAs(call: LiveCall): Promise<ReturnType<typeof scene>> {
    let live: LiveCall = { ...call, waiting: false, b_channel_id: null, answered_at_ms: null };
    const one = scene(() => [live], unanswered);
    await one.reconciler.pass();
    one.calls.byCall('call')?.dispatch({ type: 'bridged', reach: 'unknown' });
    live = call;
    for (let pass = 0; pass < 2; pass += 1) {
      await one.reconciler.pass();
      one.clock.now_ms += 600;
    }
    return one;
  }

  it('is given up where the switch waits for it still, and nothing is charged', async () => {
    const waiting = { ...up, attempt: null, b_channel_id: null, answered_at_ms: null, waiting: true };
    const { calls, settled, findings } = await seenAs(waiting);
    expect(await settlement(settled)).toMatchObject({ duration_ms: 0, result: 'failed' });
    expect(findings).toEqual(['adopted', 'attempt_missed']);
    calls.abandon();
  });

  it('goes on where the switch dials, and is charged once it talks', async () => {
    const { calls, settled, findings } = await seenAs(up);
    expect(calls.byCall('call')?.state.phase).toBe('talking');
    expect(findings).toEqual(['adopted', 'answer_missed']);
    expect(settled).toEqual([]);
    calls.abandon();
  });
});

const help = { code: '112', device: 'phone', arrived_at_ms: now_ms - 20_000 };

describe('a channel that nothing is held for', () => {
  /** As it is seen by the next controller. */
  async function seenAs(call: LiveCall): Promise<readonly string[]> {
    const { reconciler, calls, clock, settled, hung_up } = scene(() => [call]);
    settled.push(nothingOpen);
    for (let pass = 0; pass < 2; pass += 1) {
      await reconciler.pass();
      clock.now_ms += 600;
    }
    calls.abandon();
    return hung_up;
  }
  const nothingOpen: Settled = {
    net_micros: '0',
    cdr: { duration_ms: 0, duration_source: 'none', result: 'answered' },
  };

  it.each<[string, LiveCall]>([
    ['was given no plan', { ...up, call_id: null, attempt: null }],
    ['was refused', { ...up, attempt: null }],
    ['waits for a decision', { ...up, waiting: true }],
    ['talks by a plan', up],
  ])('is hung up where it %s', async (_, call) => {
    expect(await seenAs(call)).toEqual(['channel']);
  });

  it('stays up where it is a call for help of a phone that is not known any more', async () => {
    expect(await seenAs({ ...up, help: { ...help, device: 'gone' } })).toEqual([]);
  });
});

describe('a call for help that nothing is held for', () => {
  const ofHelp = { cdr: { account_id: 'a', device: 'phone', callee: '112', call_id: 'call' } };

  async function passes(one: ReturnType<typeof scene>, count: number): Promise<void> {
    for (let pass = 0; pass < count; pass += 1) {
      await one.reconciler.pass();
      one.clock.now_ms += 600;
    }
  }

  /** Nothing is open. */
  function unheldScene(live: () => readonly LiveCall[]) {
    const one = scene(live);
    one.settled.push({ net_micros: '0', cdr: { duration_ms: 0, duration_source: 'none', result: 'answered' } });
    return one;
  }

  it.each<[string, LiveCall]>([
    ['talks', { ...up, help }],
    ['rings', { ...up, b_channel_id: null, answered_at_ms: null, help }],
  ])('is adopted where it %s, and recorded when it ends', async (_, call) => {
    const one = unheldScene(() => [call]);
    await passes(one, 2);
    expect(one.calls.byCall('call')?.state).toMatchObject({ plan: { account_id: 'a', callee: '112' } });
    one.calls.onSwitchEvent({ type: 'ended', channel_id: 'channel', cause: 16, at_ms: now_ms - 6_000 });
    one.calls.onSwitchEvent({ type: 'recorded', record: { ...record, help } });
    await expect.poll(() => one.unheld).toMatchObject([ofHelp]);
    expect(one.unheld[0]?.cdr).toMatchObject({ duration_ms: 4_000, duration_source: 'record', result: 'answered' });
    expect(one.hung_up).toEqual([]);
    expect(one.findings).toEqual(['help_without_hold']);
  });

  it('is recorded by the switch’s record alone where it ended while nobody listened', async () => {
    const one = unheldScene(() => []);
    one.reconciler.keepRecord({ ...record, help });
    await passes(one, 3);
    await expect.poll(() => one.unheld).toMatchObject([ofHelp]);
    expect(one.unheld[0]?.cdr).toMatchObject({ duration_ms: 4_000, duration_source: 'record', result: 'answered' });
  });

  it('has no second record where it has one', async () => {
    const one = unheldScene(() => []);
    one.recorded.push('call');
    one.reconciler.keepRecord({ ...record, help });
    await passes(one, 3);
    expect(one.unheld).toEqual([]);
    expect(one.findings).toEqual([]);
  });
});
