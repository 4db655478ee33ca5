import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { CloseReason } from './close_reason.ts';
import { systemClock } from './clock.ts';
import { Connection } from './connection.ts';
import type { Decoded } from './decode.ts';
import { encode } from './encode.ts';
import type { Unframeable } from './framer.ts';
import { RawPeer } from './testing/raw_peer.ts';
import { sampleSubmitSm } from './testing/sample.ts';
import { NO_TLVS, TLV } from './tlv.ts';

interface Stage {
  connection: Connection;
  socket: Socket;
  peer: RawPeer;
  heard: (Decoded | Unframeable)[];
  written: () => number;
  closed: Promise<CloseReason>;
  wake: (run: () => void) => void;
}

/** One connection over loopback: ours, and the raw other end. */
async function connectionStage(): Promise<Stage> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  const peer = new RawPeer(await accepted);
  listener.close();
  const heard: (Decoded | Unframeable)[] = [];
  let written = 0;
  let wake: () => void = () => undefined;
  let close: (reason: CloseReason) => void;
  const closed = new Promise<CloseReason>((resolve) => (close = resolve));
  const connection = new Connection(socket, systemClock, 65_536, {
    onDecoded: (next) => {
      heard.push(next);
      wake();
    },
    onWritten: () => {
      written += 1;
      wake();
    },
    onWireClosed: (reason) => close(reason),
  });
  return { connection, socket, peer, heard, written: () => written, closed, wake: (run) => (wake = run) };
}

function until(stage: Stage, isSo: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isSo()) resolve();
    };
    stage.wake(look);
    look();
  });
}

const enquire_link = { command: 'enquire_link', tlvs: NO_TLVS } as const;

describe('a connection', () => {
  it('writes all PDUs of one turn of the event loop at once', async () => {
    const stage = await connectionStage();
    const batches = Array.from({ length: 500 }, (_, at) => stage.connection.write(sampleSubmitSm(), 0, at + 1));
    expect(new Set(batches).size).toBe(1);
    expect(stage.connection.wasHanded(batches[0] ?? 0)).toBe(false);
    await until(stage, () => stage.written() > 0);
    expect([stage.written(), stage.connection.wasHanded(batches[0] ?? 0)]).toEqual([1, true]);
    expect(stage.connection.backlog_octets).toBe(0);
    for (let at = 1; at <= 500; at += 1) {
      expect(await stage.peer.next('submit_sm')).toMatchObject({ sequence_number: at });
    }
    stage.connection.destroy({ kind: 'closed_by_us' });
    await stage.closed;
  });

  it('keeps in hand what a peer that does not read leaves it with, and knows what the kernel never saw', async () => {
    const stage = await connectionStage();
    stage.peer.socket.pause();
    const payload = { tag: TLV.message_payload, value: Buffer.alloc(60_000) };
    let batch = 0;
    while (stage.connection.stuck_since_ms === null || stage.connection.backlog_octets < 8_000_000) {
      batch = stage.connection.write(sampleSubmitSm({ tlvs: [payload] }), 0, 1);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(stage.connection.wasHanded(1)).toBe(true);
    expect(stage.connection.wasHanded(batch)).toBe(false);
    stage.connection.destroy({ kind: 'peer_not_reading' });
    expect(await stage.closed).toEqual({ kind: 'peer_not_reading' });
    expect(stage.connection.wasHanded(batch)).toBe(false);
    stage.peer.socket.destroy();
  });

  it('writes all that it kept once the peer reads again, in its order', async () => {
    const stage = await connectionStage();
    stage.peer.socket.pause();
    const payload = { tag: TLV.message_payload, value: Buffer.alloc(60_000) };
    let sent = 0;
    while (stage.connection.stuck_since_ms === null || stage.connection.backlog_octets < 4_000_000) {
      stage.connection.write(sampleSubmitSm({ tlvs: [payload] }), 0, (sent += 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
    stage.peer.socket.resume();
    for (let at = 1; at <= sent; at += 1) {
      expect(await stage.peer.next('submit_sm')).toMatchObject({ sequence_number: at });
    }
    await until(stage, () => stage.connection.backlog_octets === 0);
    expect(stage.connection.stuck_since_ms).toBeNull();
    stage.connection.destroy({ kind: 'closed_by_us' });
    await stage.closed;
  });

  it('hears nothing while it is paused, and all of it after, also what came in one chunk', async () => {
    const stage = await connectionStage();
    stage.wake(() => stage.connection.pause());
    const three = [1, 2, 3].map((sequence_number) => encode({ ...enquire_link, command_status: 0, sequence_number }));
    stage.peer.socket.write(Buffer.concat(three));
    await new Promise<void>((resolve) => {
      stage.wake(() => {
        stage.connection.pause();
        resolve();
      });
    });
    expect(stage.heard).toHaveLength(1);
    stage.connection.resume();
    await until(stage, () => stage.heard.length === 3);
    expect(stage.heard).toMatchObject([1, 2, 3].map((sequence_number) => ({ pdu: { sequence_number } })));
    stage.connection.destroy({ kind: 'closed_by_us' });
    await stage.closed;
  });

  it('writes what waits before it ends, and hears nothing more', async () => {
    const stage = await connectionStage();
    stage.connection.write(enquire_link, 0, 5);
    stage.connection.end({ kind: 'unbound_by_peer' });
    stage.peer.send(enquire_link, 6);
    expect(await stage.peer.next('enquire_link')).toMatchObject({ sequence_number: 5 });
    expect(await stage.closed).toEqual({ kind: 'unbound_by_peer' });
    expect(stage.heard).toEqual([]);
    await stage.peer.closed;
  });

  it('tells how the peer left', async () => {
    const [orderly, reset] = [await connectionStage(), await connectionStage()];
    orderly.peer.socket.end();
    expect(await orderly.closed).toEqual({ kind: 'closed_by_peer' });
    reset.peer.socket.resetAndDestroy();
    expect(await reset.closed).toMatchObject({ kind: 'connection_failed' });
    reset.connection.write(enquire_link, 0, 1);
    reset.connection.end({ kind: 'closed_by_us' });
  });
});
