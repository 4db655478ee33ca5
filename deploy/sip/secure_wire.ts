import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { WebSocket } from 'ws';
import { isLoopback } from './socket.ts';
import type { Address, OnPacket, Wire } from './socket.ts';

/** A server that is reached over TLS, and what its certificate has to be signed by (PEM). */
export interface SecureServer extends Address {
  kind: 'tls' | 'wss';
  ca: string;
}

/** One connection to a server, over which everything goes both ways, calls to this party included (RFC 5626, RFC 7118). */
export function openSecureWire(address: string, server: SecureServer, onPacket: OnPacket): Promise<Wire> {
  for (const each of [address, server.address]) {
    if (!isLoopback(each)) throw new Error(`${each} is not a loopback address: test parties live on 127.0.0.0/8 only.`);
  }
  return server.kind === 'tls' ? openTls(address, server, onPacket) : openWss(address, server, onPacket);
}

async function openTls(address: string, server: SecureServer, onPacket: OnPacket): Promise<Wire> {
  const plain = connectPlain({ host: server.address, port: server.port, localAddress: address });
  const socket = connect({ socket: plain, host: server.address, ca: server.ca });
  await once(socket, 'secureConnect');
  let received = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    received = Buffer.concat([received, bytes]);
    for (let message = firstMessage(received); message !== null; message = firstMessage(received)) {
      received = received.subarray(message.length);
      onPacket(message, server);
    }
  });
  return wireOver(
    socket,
    'TLS',
    (bytes) => socket.write(bytes),
    () => socket.destroy(),
  );
}

async function openWss(address: string, server: SecureServer, onPacket: OnPacket): Promise<Wire> {
  const url = `wss://${server.address}:${server.port}/ws`;
  const socket = new WebSocket(url, 'sip', { ca: server.ca, localAddress: address });
  const upgraded = new Promise<Socket>((resolve) => socket.once('upgrade', (response) => resolve(response.socket)));
  await once(socket, 'open');
  const stream = await upgraded;
  socket.on('message', (data: Buffer) => onPacket(data, server));
  return wireOver(
    stream,
    'WSS',
    (bytes) => socket.send(bytes.toString('utf8')),
    () => socket.terminate(),
  );
}

function wireOver(stream: Socket, transport: Wire['transport'], write: (bytes: Buffer) => void, end: () => void): Wire {
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  let open = true;
  stream.once('close', () => (open = false));
  // The server was killed or left us: whoever waits for an answer is told by its own timers.
  stream.on('error', () => (open = false));
  return {
    local: { address: stream.localAddress ?? '', port: stream.localPort ?? 0 },
    transport,
    send: (bytes) => {
      if (open) write(bytes);
      return open;
    },
    close: async () => {
      open = false;
      end();
      await closed;
    },
  };
}

/** The first whole message of a stream (RFC 3261 18.3); null while it is still coming. Line breaks between messages are keep-alives. */
function firstMessage(stream: Buffer): Buffer | null {
  const start = stream.findIndex((byte) => byte !== 0x0d && byte !== 0x0a);
  if (start === -1) return null;
  const end = stream.indexOf('\r\n\r\n', start);
  if (end === -1) return null;
  const length = /^(?:content-length|l)\s*:\s*(\d{1,7})\s*$/imu.exec(stream.subarray(start, end).toString('utf8'));
  const total = end + 4 + Number(length?.[1] ?? '0');
  return stream.length < total ? null : stream.subarray(0, total);
}
