import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkSwitch } from '../parts/switch_elsewhere.ts';
import { answer, refuse } from '../sip/carrier_script.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { eventually, settledCalls } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

const DIALLED = '+442071838750';

let world: World;
let end: () => Promise<void>;

beforeAll(async () => {
  ({ world, end } = await testWorld({ carriers: ['alpha', 'beta'], settings: { LOG_LEVEL: 'debug' } }));
}, 120_000);

afterAll(() => end());

/** The value of one line of the metrics; null when there is none. */
async function metric(line: string): Promise<number | null> {
  const text = await (await fetch(`${world.controller.url}/metrics`)).text();
  const found = text.split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? null : Number(found.slice(line.length + 1));
}

interface LogLine {
  call_id?: string;
  msg: string;
}

async function logOf(call_id: string): Promise<LogLine[]> {
  const log = await readFile(join(world.home, 'log/controller.log'), 'utf8');
  const lines = log.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as LogLine).filter((line) => line.call_id === call_id);
}

test('an operator sees calls by how they end, attempts by carrier, money that is held and what a live call burns', async () => {
  const customer = await world.customer({ balance_micros: 1_000_000n, limits: { concurrent_calls_max: 1 } });
  const phone = await world.phone(customer);
  world.carrier('alpha').play(refuse(503));
  world.carrier('beta').play(answer());
  const call = phone.call(DIALLED);
  await talk(call, 1_100);
  expect(await metric('letsdial_live_calls{phase="talking"}')).toBe(1);
  expect(await metric('letsdial_burn_micros_per_second{currency="EUR"}')).toBe(1_000);
  expect(await metric('letsdial_held_micros{currency="EUR"}')).toBeGreaterThanOrEqual(3_000);
  expect(await metric('letsdial_oldest_call_seconds')).toBeGreaterThan(1);
  const refused = phone.call(DIALLED);
  await refused.ended();
  await call.bye();
  const cdrs = await settledCalls(world.pool, customer.account_id, 2);
  const line = 'letsdial_calls_total{direction="outbound",result="refused",reason="concurrent_calls"}';
  await eventually('the refused call among the metrics', 5_000, async () => ((await metric(line)) === 1 ? true : null));
  expect(await metric('letsdial_calls_total{direction="outbound",result="answered",reason="16"}')).toBe(1);
  expect(await metric('letsdial_call_duration_seconds_count{direction="outbound"}')).toBe(1);
  expect(await metric('letsdial_post_dial_delay_seconds_count{direction="outbound"}')).toBe(1);
  expect(await metric('letsdial_hangup_lateness_seconds_count')).toBe(0);
  expect(await metric('letsdial_durations_total{source="record"}')).toBe(1);
  const answered = cdrs.find(({ result }) => result === 'answered');
  expect(await metric('letsdial_charged_micros_total{currency="EUR"}')).toBe(Number(answered?.net_micros));
  const failed = await metric('letsdial_attempts_total{carrier="1",result="failed",blame="carrier"}');
  expect([failed, await metric('letsdial_attempts_total{carrier="2",result="answered",blame="nobody"}')]).toEqual([
    1, 1,
  ]);
  expect(await metric('letsdial_live_calls{phase="talking"}')).toBe(0);
  expect(await metric('letsdial_held_micros{currency="EUR"}')).toBe(0);
  expect(await metric('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
});

test('how late a call ends is told of one that came to the end of its money', async () => {
  const phone = await world.phone(await world.customer({ balance_micros: 2_500n }));
  world.carrier('alpha').play(answer());
  const call = phone.call(DIALLED);
  await talk(call, 1_000);
  await call.ended();
  await eventually('the call among the metrics', 5_000, async () =>
    (await metric('letsdial_hangup_lateness_seconds_count')) === 1 ? true : null,
  );
  expect(await metric('letsdial_hangup_lateness_seconds_bucket{le="0.25"}')).toBe(1);
});

test('one call id runs through every line of the log, and nobody’s number stands there', async () => {
  const customer = await world.customer({ balance_micros: 1_000_000n });
  const phone = await world.phone(customer);
  world.carrier('alpha').play(answer());
  const call = phone.call(DIALLED);
  await talk(call, 300);
  await call.bye();
  await settledCalls(world.pool, customer.account_id, 1);
  const { rows } = await world.pool.query<{ call_id: string }>('select call_id from cdr where account_id = $1', [
    customer.account_id,
  ]);
  const lines = await eventually('the log of the call', 5_000, async () => {
    const found = await logOf(rows[0]?.call_id ?? '');
    return found.some(({ msg }) => msg === 'settled') ? found : null;
  });
  expect(lines.length).toBeGreaterThan(3);
  const log = await readFile(join(world.home, 'log/controller.log'), 'utf8');
  for (const personal of [DIALLED.slice(1), customer.number.slice(1), customer.device.username])
    expect(log).not.toContain(personal);
});

test('a switch that is started elsewhere is looked at before anything relies on it', async () => {
  await expect(checkSwitch(world.asterisk.access)).resolves.toBeUndefined();
});
