import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptCertificate } from '../../deploy/runtime/process/certificate.ts';
import { Client } from './client.ts';
import { systemClock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import type { Door } from './doors.ts';
import type { Session } from './session.ts';
import { SESSION_DEFAULTS } from './session_settings.ts';
import { RawPeer } from './testing/raw_peer.ts';
import { sampleBind, sampleSubmitSm } from './testing/sample.ts';
import { IN_THE_CLEAR, serverStage } from './testing/server_stage.ts';
import type { ServerTls, ClientTls } from './tls_settings.ts';

let folder = '';
let tls: ServerTls = { cert: '', key: '' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'smpp-tls-'));
  const files = await keptCertificate(folder, ['127.0.0.1']);
  tls = {
    cert: await readFile(files.certificate_file, 'utf8'),
    key: await readFile(files.private_key_file, 'utf8'),
  };
});

afterAll(() => rm(folder, { recursive: true }));

const overTls = (): Door => ({ ...IN_THE_CLEAR, tls });

/** How the first attempt to bind over TLS ends. */
function firstAttempt(port: number, client_tls: ClientTls, host = '127.0.0.1'): Promise<Session | CloseReason> {
  return new Promise((resolve) => {
    const client: Client = new Client(
      {
        host,
        port,
        tls: client_tls,
        bind: { mode: 'trx', system_id: 'me', password: 'pw' },
        session: SESSION_DEFAULTS,
        backoff: { first_ms: 60_000, most_ms: 60_000 },
        stable_ms: 1_000,
      },
      {
        onBound: (session) => {
          void client.stop().then(() => resolve(session));
        },
        onLost: (reason) => {
          if (reason.kind !== 'closed_by_us') void client.stop().then(() => resolve(reason));
        },
        onRequest: (_session, _pdu, respond) => respond(0),
      },
      systemClock,
      Math.random,
    );
    client.start();
  });
}

it('binds over TLS to a certificate that a named authority vouches for', async () => {
  const { server, port, bound } = await serverStage({ doors: [overTls()] });
  await firstAttempt(port, { ca: tls.cert });
  await server.close();
  expect(bound).toHaveLength(1);
});

it('does not bind where nobody vouches for the certificate, unless it is told not to look', async () => {
  const { server, port, bound } = await serverStage({ doors: [overTls()] });
  expect(await firstAttempt(port, {})).toMatchObject({
    kind: 'connection_failed',
    why: expect.stringMatching(/self-signed/u) as string,
  });
  expect(bound).toHaveLength(0);
  await firstAttempt(port, { rejectUnauthorized: false });
  expect(bound).toHaveLength(1);
  await server.close();
});

it('does not bind where the certificate is for another name', async () => {
  const { server, port, bound } = await serverStage({ doors: [overTls()] });
  expect(await firstAttempt(port, { ca: tls.cert, servername: 'smsc.example' })).toMatchObject({
    kind: 'connection_failed',
    why: expect.stringMatching(/altnames/u) as string,
  });
  await server.close();
  expect(bound).toHaveLength(0);
});

/** A connection that says that and no more; resolves when it is closed. */
function stranger(port: number, words: string): { socket: Socket; closed: Promise<void> } {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(words);
  return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
}

it('turns away plain SMPP and a storm at a TLS port, and lets nobody wait for who says nothing', async () => {
  const { server, port, bound } = await serverStage({ doors: [overTls()], server: { connections_per_address_max: 4 } });
  await stranger(port, '\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01').closed;
  const silent = Array.from({ length: 12 }, () => stranger(port, ''));
  while (server.turned_away < 8) await new Promise((resolve) => setImmediate(resolve));
  silent[0]?.socket.destroy();
  // Until the server has seen that end too, the door stays shut.
  while (bound.length === 0) await firstAttempt(port, { ca: tls.cert });
  for (const { socket } of silent) socket.destroy();
  await server.close();
});

/** Over TLS with whoever is at that port; resolves when the handshake is done. */
function secureSocket(port: number, options: ConnectionOptions & { localAddress?: string } = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options }, () =>
      resolve(socket),
    );
    socket.once('error', reject);
  });
}

