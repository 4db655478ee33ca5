import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../runtime/process/free_port.ts';
import { Line } from './line.ts';

const address = '127.0.0.1';
let far: Server;
let line: Line;
let port: number;

beforeEach(async () => {
  far = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  far.listen(0, address);
  await once(far, 'listening');
  port = await freePort();
  line = await Line.open({ address, port }, { address, port: (far.address() as AddressInfo).port });
});

afterEach(async () => {
  await line.close();
  far.close();
});

async function dial(): Promise<Socket> {
  const socket = connect({ host: address, port });
  // It is reset when the line is closed.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  return String((await once(socket, 'data'))[0]);
}

describe('a line', () => {
  it('hands on what either side says, and an end in good order', async () => {
    const socket = await dial();
    expect(await echoed(socket, 'hello')).toBe('hello');
    expect(line.connections).toBe(1);
    socket.end();
    await once(socket, 'close');
    expect(line.cut()).toBe(false);
  });

  it('that is cut resets both ends, and takes the next connection', async () => {
    const [accepted, socket] = await Promise.all([once(far, 'connection'), dial()]);
    await echoed(socket, 'hello');
    const far_end = accepted[0] as Socket;
    const both = [socket, far_end].map((end) => once(end, 'error'));
    expect(line.cut()).toBe(true);
    for (const [error] of await Promise.all(both)) expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(await echoed(await dial(), 'again')).toBe('again');
    expect(line.connections).toBe(2);
  });

  it('resets whoever dials while nobody is at the far end', async () => {
    const gone = new Promise((resolve) => far.close(resolve));
    await gone;
    const socket = connect({ host: address, port });
    const [error] = (await once(socket, 'error')) as [Error];
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(line.connections).toBe(0);
  });
});
