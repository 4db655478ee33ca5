import type { Hearing } from './hearing.ts';
import { RtpStream } from './rtp.ts';
import type { HeardPacket } from './rtp.ts';
import type { CallRecord } from './call_record.ts';
import { answerDirection, formatSdp, maySend, parseSdp } from './sdp.ts';
import type { Codec, Direction } from './sdp.ts';
import { isLoopback } from './socket.ts';
import type { Address } from './socket.ts';
import type { Sound } from './tone.ts';

export interface MediaOptions {
  address: string;
  /** Where the SDP points when this party takes part in no media: a socket that is there, but not looked at. */
  sink: Address;
  media: boolean;
  sound: Sound;
  codecs: Codec[];
}

/** Offer, answer and the stream of one call. */
export class CallMedia {
  private readonly options: MediaOptions;
  private readonly stream: RtpStream | undefined;
  private readonly session_id = Math.floor(Math.random() * 1e9);
  private version = 0;
  private direction: Direction = 'sendrecv';
  private codecs: Codec[];

  private constructor(options: MediaOptions, stream: RtpStream | undefined) {
    this.options = options;
    this.stream = stream;
    this.codecs = options.codecs;
  }

  static async open(options: MediaOptions): Promise<CallMedia> {
    return new CallMedia(options, options.media ? await RtpStream.open(options.address, options.sound) : undefined);
  }

  get hearing(): Hearing {
    if (this.stream === undefined) throw new Error('This party was opened with media: false and hears nothing.');
    return this.stream.hearing;
  }

  /** Counts so far, for the record. */
  get rtp(): CallRecord['rtp'] {
    return this.stream === undefined ? undefined : { ...this.stream.counts, ...this.stream.hearing.heard };
  }

  say(sound: Sound): void {
    this.stream?.say(sound);
  }

  record(): readonly HeardPacket[] {
    if (this.stream === undefined) throw new Error('This party was opened with media: false and hears nothing.');
    return this.stream.record();
  }

  offer(direction: Direction): string {
    this.direction = direction;
    this.codecs = this.options.codecs;
    return this.description();
  }

  /** The answer to an offer, or undefined where no codec is common or the offer cannot be read: a 488. */
  answerTo(offer: string): string | undefined {
    const remote = parseSdp(offer);
    const common = remote?.codecs.filter((codec) => this.options.codecs.includes(codec)) ?? [];
    if (remote === undefined || common.length === 0) return undefined;
    this.codecs = common.slice(0, 1);
    this.direction = answerDirection(remote.direction);
    this.connect(offer);
    return this.description();
  }

  /** Takes the other side's description. False where it cannot be used. */
  connect(description: string): boolean {
    const remote = parseSdp(description);
    const codec = remote?.codecs.find((each) => this.options.codecs.includes(each));
    if (remote === undefined || codec === undefined || remote.port === 0) return false;
    const may = maySend(this.direction, remote.direction) && isLoopback(remote.address);
    this.stream?.sendTo(may ? { address: remote.address, port: remote.port } : undefined, codec);
    return true;
  }

  async close(why: string): Promise<void> {
    await this.stream?.close(why);
  }

  private description(): string {
    const { address, port } = this.stream?.local ?? this.options.sink;
    this.version += 1;
    const { session_id, version, codecs, direction } = this;
    return formatSdp({ session_id, version, address, port, codecs, direction });
  }
}
