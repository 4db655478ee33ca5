import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keptCertificate } from '../../deploy/runtime/process/certificate.ts';
import { Client } from './client.ts';
import { systemClock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import type { Session } from './session.ts';
import { SESSION_DEFAULTS } from './session_settings.ts';
import { serverStage } from './testing/server_stage.ts';
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
  const { server, port, bound } = await serverStage({ server: { tls } });
  await firstAttempt(port, { ca: tls.cert });
  await server.close();
  expect(bound).toHaveLength(1);
});

it('does not bind where nobody vouches for the certificate, unless it is told not to look', async () => {
  const { server, port, bound } = await serverStage({ server: { tls } });
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
  const { server, port, bound } = await serverStage({ server: { tls } });
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
  const { server, port, bound } = await serverStage({ server: { tls, connections_per_address_max: 4 } });
  await stranger(port, '\0\0\0\x10\0\0\0\x15\0\0\0\0\0\0\0\x01').closed;
  const silent = Array.from({ length: 12 }, () => stranger(port, ''));
  while (server.turned_away < 8) await new Promise((resolve) => setImmediate(resolve));
  silent[0]?.socket.destroy();
  // Until the server has seen that end too, the door stays shut.
  while (bound.length === 0) await firstAttempt(port, { ca: tls.cert });
  for (const { socket } of silent) socket.destroy();
  await server.close();
});
