import { expect, it } from 'vitest';
import { RawPeer } from './testing/raw_peer.ts';
import { serverStage } from './testing/server_stage.ts';
import { storm } from './testing/mutation_storm.ts';
import { sampleBind } from './testing/sample.ts';

/** The soak command throws more. */
const MUTANTS = 100_000;
const SEED = 20_261_010;

it('neither dies of a hundred thousand broken PDUs nor goes deaf', async () => {
  const { server, port, faults, closes } = await serverStage({ session: { bind_timeout_ms: 60_000 } });
  const report = await storm(port, MUTANTS, SEED);
  expect(report.pdus).toBeGreaterThanOrEqual(MUTANTS);
  // Both ways out were taken: most batches leave the session alive, a wrong length ends it.
  expect(report.enquiries_answered).toBeGreaterThan(1_000);
  expect(report.reconnects).toBeGreaterThan(100);
  // A mutant may be an unbind, and the last connection is the storm's own to end.
  const kinds = new Set(closes.slice(0, report.reconnects).map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(['unbound_by_peer', 'unframeable']);
  const peer = await RawPeer.connect(port);
  peer.send(sampleBind(), 1);
  expect(await peer.next('bind_transceiver_resp')).toMatchObject({ command_status: 0 });
  peer.socket.destroy();
  await server.close();
  expect(faults).toEqual([]);
});
