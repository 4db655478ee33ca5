import { describe, expect, it } from 'vitest';
import { Client } from './client.ts';
import type { ClientOwner, ClientSettings } from './client.ts';
import { describeClose } from './close_reason.ts';
import type { CloseReason } from './close_reason.ts';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { EncodeError } from './octet_writer.ts';
import type { Session } from './session.ts';
import type { ServedPdu } from './session_owner.ts';
import { SESSION_DEFAULTS } from './session_settings.ts';
import { STATUS } from './status.ts';
import { FakeClock } from './testing/fake_clock.ts';
import { RawPeer } from './testing/raw_peer.ts';
import { sampleBind, sampleDeliverSm, sampleSubmitSm, sampleSubmitSmResponse } from './testing/sample.ts';
import { serverStage } from './testing/server_stage.ts';
import { NO_TLVS, TLV } from './tlv.ts';
import type { RequestOutcome } from './window.ts';

interface ClientStage {
  client: Client;
  losses: { reason: CloseReason; retry_in_ms: number | null }[];
  requests: ServedPdu[];
  /** Resolves with each bind, also one that has been. */
  bound: () => Promise<Session>;
  lost: () => Promise<CloseReason>;
}

function clientStage(
  port: number,
  changes: Partial<ClientSettings> = {},
  owner: Partial<ClientOwner> = {},
  clock: Clock = systemClock,
): ClientStage {
  const losses: ClientStage['losses'] = [];
  const requests: ServedPdu[] = [];
  const bounds: Session[] = [];
  let wake: () => void = () => undefined;
  const client = new Client(
    {
      host: '127.0.0.1',
      port,
      tls: null,
      bind: { mode: 'trx', system_id: 'letsdial', password: 'secret' },
      session: SESSION_DEFAULTS,
      backoff: { first_ms: 10, most_ms: 50 },
      stable_ms: 1_000,
      ...changes,
    },
    {
      onBound: (session) => {
        bounds.push(session);
        wake();
      },
      onLost: (reason, retry_in_ms) => {
        losses.push({ reason, retry_in_ms });
        wake();
      },
      onRequest: (_session, pdu, respond) => {
        requests.push(pdu);
        respond(STATUS.ESME_ROK);
      },
      ...owner,
    },
    clock,
    () => 0.5,
  );
  const taken = async <T>(from: T[], at: () => number): Promise<T> => {
    for (;;) {
      const found = from[at()];
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  let [bounds_seen, losses_seen] = [0, 0];
  return {
    client,
    losses,
    requests,
    bound: () => taken(bounds, () => bounds_seen).finally(() => (bounds_seen += 1)),
    lost: () =>
      taken(losses, () => losses_seen)
        .finally(() => (losses_seen += 1))
        .then(({ reason }) => reason),
  };
}

function ask(session: Session, body: Parameters<Session['request']>[0]): Promise<RequestOutcome> {
  return new Promise((resolve, reject) => {
    if (!session.request(body, { onOutcome: resolve })) reject(new Error('The session took no request.'));
  });
}

describe('a client and a server', () => {
  it('bind, carry texts both ways, and part in good order', async () => {
    const { server, port, bound, closes } = await serverStage({
      owner: {
        onRequest: (_session, _pdu, respond) => respond(STATUS.ESME_ROK, sampleSubmitSmResponse('id-1')),
      },
    });
    const stage = clientStage(port);
    stage.client.start();
    const session = await stage.bound();
    expect(stage.client.session).toBe(session);
    expect(await ask(session, sampleSubmitSm())).toMatchObject({ kind: 'response', pdu: { message_id: 'id-1' } });
    const long = sampleSubmitSm({ tlvs: [{ tag: TLV.message_payload, value: Buffer.alloc(60_000, 65) }] });
    expect(await ask(session, long)).toMatchObject({ kind: 'response', pdu: { command_status: 0 } });
    const [there] = bound;
    if (there === undefined) throw new Error('The server has no session.');
    expect(await ask(there, sampleDeliverSm())).toMatchObject({ pdu: { command: 'deliver_sm_resp', message_id: '' } });
    expect(stage.requests).toMatchObject([{ command: 'deliver_sm' }]);
    await stage.client.stop();
    expect(stage.losses).toEqual([{ reason: { kind: 'closed_by_us' }, retry_in_ms: null }]);
    await server.close();
    expect(closes).toEqual([{ kind: 'unbound_by_peer' }]);
  });

  it('carry ten thousand texts through a window of fifty', async () => {
    const { server, port } = await serverStage();
    const count = 10_000;
    let [sent, answered] = [0, 0];
    let done: () => void;
    const all = new Promise<void>((resolve) => (done = resolve));
    const requester = {
      onOutcome: (outcome: RequestOutcome): void => {
        if (outcome.kind === 'response' && (answered += 1) === count) done();
      },
    };
    const pump = (session: Session): void => {
      while (sent < count && session.request(sampleSubmitSm(), requester)) sent += 1;
    };
    const session = { ...SESSION_DEFAULTS, window_requests: 50 };
    const stage = clientStage(port, { session }, { onBound: pump, onCanSend: pump });
    stage.client.start();
    await all;
    expect([sent, answered]).toEqual([count, count]);
    await stage.client.stop();
    await server.close();
  });

  it('tell the version, the mode and the name in the bind', async () => {
    const asked: unknown[] = [];
    const { server, port, bound } = await serverStage({
      owner: {
        onBind: ({ pdu, address }) => {
          asked.push(pdu, address);
          return Promise.resolve({ kind: 'accepted', system_id: 'smsc' });
        },
      },
    });
    const bind = { mode: 'rx' as const, system_id: 'me', password: 'pw', address_range: '^36', system_type: 'x' };
    const stage = clientStage(port, { bind, session: { ...SESSION_DEFAULTS, interface_version: 0x50 } });
    stage.client.start();
    await stage.bound();
    expect(asked[1]).toBe('127.0.0.1');
    expect(asked[0]).toMatchObject({
      command: 'bind_receiver',
      system_id: 'me',
      address_range: '^36',
      interface_version: 0x50,
    });
    expect(bound[0]?.state).toEqual({ phase: 'bound', mode: 'rx' });
    await stage.client.stop();
    await server.close();
  });
});

describe('a client', () => {
  it('hears why its bind was refused, and tries again', async () => {
    let tries = 0;
    const { server, port } = await serverStage({
      owner: {
        onBind: () =>
          (tries += 1) < 3
            ? Promise.resolve({ kind: 'refused', command_status: STATUS.ESME_RALYBND })
            : Promise.resolve({ kind: 'accepted', system_id: 'smsc' }),
      },
    });
    const stage = clientStage(port);
    stage.client.start();
    await stage.bound();
    const refused = { kind: 'bind_refused', command_status: STATUS.ESME_RALYBND };
    expect(stage.losses).toEqual([
      { reason: refused, retry_in_ms: 8 },
      { reason: refused, retry_in_ms: 15 },
    ]);
    expect(describeClose(refused as CloseReason)).toMatch(/ESME_RALYBND/u);
    await stage.client.stop();
    await server.close();
  });

  it('comes back after each loss until it is stopped', async () => {
    const { server, port, bound } = await serverStage();
    const stage = clientStage(port);
    stage.client.start();
    for (let turn = 0; turn < 3; turn += 1) {
      await stage.bound();
      expect(stage.client.session).not.toBeNull();
      bound[turn]?.abort();
      await stage.lost();
      expect(stage.client.session).toBeNull();
    }
    await stage.client.stop();
    await server.close();
    expect(stage.losses.slice(0, 3).every(({ retry_in_ms }) => retry_in_ms !== null)).toBe(true);
  });

  it('keeps trying where nobody listens, and stops at once when told to', async () => {
    const { server, port } = await serverStage();
    await server.close();
    const stage = clientStage(port);
    stage.client.start();
    expect(await stage.lost()).toMatchObject({ kind: 'connection_failed' });
    expect(await stage.lost()).toMatchObject({ kind: 'connection_failed' });
    await stage.client.stop();
    const told = stage.losses.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(stage.losses).toHaveLength(told);
  });

  it('gives up a bind that is never answered, and its timers are those of its clock', async () => {
    const { server, port } = await serverStage({ owner: { onBind: () => new Promise(() => undefined) } });
    const clock = new FakeClock();
    const stage = clientStage(port, {}, {}, clock);
    stage.client.start();
    while (server.sessions.size === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(SESSION_DEFAULTS.bind_timeout_ms);
    clock.advance(SESSION_DEFAULTS.unbind_timeout_ms);
    expect(await stage.lost()).toEqual({ kind: 'bind_timeout' });
    await stage.client.stop();
    expect(clock.timers).toBe(0);
    await server.close();
  });

  it('holds what it has bound, when the timers of connecting and binding are over', async () => {
    const { server, port } = await serverStage();
    const clock = new FakeClock();
    const stage = clientStage(port, {}, {}, clock);
    stage.client.start();
    const session = await stage.bound();
    clock.advance(2 * SESSION_DEFAULTS.bind_timeout_ms);
    expect(await ask(session, sampleSubmitSm())).toMatchObject({ kind: 'response' });
    await stage.client.stop();
    expect(stage.losses).toHaveLength(1);
    await server.close();
  });

  it('is not made with a password that no bind can carry', () => {
    expect(() => clientStage(1, { bind: { mode: 'trx', system_id: 'me', password: 'ninechars' } })).toThrow(
      EncodeError,
    );
  });
});

describe('a server', () => {
  it('refuses HTTP at once, and goes on', async () => {
    const { server, port, closes } = await serverStage();
    const peer = await RawPeer.connect(port);
    peer.socket.write('GET / HTTP/1.1\r\nHost: example\r\n\r\n');
    expect(await peer.next('generic_nack')).toMatchObject({ command_status: STATUS.ESME_RINVCMDLEN });
    await peer.closed;
    const next = await RawPeer.connect(port);
    next.send(sampleBind(), 1);
    expect(await next.next('bind_transceiver_resp')).toMatchObject({ command_status: 0 });
    next.socket.destroy();
    await server.close();
    expect(closes[0]).toEqual({ kind: 'unframeable', why: 'The peer speaks HTTP, not SMPP.' });
  });

  it('turns away a storm of connections from one address, and serves another', async () => {
    const { server, port } = await serverStage({ server: { connections_per_address_max: 3, connections_max: 5 } });
    const storm = await Promise.all(
      Array.from({ length: 30 }, () => RawPeer.connect(port, '127.9.8.7').catch(() => null)),
    );
    const peers = storm.filter((peer) => peer !== null);
    while (server.turned_away < 27) await new Promise((resolve) => setImmediate(resolve));
    const other = await RawPeer.connect(port, '127.1.2.3');
    other.send(sampleBind(), 1);
    expect(await other.next('bind_transceiver_resp')).toMatchObject({ command_status: 0 });
    expect(server.sessions.size).toBe(4);
    for (const peer of [...peers, other]) peer.socket.destroy();
    while (server.sessions.size > 0) await new Promise((resolve) => setImmediate(resolve));
    const again = await RawPeer.connect(port, '127.9.8.7');
    again.send(sampleBind(), 1);
    expect(await again.next('bind_transceiver_resp')).toMatchObject({ command_status: 0 });
    again.socket.destroy();
    await server.close();
  });

  it('cuts off whoever does not bind, whatever else they send', async () => {
    const clock = new FakeClock();
    const { server, port, closes } = await serverStage({ clock });
    const peer = await RawPeer.connect(port);
    peer.send({ command: 'enquire_link', tlvs: NO_TLVS }, 1);
    await peer.next('enquire_link_resp');
    clock.advance(SESSION_DEFAULTS.bind_timeout_ms);
    await peer.closed;
    await server.close();
    expect(closes).toEqual([{ kind: 'bind_timeout' }]);
  });

  it('refuses a bind it cannot decide about, and tells its owner why', async () => {
    const outage = new Error('no database');
    const { server, port, faults } = await serverStage({ owner: { onBind: () => Promise.reject(outage) } });
    const peer = await RawPeer.connect(port);
    peer.send(sampleBind(), 1);
    expect(await peer.next('bind_transceiver_resp')).toMatchObject({ command_status: STATUS.ESME_RSYSERR });
    await peer.closed;
    expect(faults).toEqual([outage]);
    await server.close();
  });

  it('unbinds everybody when it closes, and waits for nobody for ever', async () => {
    const { server, port, closes } = await serverStage({ session: { unbind_timeout_ms: 1_000, tick_ms: 20 } });
    const stage = clientStage(port, { backoff: { first_ms: 100_000, most_ms: 100_000 } });
    stage.client.start();
    await stage.bound();
    const silent = await RawPeer.connect(port);
    silent.send(sampleBind(), 1);
    await silent.next('bind_transceiver_resp');
    await server.close();
    expect(await stage.lost()).toEqual({ kind: 'unbound_by_peer' });
    expect(await silent.next('unbind')).not.toBeNull();
    expect(closes).toEqual([{ kind: 'closed_by_us' }, { kind: 'closed_by_us' }]);
    await stage.client.stop();
  });

  it('gives up a peer that submits and reads nothing', async () => {
    const { server, port, closes } = await serverStage({
      session: { backlog_octets_max: 10_000, unread_timeout_ms: 200, tick_ms: 20 },
      owner: {
        onRequest: (_session, _pdu, respond) => {
          const tlvs = [{ tag: 0x1400, value: Buffer.alloc(30_000) }];
          respond(STATUS.ESME_ROK, { command: 'submit_sm_resp', message_id: 'x', tlvs });
        },
      },
    });
    const peer = await RawPeer.connect(port);
    peer.send(sampleBind(), 1);
    await peer.next('bind_transceiver_resp');
    peer.socket.pause();
    for (let at = 0; at < 3_000; at += 1) peer.send(sampleSubmitSm(), at + 2);
    while (closes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(closes).toEqual([{ kind: 'peer_not_reading' }]);
    peer.socket.destroy();
    await server.close();
  });
});
