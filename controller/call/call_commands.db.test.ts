import { randomUUID } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { testLogin } from '../../deploy/testing/database_login.ts';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { makeCustomer } from '../../deploy/world/people.ts';
import { Listener } from '../../domain/db/listener.ts';
import type { HoldAnswer } from '../../domain/calls/hold.ts';
import { CallCommands } from './call_commands.ts';
import { causes } from './refusal.ts';
import type { CallEffect, CallEvent, CallState } from './state.ts';
import { planFrom, settings } from './testing/model_plans.ts';
import { Tape } from './testing/tape.ts';
import { newCall, transition } from './transition.ts';

const NOW_MS = 1_000_000;

/** A call that lives here, and what it told the switch. */
class Session {
  state: CallState;
  told: CallEffect[] = [];

  constructor(call_id: string) {
    const source = { kind: 'device', device: 'phone' } as const;
    const arrival = { channel_id: 'a', source, dialled: '+4420', claimed_caller: null, arrived_at_ms: NOW_MS };
    this.state = newCall({ call_id, leg_id: randomUUID(), arrival });
  }

  dispatch(event: CallEvent): void {
    const { state, effects } = transition(this.state, event, NOW_MS, settings);
    this.state = state;
    this.told = [...effects];
  }
}

const limits = { concurrent_calls_max: 9, spend_hour_max: 10n ** 9n, spend_day_max: 10n ** 9n };
const plan = planFrom(new Tape(new Uint8Array()), NOW_MS, limits);
const granted: HoldAnswer = {
  ...{ verdict: 'granted', free_micros: 0n, open_calls: 1, held_micros: 50_000n, seconds_granted: 5 },
};
const life: CallEvent[] = [
  { type: 'decided', decision: { kind: 'authorize', plan } },
  { type: 'hold_answered', answer: granted },
  { type: 'answered', b_channel_id: 'b', at_ms: NOW_MS },
];
const hang_up = { type: 'hang_up', cause: causes.normal };

let database: FreshDatabase;
/** Of the superuser. */
let owner: pg.Pool;
/** As the controller logs in. */
let pool: pg.Pool;
let url: string;
let account_id: string;

beforeAll(async () => {
  database = await freshDatabase();
  owner = new pg.Pool({ connectionString: database.url, max: 2 });
  ({ account_id } = await makeCustomer(owner, { balance_micros: 1000n, number: '+49301234567' }));
  url = await testLogin(database.url, 'letsdial_controller');
  pool = new pg.Pool({ connectionString: url, max: 2 });
});

afterAll(async () => {
  await pool.end();
  await owner.end();
  await database.drop();
});

async function ask(call_id: string, switch_id = 'here'): Promise<string> {
  const id = randomUUID();
  await owner.query(
    `insert into call_command (id, leg_id, call_id, switch_id, account_id, reason, asked_by, asked_at)
     values ($1, $2, $3, $4, $5, 'fraud', 'an admin', now())`,
    [id, randomUUID(), call_id, switch_id, account_id],
  );
  return id;
}

async function isDone(id: string): Promise<boolean | undefined> {
  const { rows } = await owner.query<{ done: boolean }>(
    'select done_at is not null as done from call_command where id = $1',
    [id],
  );
  return rows[0]?.done;
}

function commandsOf(sessions: ReadonlyMap<string, Session>, sure: () => boolean): CallCommands {
  return new CallCommands({
    ...{ db: pool, switch_id: 'here', byCall: (call_id) => sessions.get(call_id), sure },
    ...{ now: () => new Date(), log: pino({ level: 'silent' }) },
  });
}

it('in every phase of a call that is up, the switch is told to end it', () => {
  const session = new Session(randomUUID());
  const phases: string[] = [];
  for (const event of [null, ...life]) {
    if (event !== null) session.dispatch(event);
    phases.push(session.state.phase);
    session.dispatch({ type: 'hang_up_asked' });
    expect(session.told).toEqual([hang_up]);
  }
  expect(phases).toEqual(['deciding', 'holding', 'dialling', 'talking']);
  session.dispatch({ type: 'ended', cause: 16, at_ms: NOW_MS });
  expect(session.state.phase).toBe('settling');
  session.dispatch({ type: 'hang_up_asked' });
  expect(session.told).toEqual([]);
});

it('a command is heard at once, given until the call is over, and then done', async () => {
  const call_id = randomUUID();
  const sessions = new Map([[call_id, new Session(call_id)]]);
  const commands = commandsOf(sessions, () => true);
  const listener = new Listener({
    ...{ database_url: url, channels: { call_command: () => void commands.look() }, retry_ms: 100 },
    ...{ onConnected: () => void commands.look(), onLost: () => undefined },
  });
  await listener.start();
  try {
    const [id, elsewhere] = [await ask(call_id), await ask(randomUUID(), 'another switch')];
    await expect.poll(() => sessions.get(call_id)?.told).toEqual([hang_up]);
    await commands.lookAgain();
    expect(await isDone(id)).toBe(false);
    sessions.delete(call_id);
    await commands.lookAgain();
    expect(await isDone(id)).toBe(true);
    expect(await isDone(elsewhere)).toBe(false);
  } finally {
    await listener.stop();
  }
});

it('one that may not know all calls leaves the commands to the one that does', async () => {
  let is_sure = false;
  const commands = commandsOf(new Map(), () => is_sure);
  const id = await ask(randomUUID());
  await commands.look();
  expect(await isDone(id)).toBe(false);
  is_sure = true;
  await commands.lookAgain();
  expect(await isDone(id)).toBe(true);
});
