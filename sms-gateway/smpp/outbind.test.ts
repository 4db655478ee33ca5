import { connect } from 'node:net';
import { expect, it } from 'vitest';
import type { BindIdentity } from './client.ts';
import { systemClock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import { OutbindListener } from './outbind.ts';
import type { Session } from './session.ts';
import { SESSION_DEFAULTS } from './session_settings.ts';
import { RawPeer } from './testing/raw_peer.ts';
import { sampleDeliverSm } from './testing/sample.ts';
import { IN_THE_CLEAR } from './testing/server_stage.ts';
import { NO_TLVS } from './tlv.ts';

function outbindStage(identity: BindIdentity | null) {
  const lost: CloseReason[] = [];
  const bound: Session[] = [];
  const asked: string[] = [];
  const listener = new OutbindListener(
    {
      ...{ connections_max: 10, connections_per_address_max: 2, handshake_timeout_ms: 5_000 },
      session: SESSION_DEFAULTS,
    },
    {
      onOutbind: ({ system_id, password }, address) => {
        asked.push(`${system_id}:${password}@${address}`);
        return identity;
      },
      onBound: (session) => bound.push(session),
      onLost: (reason) => lost.push(reason),
      onRequest: (_session, _pdu, respond) => respond(0),
      onFault: (error) => {
        throw error;
      },
    },
    systemClock,
  );
  const listen = async (): Promise<number> => {
    const [port = 0] = await listener.listen([IN_THE_CLEAR]);
    return port;
  };
  return { listener, listen, lost, bound, asked };
}

const outbind = { command: 'outbind', system_id: 'smsc', password: 'let me', tlvs: NO_TLVS } as const;

it('binds as a receiver to an SMSC that asks for it, and takes its texts', async () => {
  const stage = outbindStage({ mode: 'rx', system_id: 'me', password: 'pw' });
  const smsc = await RawPeer.connect(await stage.listen());
  smsc.send(outbind, 1);
  const bind = await smsc.next('bind_receiver');
  expect(bind).toMatchObject({ system_id: 'me', password: 'pw' });
  // A second outbind on the same connection is not a second bind.
  smsc.send(outbind, 2);
  smsc.send({ command: 'bind_receiver_resp', system_id: 'smsc', tlvs: NO_TLVS }, bind?.sequence_number ?? 0);
  smsc.send(sampleDeliverSm(), 3);
  expect(await smsc.next('deliver_sm_resp')).toMatchObject({ sequence_number: 3, command_status: 0 });
  expect([stage.asked, stage.bound.length]).toEqual([['smsc:let me@127.0.0.1'], 1]);
  const closed = stage.listener.close();
  const unbind = await smsc.next('unbind');
  smsc.send({ command: 'unbind_resp', tlvs: NO_TLVS }, unbind?.sequence_number ?? 0);
  await closed;
  expect(stage.lost).toEqual([{ kind: 'closed_by_us' }]);
});

it('turns away an SMSC it does not know', async () => {
  const stage = outbindStage(null);
  const port = await stage.listen();
  const smsc = new RawPeer(connect(port, '127.0.0.1'));
  smsc.send(outbind, 1);
  await smsc.closed;
  await stage.listener.close();
  expect([stage.asked.length, stage.bound.length]).toEqual([1, 0]);
});

it('takes no more SMSCs than are allowed from one address', async () => {
  const stage = outbindStage(null);
  const port = await stage.listen();
  const first = [await RawPeer.connect(port), await RawPeer.connect(port)];
  await (
    await RawPeer.connect(port).catch(() => null)
  )?.closed;
  const elsewhere = await RawPeer.connect(port, '127.1.2.3');
  elsewhere.send(outbind, 1);
  await elsewhere.closed;
  expect(stage.asked).toEqual(['smsc:let me@127.1.2.3']);
  for (const peer of first) peer.socket.destroy();
  await stage.listener.close();
});
