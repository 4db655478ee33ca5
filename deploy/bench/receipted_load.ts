import { setTimeout as wait } from 'node:timers/promises';
import type { SimulatedCarrier } from '../smsc/simulated_carrier.ts';
import { eventually } from '../world/verdict.ts';
import type { HttpLoad, HttpLoadResult } from './http_load.ts';

/** In which connections are made, and the first receipts are still to come. */
const BEGINS_MS = 1_000;
const DRAIN_MS = 120_000;

export interface ReceiptedLoadResult extends HttpLoadResult {
  /** Texts accepted, sent, and with their receipts, which the carrier had acknowledged. */
  receipted_per_second: number;
}

/**
 * Runs a load and waits for its last receipt. The rate is what the carrier counted while the load was under way, from when it had begun
 * until it ended: what lags behind at the one end lagged as much at the other, so that a short measurement tells what a long one does.
 * @param seconds more than one.
 * @throws where not every text that was accepted has its receipt in the end.
 */
export async function runReceipted(
  load: HttpLoad,
  carrier: SimulatedCarrier,
  seconds: number,
): Promise<ReceiptedLoadResult> {
  if (seconds * 1_000 <= BEGINS_MS) throw new Error('A load is measured for more than a second.');
  const acked = async (): Promise<{ count: number; at_ms: number }> => {
    const { receipts_acked: count } = await carrier.counts();
    return { count, at_ms: performance.now() };
  };
  const before = await acked();
  const [began, { result, ended }] = await Promise.all([
    wait(BEGINS_MS).then(acked),
    load.run(seconds).then(async (done) => ({ result: done, ended: await acked() })),
  ]);
  await eventually('every receipt', DRAIN_MS, async () =>
    (await acked()).count - before.count >= result.accepted ? true : null,
  );
  const receipted_per_second = ((ended.count - began.count) * 1000) / (ended.at_ms - began.at_ms);
  return { ...result, receipted_per_second };
}
