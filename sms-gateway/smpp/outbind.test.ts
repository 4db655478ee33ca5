import { connect } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { AwaitedClient } from './awaited_client.ts';
import type { CloseReason } from './close_reason.ts';
import type { Session } from './session.ts';
import { SESSION_DEFAULTS } from './session_settings.ts';
import { RawPeer } from './testing/raw_peer.ts';
import { sampleBind, sampleDeliverSm, sampleSubmitSm } from './testing/sample.ts';
import { serverStage } from './testing/server_stage.ts';
import type { ServerStage } from './testing/server_stage.ts';
import { STATUS } from './status.ts';
import { NO_TLVS } from './tlv.ts';

const outbind = { command: 'outbind', system_id: 'smsc', password: 'let me', tlvs: NO_TLVS } as const;

let stage: ServerStage;

afterEach(async () => {
  await stage.server.close();
});

/** An SMSC for customers, by whose doors one carrier may come, too; null: none may. */
async function stageFor(mode: 'rx' | 'trx' | null, window_requests = 2) {
  const lost: (CloseReason & { is_over: boolean })[] = [];
  const bound: Session[] = [];
  const asked: string[] = [];
  const client =
    mode === null
      ? null
      : new AwaitedClient(
          { bind: { mode, system_id: 'me', password: 'pw' }, session: { ...SESSION_DEFAULTS, window_requests } },
          {
            onBound: (session) => bound.push(session),
            onLost: (reason, is_over) => lost.push({ ...reason, is_over }),
            onRequest: (_session, _pdu, respond) => respond(STATUS.ESME_ROK),
          },
        );
  client?.start();
  stage = await serverStage({
    owner: {
      onOutbind: ({ pdu: { system_id, password }, address, session }) => {
        asked.push(`${system_id}:${password}@${address}`);
        return client?.is_awaiting === true ? client.take(session) : null;
      },
    },
  });
  return { client, lost, bound, asked };
}

/** As the carrier that it comes from. */
async function comes(mode: 'rx' | 'trx'): Promise<RawPeer> {
  const smsc = await RawPeer.connect(stage.port);
  smsc.send(outbind, 1);
  const command = mode === 'rx' ? 'bind_receiver' : 'bind_transceiver';
  const bind = await smsc.next(command);
  expect(bind).toMatchObject({ system_id: 'me', password: 'pw' });
  smsc.send({ command: `${command}_resp`, system_id: 'smsc', tlvs: NO_TLVS }, bind?.sequence_number ?? 0);
  return smsc;
}

it('binds as a receiver to an SMSC that asks for it, and takes its texts', async () => {
  const { client, lost, bound, asked } = await stageFor('rx');
  const smsc = await comes('rx');
  // A second outbind on the same connection is not a second bind.
  smsc.send(outbind, 2);
  smsc.send(sampleDeliverSm(), 3);
  expect(await smsc.next('deliver_sm_resp')).toMatchObject({ sequence_number: 3, command_status: 0 });
  expect([asked, bound.length, client?.is_awaiting]).toEqual([['smsc:let me@127.0.0.1'], 1, false]);
  const stopped = client?.stop();
  const unbind = await smsc.next('unbind');
  smsc.send({ command: 'unbind_resp', tlvs: NO_TLVS }, unbind?.sequence_number ?? 0);
  await stopped;
  expect(lost).toEqual([{ kind: 'closed_by_us', is_over: true }]);
  expect([stage.closes, stage.bound]).toEqual([[], []]);
});

it('sends texts on the connection that the SMSC made, within the window of the bind, and takes none from it', async () => {
  const { client, bound } = await stageFor('trx', 2);
  const smsc = await comes('trx');
  smsc.send(sampleSubmitSm(), 7);
  expect(await smsc.next('submit_sm_resp')).toMatchObject({ command_status: STATUS.ESME_RINVBNDSTS });
  smsc.send(sampleBind(), 8);
  expect(await smsc.next('bind_transceiver_resp')).toMatchObject({ command_status: STATUS.ESME_RINVBNDSTS });
  const [session] = bound;
  expect(client?.session).toBe(session);
  const outcomes: unknown[] = [];
  const submit = () => session?.request(sampleSubmitSm(), { onOutcome: ({ kind }) => outcomes.push(kind) });
  expect([submit(), submit(), submit()]).toEqual([true, true, false]);
  for (let n = 0; n < 2; n += 1) {
    const pdu = await smsc.next('submit_sm');
    smsc.send({ command: 'submit_sm_resp', message_id: '1', tlvs: NO_TLVS }, pdu?.sequence_number ?? 0);
  }
  smsc.send({ command: 'enquire_link', tlvs: NO_TLVS }, 9);
  await smsc.next('enquire_link_resp');
  expect(outcomes).toEqual(['response', 'response']);
  smsc.socket.destroy();
});

it('awaits the SMSC again when its connection is gone', async () => {
  const { client, lost, asked } = await stageFor('rx');
  const first = await comes('rx');
  // It has one already.
  const second = await RawPeer.connect(stage.port);
  second.send(outbind, 1);
  await second.closed;
  first.send(sampleDeliverSm(), 2);
  await first.next('deliver_sm_resp');
  first.send({ command: 'unbind', tlvs: NO_TLVS }, 3);
  await first.closed;
  const third = await comes('rx');
  expect([lost, asked.length]).toEqual([[{ kind: 'unbound_by_peer', is_over: false }], 3]);
  third.socket.destroy();
  await third.closed;
  await client?.stop();
});

it('turns away an SMSC it does not know, and goes on serving customers', async () => {
  const { asked, bound } = await stageFor(null);
  const smsc = new RawPeer(connect(stage.port, '127.0.0.1'));
  smsc.send(outbind, 1);
  await smsc.closed;
  const customer = await RawPeer.connect(stage.port);
  customer.send(sampleBind(), 1);
  expect(await customer.next('bind_transceiver_resp')).toMatchObject({ command_status: 0 });
  // Who is bound is nobody's SMSC.
  customer.send(outbind, 2);
  customer.send(sampleSubmitSm(), 3);
  expect(await customer.next('submit_sm_resp')).toMatchObject({ command_status: 0 });
  expect([asked.length, bound.length, stage.bound.length]).toEqual([1, 0, 1]);
  customer.socket.destroy();
});