describe('a server with a door in the clear and one over TLS', () => {
  const bind = async (peer: RawPeer): Promise<void> => {
    peer.send(sampleBind(), 1);
    expect(await peer.next('bind_transceiver_resp')).toMatchObject({ command_status: 0 });
  };
  const submit = async (peer: RawPeer, sequence_number: number): Promise<void> => {
    peer.send(sampleSubmitSm(), sequence_number);
    expect(await peer.next('submit_sm_resp')).toMatchObject({ sequence_number, command_status: 0 });
  };

  it('cuts off whoever comes by the wrong one, and disturbs nobody else', async () => {
    const told: boolean[] = [];
    const { server, ports, closes } = await serverStage({
      doors: [IN_THE_CLEAR, overTls()],
      owner: { onBound: (_session, _bound, is_secure) => told.push(is_secure) },
    });
    const [plain_port = 0, tls_port = 0] = ports;
    const plain = await RawPeer.connect(plain_port);
    await bind(plain);
    const secure = new RawPeer(await secureSocket(tls_port));
    await bind(secure);
    expect(told).toEqual([false, true]);
    const lost = await RawPeer.connect(tls_port);
    lost.send(sampleBind(), 1);
    expect(await lost.next('bind_transceiver_resp')).toBeNull();
    await expect(secureSocket(plain_port)).rejects.toThrow();
    while (closes.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(closes).toMatchObject([{ kind: 'unframeable' }]);
    await submit(plain, 2);
    await submit(secure, 2);
    for (const peer of [plain, secure]) peer.socket.destroy();
    await server.close();
  });

  it('counts an address at both together', async () => {
    const { server, ports } = await serverStage({
      doors: [IN_THE_CLEAR, overTls()],
      server: { connections_per_address_max: 2 },
    });
    const [plain_port = 0, tls_port = 0] = ports;
    const plain = await RawPeer.connect(plain_port);
    const secure = new RawPeer(await secureSocket(tls_port));
    await expect(secureSocket(tls_port)).rejects.toThrow();
    const turned_away = await RawPeer.connect(plain_port).catch(() => null);
    await turned_away?.closed;
    expect(server.turned_away).toBe(2);
    const elsewhere = new RawPeer(await secureSocket(tls_port, { localAddress: '127.1.2.3' }));
    await bind(elsewhere);
    for (const peer of [plain, secure, elsewhere]) peer.socket.destroy();
    await server.close();
  });

  it('lets nobody spin out the handshake by sending it bit by bit', async () => {
    const { server, port } = await serverStage({ doors: [overTls()], server: { handshake_timeout_ms: 200 } });
    const { socket, closed } = stranger(port, '');
    // The head of a ClientHello of 16,384 octets, which then comes one octet at a time.
    socket.write(Buffer.from('1603014000010000', 'hex'));
    const began_ms = performance.now();
    const dripping = setInterval(() => socket.write(Buffer.from([0])), 20);
    await closed;
    clearInterval(dripping);
    const took_ms = performance.now() - began_ms;
    expect(took_ms).toBeGreaterThan(150);
    expect(took_ms).toBeLessThan(2_000);
    await server.close();
  });

  it('speaks no TLS older than 1.2', async () => {
    const { server, port } = await serverStage({ doors: [overTls()] });
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(secureSocket(port, old)).rejects.toThrow(/version|handshake/u);
    const socket = await secureSocket(port, { maxVersion: 'TLSv1.2' });
    expect(socket.getProtocol()).toBe('TLSv1.2');
    socket.destroy();
    await server.close();
  });

  it('shows a renewed certificate to who comes next, and keeps who is bound', async () => {
    const { server, port } = await serverStage({ doors: [overTls()] });
    const before = await secureSocket(port);
    const peer = new RawPeer(before);
    await bind(peer);
    const renewed = await keptCertificate(join(folder, 'renewed'), ['127.0.0.1']);
    server.renew({
      cert: await readFile(renewed.certificate_file, 'utf8'),
      key: await readFile(renewed.private_key_file, 'utf8'),
    });
    const after = await secureSocket(port);
    expect(after.getPeerX509Certificate()?.fingerprint256).not.toBe(before.getPeerX509Certificate()?.fingerprint256);
    await submit(peer, 2);
    for (const socket of [before, after]) socket.destroy();
    await server.close();
  });
});
