import { setTimeout as wait } from 'node:timers/promises';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { BoundedPool } from '../database_pulse.ts';
import { PatientPool } from './patient_pool.ts';

let database: FreshDatabase;
let pool: BoundedPool;
const pulse = { is_away: false };
/** Somebody who waits has asked again by then. */
const ASKED_AGAIN_MS = 600;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new BoundedPool({ connectionString: database.url, max: 2 }, pulse);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

it('answers nobody any more once one was given up, though the database comes back', async () => {
  const patient = new PatientPool(pool, pino({ level: 'silent' }));
  pulse.is_away = true;
  let answered = 0;
  const hear = (): number => (answered += 1);
  // They ask again at different times, so one still waits when the first is given up.
  void patient.pool.connect().then(hear, hear);
  await wait(100);
  void patient.pool.connect().then(hear, hear);
  void patient.pool.query('select 1').then(hear, hear);
  patient.end();
  await patient.givenUp;
  pulse.is_away = false;
  void patient.pool.connect().then(hear, hear);
  await wait(ASKED_AGAIN_MS);
  expect(answered).toBe(0);
  expect(pool.totalCount).toBe(pool.idleCount);
});

it('answers whoever waited when the database is there again', async () => {
  const patient = new PatientPool(pool, pino({ level: 'silent' }));
  pulse.is_away = true;
  const asked = patient.pool.query<{ one: number }>('select 1 as one');
  pulse.is_away = false;
  expect((await asked).rows).toEqual([{ one: 1 }]);
});
