import pg from 'pg';
import pino from 'pino';
import { TaskRunner } from '../../task_runner.ts';

/** A process of its own that begins each task of the test and never ends one; the database is its only argument. */
const pool = new pg.Pool({ connectionString: process.argv[2] ?? '', max: 6 });
pool.on('error', () => undefined);
pool.on('connect', (client) => client.on('error', () => undefined));
const runner = new TaskRunner({
  ...{ pool, concurrency: 1, keeps_crontab: true, log: pino({ level: 'silent' }) },
  ...{ onDone: () => undefined, onEnded: () => process.exit(1) },
  tasks: [
    {
      name: 'test_work',
      run: async () => {
        await pool.query(`insert into test_run (process_id, result) values ($1, 'begun')`, [process.pid]);
        await new Promise(() => undefined);
      },
    },
  ],
});
await runner.start();
