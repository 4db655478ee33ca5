import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import { monotonicMs } from '../sip/clock.ts';
import type { World } from '../world/world.ts';
import type { Dice } from './dice.ts';

const LIVES_MS = [500, 4_500] as const;
const DEAD_MS = [0, 2_500] as const;
/** Of a hundred kills so many wait until the controller has a batch of calls under way in the database. */
const AIMED_PERCENT = 60;
/** Shorter than the controller itself waits for its database, or it would give up before it is killed. */
const AIM_MS = 1_200;

const batches = ['authorize', 'renew', 'answer', 'settle'] as const;
type Batch = (typeof batches)[number];

export interface Kill {
  died_at_ms: number;
  /** When calls were taken again. */
  back_at_ms: number;
  /** What the dead one had asked the database for and never heard the answer of. */
  midst: readonly { batch: Batch; carried_out: boolean }[];
}

/** Ends the controller without a word, leaves the switch alone for a while, and starts a new one. */
export async function killOnce(world: World, dice: Dice): Promise<Kill> {
  await wait(dice.between(...LIVES_MS));
  const { died_at_ms, midst } =
    dice.between(1, 100) <= AIMED_PERCENT ? await killInTheMidst(world, dice) : killNow(world);
  await wait(dice.between(...DEAD_MS));
  await world.startController();
  return { died_at_ms, back_at_ms: monotonicMs(), midst };
}

function killNow(world: World): Omit<Kill, 'back_at_ms'> {
  world.controller.kill();
  return { died_at_ms: monotonicMs(), midst: [] };
}

/**
 * Every wallet is locked, so the next batch stops half way. Then the controller dies, and what it had asked for is either
 * carried out without anybody who hears of it, or undone as by a database that lost the connection.
 */
async function killInTheMidst(world: World, dice: Dice): Promise<Omit<Kill, 'back_at_ms'>> {
  const wanted = dice.pick(batches);
  const carried_out = dice.between(0, 1) === 1;
  const client = await world.pool.connect();
  try {
    await client.query('begin');
    await client.query('select 1 from wallet order by id for update');
    const stopped = await untilStopped(client, wanted);
    const killed = killNow(world);
    if (!carried_out) {
      await client.query(`select pg_terminate_backend(pid) from unnest($1::int[]) pid`, [
        stopped.map(({ pid }) => pid),
      ]);
    }
    return { ...killed, midst: stopped.map(({ batch }) => ({ batch, carried_out })) };
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** The batches that wait for a wallet, once the wanted one is among them or it did not come in time. */
async function untilStopped(client: pg.PoolClient, wanted: Batch): Promise<{ pid: number; batch: Batch }[]> {
  const until_ms = monotonicMs() + AIM_MS;
  for (;;) {
    const { rows } = await client.query<{ pid: number; batch: Batch }>(
      `select pid, batch from pg_stat_activity, unnest($1::text[]) batch
        where datname = current_database() and wait_event_type = 'Lock' and strpos(query, batch || '_batch') > 0`,
      [batches],
    );
    if (rows.some(({ batch }) => batch === wanted) || monotonicMs() > until_ms) return rows;
    await wait(5);
  }
}
