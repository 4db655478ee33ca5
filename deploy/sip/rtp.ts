import { monotonicMs } from './clock.ts';
import { decodePayload, encodeAlaw, encodeUlaw } from './g711.ts';
import { Hearing } from './hearing.ts';
import type { Codec } from './sdp.ts';
import { PAYLOAD_TYPES } from './sdp.ts';
import { UdpSocket } from './socket.ts';
import type { Address } from './socket.ts';
import { classifyFrame, FRAME_MS, FRAME_SAMPLES, soundFrame } from './tone.ts';
import type { Sound } from './tone.ts';

export interface RtpCounts {
  packets_sent: number;
  packets_received: number;
  first_received_at_ms: number | undefined;
  last_received_at_ms: number | undefined;
  /** The longest wait between two packets that came. */
  gap_ms_max: number;
}

/** A packet that came, decoded. */
export interface HeardPacket {
  /** The sender's clock in samples (RFC 3550, 5.1). */
  timestamp: number;
  samples: Int16Array;
}

type Sender = () => void;

/** One timer for all streams of the process: two hundred intervals of 20 ms would be two hundred wake-ups. */
const senders = new Set<Sender>();
let ticker: NodeJS.Timeout | undefined;
let ticks = 0;
let ticks_since_ms = 0;

function startSending(sender: Sender): void {
  senders.add(sender);
  if (ticker !== undefined) return;
  ticks = 0;
  ticks_since_ms = monotonicMs();
  ticker = setInterval(() => {
    const due = Math.floor((monotonicMs() - ticks_since_ms) / FRAME_MS);
    // After a stall of more than 200 ms the missed frames are left out instead of being sent in one burst.
    if (due - ticks > 10) ticks = due - 1;
    for (; ticks < due; ticks += 1) for (const each of senders) each();
  }, FRAME_MS / 2);
}

function stopSending(sender: Sender): void {
  senders.delete(sender);
  if (senders.size > 0) return;
  clearInterval(ticker);
  ticker = undefined;
}

/** One audio stream: a socket, what is said into it, and what is heard from it. */
export class RtpStream {
  readonly hearing = new Hearing();
  readonly counts: RtpCounts = {
    packets_sent: 0,
    packets_received: 0,
    first_received_at_ms: undefined,
    last_received_at_ms: undefined,
    gap_ms_max: 0,
  };
  private readonly socket: UdpSocket;
  private readonly ssrc = Math.floor(Math.random() * 2 ** 32);
  private sound: Sound;
  private recording: HeardPacket[] | undefined;
  private target: Address | undefined;
  private codec: Codec = 'PCMU';
  private sequence = Math.floor(Math.random() * 2 ** 16);
  private frame_index = 0;
  private readonly sender: Sender = () => this.sendFrame();

  private constructor(socket: UdpSocket, sound: Sound) {
    this.socket = socket;
    this.sound = sound;
  }

  static async open(address: string, sound: Sound): Promise<RtpStream> {
    const stream: { value?: RtpStream } = {};
    const socket = await UdpSocket.open({ address, port: 0 }, (bytes) => stream.value?.receive(bytes));
    stream.value = new RtpStream(socket, sound);
    return stream.value;
  }

  get local(): Address {
    return this.socket.local;
  }

  /** Sends to the target from now on; undefined sends nothing, as on hold. */
  sendTo(target: Address | undefined, codec: Codec): void {
    this.target = target;
    this.codec = codec;
    if (target === undefined) stopSending(this.sender);
    else startSending(this.sender);
  }

  say(sound: Sound): void {
    this.sound = sound;
  }

  /** From now on all that comes is kept in the list that is given back. */
  record(): readonly HeardPacket[] {
    this.recording ??= [];
    return this.recording;
  }

  async close(why: string): Promise<void> {
    stopSending(this.sender);
    this.hearing.close(why);
    await this.socket.close();
  }

  private sendFrame(): void {
    if (this.target === undefined || this.sound.kind === 'nothing') return;
    const encode = this.codec === 'PCMU' ? encodeUlaw : encodeAlaw;
    const packet = Buffer.alloc(12 + FRAME_SAMPLES);
    packet.writeUInt8(0x80, 0);
    packet.writeUInt8(PAYLOAD_TYPES[this.codec] | (this.frame_index === 0 ? 0x80 : 0), 1);
    packet.writeUInt16BE(this.sequence & 0xffff, 2);
    packet.writeUInt32BE((this.frame_index * FRAME_SAMPLES) >>> 0, 4);
    packet.writeUInt32BE(this.ssrc, 8);
    soundFrame(this.sound, this.frame_index).forEach((sample, at) => packet.writeUInt8(encode(sample), 12 + at));
    this.sequence += 1;
    this.frame_index += 1;
    if (this.socket.send(packet, this.target)) this.counts.packets_sent += 1;
  }

  private receive(bytes: Buffer): void {
    if (bytes.length < 12 || bytes.readUInt8(0) >> 6 !== 2) return;
    const now_ms = monotonicMs();
    const { last_received_at_ms } = this.counts;
    this.counts.packets_received += 1;
    this.counts.first_received_at_ms ??= now_ms;
    this.counts.gap_ms_max = Math.max(this.counts.gap_ms_max, now_ms - (last_received_at_ms ?? now_ms));
    this.counts.last_received_at_ms = now_ms;
    const header_bytes = 12 + (bytes.readUInt8(0) & 0x0f) * 4;
    const samples = decodePayload(bytes.readUInt8(1) & 0x7f, bytes.subarray(header_bytes));
    if (samples === undefined || samples.length === 0) return;
    this.recording?.push({ timestamp: bytes.readUInt32BE(4), samples });
    this.hearing.frame(classifyFrame(samples));
  }
}
