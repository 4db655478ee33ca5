import { expect, inject, test } from 'vitest';
import { LagMeter } from '../world/lag_meter.ts';
import { CarrierPeer } from './carrier.ts';
import { answer, refuse } from './carrier_script.ts';
import { Phone } from './phone.ts';
import { freePort } from '../runtime/process/free_port.ts';
import { startAnswerer, startCallers } from './sipp.ts';
import type { SippLoad } from './sipp.ts';
import { percentile, readStatistics } from './sipp_statistics.ts';

const command = { file: inject('programs').sipp, args: [] };

const ANSWERS_AFTER_MS = 2_000;

function load(target: SippLoad['target'], more: Partial<SippLoad> = {}): SippLoad {
  const local = { address: '127.0.0.24', port: 0 };
  const callers = [{ username: 'trunk', number: '441632960000' }];
  const rest = { calls_per_second: 25, calls: 25, hold_ms: 300, ends: 'caller' as const, seconds_max: 20 };
  return { command, local, target, callers, ...rest, ...more };
}

test('sipp calls the carrier, and both saw the same calls', async () => {
  const carrier = await CarrierPeer.open({ media: false });
  carrier.play(answer({ answer_after_ms: ANSWERS_AFTER_MS }));
  const result = await (await startCallers(load(carrier.address))).finished();
  expect(result).toMatchObject({ calls: 25, failed: 0, exit_code: 0 });
  // It rings long before it is answered, and neither is taken for the other.
  expect(result.answer_ms_p50).toBeGreaterThan(ANSWERS_AFTER_MS - 10);
  expect(result.pdd_ms_p99).toBeLessThan(ANSWERS_AFTER_MS - 10);
  expect(carrier.records).toHaveLength(25);
  for (const record of carrier.records) {
    expect(record.talked_ms).toBeGreaterThan(290);
    expect(record.ended?.by).toBe('remote');
  }
  await carrier.close();
});

test('refused calls count as failed', async () => {
  const carrier = await CarrierPeer.open({ media: false });
  carrier.play(refuse(503));
  const result = await (await startCallers(load(carrier.address, { calls: 5 }))).finished();
  expect(result).toMatchObject({ calls: 5, failed: 5, exit_code: 1, pdd_ms_p50: null });
  expect(result.first_errors).toContain('503');
  await carrier.close();
});

test.each(['caller', 'callee'] as const)('sipp answers, and the %s hangs up', async (ends) => {
  const local = { address: '127.0.0.25', port: await freePort() };
  const answerer = await startAnswerer({ command, local, ring_ms: 50, hold_ms: 300, ends, seconds_max: 20 });
  const phone = await Phone.open({ username: 'alice', server: local, address: '127.0.0.21', media: false });
  const lateness = new LagMeter();
  const call = phone.call('1');
  await call.answered();
  if (ends === 'caller') await call.bye();
  expect((await call.ended()).by).toBe(ends === 'caller' ? 'local' : 'remote');
  lateness.stop();
  const heard_late_ms = lateness.around(call.record.answered_at_ms ?? 0);
  if (ends === 'callee') expect((call.talkedMs ?? 0) + heard_late_ms).toBeGreaterThan(290);
  await phone.close();
  expect(await answerer.stop()).toMatchObject({ calls: 1, failed: 0 });
});

test('what is not on loopback, or too fast, is refused', () => {
  expect(() => startCallers(load({ address: '192.0.2.1', port: 5060 }))).toThrow('not on loopback');
  expect(() => startCallers(load({ address: '127.0.0.1', port: 9 }, { calls_per_second: 5000 }))).toThrow('refused');
});

test('statistics of another form are an error, percentiles go by the nearest rank', () => {
  expect(() => readStatistics('Other;\n1;\n', '')).toThrow('no column TotalCallCreated');
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2);
  expect(percentile([4, 1, 3, 2], 0.99)).toBe(4);
  expect(percentile([], 0.5)).toBeNull();
});
