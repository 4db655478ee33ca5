import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Client } from './client.ts';
import { systemClock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import { SESSION_DEFAULTS } from './session_settings.ts';
import { STATUS } from './status.ts';
import { peerOfServer, storm } from './testing/mutation_storm.ts';
import type { StormReport } from './testing/mutation_storm.ts';
import { RawPeer } from './testing/raw_peer.ts';
import { serverStage } from './testing/server_stage.ts';
import { NO_TLVS } from './tlv.ts';

/** The soak command throws more. */
const MUTANTS = 100_000;
const MUTANTS_OF_A_CARRIER = 100_000;
const SEED = 20_261_010;

/** Both ways out were taken: most batches leave the session alive, a wrong length ends it. */
function expectEndured(report: StormReport, pdus: number, closes: readonly CloseReason[]): void {
  expect(report.pdus).toBeGreaterThanOrEqual(pdus);
  expect(report.enquiries_answered).toBeGreaterThan(pdus / 100);
  expect(report.reconnects).toBeGreaterThan(pdus / 1000);
  // A mutant may be an unbind, and the last connection is the storm's own to end.
  const kinds = new Set(closes.slice(0, report.reconnects).map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(['unbound_by_peer', 'unframeable']);
}

it('a server neither dies of a hundred thousand broken PDUs nor goes deaf', async () => {
  const { server, port, faults, closes } = await serverStage({ session: { bind_timeout_ms: 60_000 } });
  expectEndured(await storm(() => peerOfServer(port), MUTANTS, SEED), MUTANTS, closes);
  const peer = await peerOfServer(port);
  peer.socket.destroy();
  await server.close();
  expect(faults).toEqual([]);
});

it('a client neither dies of a carrier that sends them, nor goes deaf, and binds anew', async () => {
  const { client, closes, boundPeer, close } = await clientStage();
  expectEndured(await storm(boundPeer, MUTANTS_OF_A_CARRIER, SEED), MUTANTS_OF_A_CARRIER, closes);
  const peer = await boundPeer();
  const stopped = client.stop();
  const unbind = await peer.next('unbind');
  peer.send({ command: 'unbind_resp', tlvs: NO_TLVS }, unbind?.sequence_number ?? 0);
  await stopped;
  close();
});

/** A client that binds to a carrier made of bare sockets, and does so again as soon as it is thrown out. */
async function clientStage() {
  const arrived: Socket[] = [];
  let wake: () => void = () => undefined;
  const carrier = createServer((socket) => {
    arrived.push(socket);
    wake();
  });
  await new Promise<void>((resolve) => carrier.listen(0, '127.0.0.1', resolve));
  const closes: CloseReason[] = [];
  const client = new Client(
    {
      ...{ host: '127.0.0.1', port: (carrier.address() as AddressInfo).port, tls: null, session: SESSION_DEFAULTS },
      bind: { mode: 'trx', system_id: 'letsdial', password: 'secret' },
      ...{ backoff: { first_ms: 1, most_ms: 1 }, stable_ms: 1_000 },
    },
    {
      onBound: () => undefined,
      onLost: (reason) => void closes.push(reason),
      onRequest: (_session, _pdu, respond) => respond(STATUS.ESME_ROK),
    },
    systemClock,
    Math.random,
  );
  client.start();
  const boundPeer = async (): Promise<RawPeer> => {
    while (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    const peer = new RawPeer(arrived.shift() as Socket);
    const bind = await peer.next('bind_transceiver');
    peer.send({ command: 'bind_transceiver_resp', system_id: 'smsc', tlvs: NO_TLVS }, bind?.sequence_number ?? 0);
    return peer;
  };
  return { client, closes, boundPeer, close: () => carrier.close() };
}
