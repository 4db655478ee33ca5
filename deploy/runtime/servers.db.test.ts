import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { errorCode, Outage } from './outage.ts';
import { startPostgres } from './postgres.ts';
import { startValkey } from './valkey.ts';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'letsdial-servers-'));
});
afterAll(() => rm(home, { recursive: true, force: true }));

const settings = { fsync: 'off' };

test('Postgres keeps its data and its password over a restart', async () => {
  const options = { programs: inject('programs').postgres, home, port: null, settings };
  const first = await startPostgres(options);
  await query(first.url, 'create table kept as select 42 as answer');
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  const second = await startPostgres(options);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
  expect(await query(second.url, 'show timezone')).toEqual([{ TimeZone: 'GMT' }]);
  const refused = query(second.url, 'insert into kept select * from kept; create unique index on kept (answer)');
  await expect(refused).rejects.toMatchObject({ detail: 'Key (answer)=(42) is duplicated.' });
  const log = await readFile(join(home, 'log/postgres.log'), 'utf8');
  expect(log).toContain('could not create unique index');
  // The value that is there twice.
  expect(log).not.toContain('42) is');
  await second.stop();
  expect((await stat(join(home, 'secrets/postgres'))).mode & 0o777).toBe(0o600);
});

test('a wrong password is refused', async () => {
  const server = await startPostgres({ programs: inject('programs').postgres, home, port: null, settings });
  const wrong = new URL(server.url);
  wrong.password = 'guess';
  await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/);
  await server.stop();
});

test('a killed Postgres is told of, and starts again on what it left', async () => {
  const options = { programs: inject('programs').postgres, home, port: null, settings };
  const killed = await startPostgres(options);
  process.kill(killed.pid, 'SIGKILL');
  const reason = await killed.died;
  expect(reason).toBeInstanceOf(Outage);
  expect(reason.message).toMatch(/^Postgres was ended by SIGKILL/);
  const again = await startPostgres(options);
  await again.stop();
});

test('a cluster of another major version is refused with a sentence and left alone', async () => {
  const version_file = join(home, 'postgres/PG_VERSION');
  const kept = await readFile(version_file, 'utf8');
  await writeFile(version_file, '9\n');
  const start = startPostgres({ programs: inject('programs').postgres, home, port: null, settings });
  await expect(start).rejects.toThrow(/was written by Postgres 9 /);
  await writeFile(version_file, kept);
});

test('a taken port is one sentence that names it', async () => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const start = startValkey({ program: inject('programs').valkey_server, home, port });
  await expect(start).rejects.toThrow(new RegExp(`^The port 127.0.0.1:${port} is taken`));
  server.close();
});

test('Valkey answers, and ends when it is told to', async () => {
  const valkey = await startValkey({ program: inject('programs').valkey_server, home, port: null });
  expect(isAlive(valkey.pid)).toBe(true);
  await valkey.stop();
  expect(isAlive(valkey.pid)).toBe(false);
});

test('servers end with the process that started them, even when it is killed', async () => {
  const starter = new URL('./valkey.ts', import.meta.url).href;
  const code = `
    const { startValkey } = await import(${JSON.stringify(starter)});
    const server = await startValkey({ program: process.argv[1], home: process.argv[2], port: null });
    console.log(server.pid);
    setInterval(() => undefined, 1000);
  `;
  const args = ['--import', 'tsx', '--input-type=module', '-e', code, inject('programs').valkey_server, home];
  const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(line.toString().trim());
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const result: pg.QueryResult<Record<string, unknown>> = await client.query(sql);
    return result.rows;
  } finally {
    await client.end();
  }
}
