import { randomBytes } from 'node:crypto';
import { sendAuthenticated } from './authenticated.ts';
import type { CallMedia } from './call_media.ts';
import type { CallRecord, Ending } from './call_record.ts';
import { monotonicMs } from './clock.ts';
import { Condition } from './condition.ts';
import { dialogRequest } from './dialog.ts';
import type { Dialog } from './dialog.ts';
import type { Wanted } from './hearing.ts';
import { reasonOf, tagOf } from './header_value.ts';
import { cseqOf, headerList } from './message.ts';
import type { Header, SipRequest, SipResponse } from './message.ts';
import type { Direction } from './sdp.ts';
import type { HeardPacket } from './rtp.ts';
import type { Sound } from './tone.ts';
import type { ServerTransaction } from './transaction.ts';
import type { UserAgent } from './user_agent.ts';

/** How a call behaves when the other side does something. Scripts of a carrier change it. */
export interface Manners {
  /** `keep_open` answers the BYE with 200, but goes on talking. */
  on_bye: 'hang_up' | 'ignore' | 'keep_open';
  on_cancel: 'obey' | 'answer_but_go_on';
  on_reinvite: 'answer' | 'ignore' | { status: number };
  /** False: the 200 is never acknowledged. For callers. */
  send_ack: boolean;
}

const WITHIN_MS = 10_000;

export function newTag(): string {
  return randomBytes(6).toString('hex');
}

/** What both directions of a call share: its dialog, media, record, and the conditions tests wait for. */
export abstract class Call {
  readonly manners: Manners = { on_bye: 'hang_up', on_cancel: 'obey', on_reinvite: 'answer', send_ack: true };
  readonly tag = newTag();
  /** Under which the user agent finds this call. */
  readonly keys: string[] = [];
  abstract readonly record: CallRecord;
  protected readonly agent: UserAgent;
  protected media: CallMedia | undefined;
  protected dialog: Dialog | undefined;
  protected readonly conditions = {
    ringing: new Condition<number>('Ringing'),
    early_media: new Condition<number>('Early media'),
    answered: new Condition<number>('The answer'),
    acked: new Condition<number>('The ACK'),
    bye_received: new Condition<number>('A BYE'),
    ended: new Condition<Ending>('The end of the call'),
  };

  private readonly end_callbacks: (() => void)[] = [];
  private gone = false;

  constructor(agent: UserAgent) {
    this.agent = agent;
  }

  /** Resolves with the monotonic time in ms of the first 18x; so do the next three for their event. */
  ringing(within_ms = WITHIN_MS): Promise<number> {
    return this.conditions.ringing.within(within_ms);
  }

  /** A provisional response with an SDP, sent or received. */
  earlyMedia(within_ms = WITHIN_MS): Promise<number> {
    return this.conditions.early_media.within(within_ms);
  }

  answered(within_ms = WITHIN_MS): Promise<number> {
    return this.conditions.answered.within(within_ms);
  }

  acked(within_ms = WITHIN_MS): Promise<number> {
    return this.conditions.acked.within(within_ms);
  }

  /** A BYE from the other side, whether or not this side's manners let it end the call. */
  byeReceived(within_ms = WITHIN_MS): Promise<number> {
    return this.conditions.bye_received.within(within_ms);
  }

  ended(within_ms = WITHIN_MS): Promise<Ending> {
    return this.conditions.ended.within(within_ms);
  }

  /** From the 200 to the first BYE by this party's clock; undefined before the end or without an answer. */
  get talkedMs(): number | undefined {
    return this.record.talked_ms;
  }

  get isLive(): boolean {
    return this.record.ended === undefined && !this.gone;
  }

  hears(wanted: Wanted, within_ms = WITHIN_MS): Promise<void> {
    if (this.media === undefined) throw new Error('There is no media yet: wait for early media or the answer first.');
    return this.media.hearing.hears(wanted, within_ms);
  }

  say(sound: Sound): void {
    this.media?.say(sound);
  }

  /** Keeps all that is heard from now on, in the list that is given back. */
  recordSound(): readonly HeardPacket[] {
    if (this.media === undefined) throw new Error('There is no media yet: wait for early media or the answer first.');
    return this.media.record();
  }

  /** Counts and sounds of the stream so far. */
  get rtp(): CallRecord['rtp'] {
    return this.media?.rtp ?? this.record.rtp;
  }

  /** Calls back at the end of the call, or when the party is closed; at once when that has been. */
  whenEnded(callback: () => void): void {
    if (this.gone) callback();
    else this.end_callbacks.push(callback);
  }

  /** Ends the call the polite way for the state it is in: BYE, CANCEL or a refusal. */
  abstract hangUp(): Promise<void>;

  /** Ends an answered call. Resolves with the status of the BYE, or undefined when nobody answered it. */
  async bye(headers: Header[] = []): Promise<number | undefined> {
    if (!this.isLive) return undefined;
    if (this.record.answered_at_ms === undefined)
      throw new Error('bye() needs an answered call: use cancel() or reject().');
    const sent = this.requestInDialog('BYE', { headers });
    this.finish({ by: 'local', status: undefined, reason: undefined });
    return (await sent)?.status;
  }

  /** Offers the session anew. Resolves with the final status, undefined when nobody answered. */
  async reinvite(
    options: { direction?: Direction; headers?: Header[]; sdp?: string } = {},
  ): Promise<number | undefined> {
    const body = options.sdp ?? this.openMedia().offer(options.direction ?? 'sendrecv');
    const headers = [{ name: 'content-type', value: 'application/sdp' }, ...(options.headers ?? [])];
    const response = await this.requestInDialog('INVITE', { headers, body });
    if (response === undefined || this.dialog === undefined) return undefined;
    if (response.status < 300) {
      const ack = dialogRequest(this.dialog, 'ACK', { ack_cseq: cseqOf(response).number });
      this.agent.layer.sendAck(ack.request, ack.target);
      if (this.isLive) this.media?.connect(response.body);
    }
    return response.status;
  }

  hold(): Promise<number | undefined> {
    return this.reinvite({ direction: 'sendonly' });
  }

  resume(): Promise<number | undefined> {
    return this.reinvite({ direction: 'sendrecv' });
  }

  /** Any request within the dialog: INFO, UPDATE, OPTIONS, REFER. Resolves with the final response. */
  requestInDialog(method: string, content: { headers?: Header[]; body?: string }): Promise<SipResponse | undefined> {
    const { dialog } = this;
    if (dialog === undefined) throw new Error(`A ${method} needs a dialog: wait for ringing or the answer first.`);
    const headers = [...(content.headers ?? []), { name: 'contact', value: this.agent.contact }];
    const outgoing = dialogRequest(dialog, method, { ...content, headers });
    return new Promise((resolve) => {
      sendAuthenticated(this.agent.layer, outgoing, {
        credentials: this.agent.options.credentials,
        algorithms: this.agent.options.algorithms,
        nextCSeq: () => (dialog.local_cseq += 1),
        onResponse: (response, _transaction, settled) => {
          if (settled && response.status >= 200) resolve(response);
        },
        onTimeout: () => resolve(undefined),
      });
    });
  }

  /** A request of the other side within this call's dialog. Called by the user agent. */
  receive(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (request.method === 'BYE') this.receiveBye(transaction);
    else if (request.method === 'INVITE' || request.method === 'UPDATE') this.receiveOffer(transaction);
    else if (request.method === 'REFER') transaction.respond(603);
    else if (['INFO', 'OPTIONS', 'MESSAGE', 'NOTIFY'].includes(request.method)) transaction.respond(200);
    else transaction.respond(405);
  }

  /** Called when the party closes: the call is forgotten without a word on the wire. */
  async abandon(): Promise<void> {
    for (const condition of Object.values(this.conditions)) condition.fail('the party was closed');
    this.leave();
    await this.media?.close('the party was closed');
  }

  protected openMedia(): CallMedia {
    if (this.media === undefined) throw new Error('The media of this call is not open.');
    return this.media;
  }

  protected markRinging(): void {
    this.record.ringing_at_ms ??= monotonicMs();
    this.conditions.ringing.meet(this.record.ringing_at_ms);
  }

  protected markEarlyMedia(): void {
    this.record.early_media_at_ms ??= monotonicMs();
    this.conditions.early_media.meet(this.record.early_media_at_ms);
  }

  protected markAnswered(): void {
    this.record.answered_at_ms ??= monotonicMs();
    this.conditions.answered.meet(this.record.answered_at_ms);
  }

  protected markAcked(): void {
    this.record.acked_at_ms ??= monotonicMs();
    this.conditions.acked.meet(this.record.acked_at_ms);
  }

  protected finish(end: Omit<Ending, 'at_ms'>): void {
    if (this.record.ended !== undefined) return;
    const ending: Ending = { ...end, at_ms: monotonicMs() };
    this.record.ended = ending;
    if (this.record.answered_at_ms !== undefined) this.record.talked_ms = ending.at_ms - this.record.answered_at_ms;
    const why = `the call ended (by ${end.by}${end.status === undefined ? '' : `, status ${end.status}`})`;
    this.record.rtp = this.media?.rtp;
    this.agent.track(this.media?.close(why));
    this.conditions.ended.meet(ending);
    for (const condition of Object.values(this.conditions)) condition.fail(why);
    this.leave();
    this.agent.forgetLater(this);
  }

  private leave(): void {
    this.gone = true;
    for (const callback of this.end_callbacks.splice(0)) callback();
  }

  private receiveBye(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (tagOf(request, 'to') !== this.tag) {
      // The other side lets go of a fork that lost; the call itself goes on.
      this.record.forks_released += 1;
      transaction.respond(200);
      return;
    }
    this.record.bye_received_at_ms ??= monotonicMs();
    this.conditions.bye_received.meet(this.record.bye_received_at_ms);
    if (this.manners.on_bye === 'ignore') return;
    transaction.respond(200);
    if (this.manners.on_bye === 'hang_up') this.finish({ by: 'remote', status: undefined, reason: reasonOf(request) });
  }

  private receiveOffer(transaction: ServerTransaction): void {
    const { request } = transaction;
    this.refreshTarget(request);
    if (request.method === 'INVITE') this.record.reinvites_received += 1;
    if (this.manners.on_reinvite === 'ignore') return;
    if (!this.isLive) transaction.respond(481);
    else if (typeof this.manners.on_reinvite === 'object') transaction.respond(this.manners.on_reinvite.status);
    else this.answerOffer(transaction);
  }

  private answerOffer(transaction: ServerTransaction): void {
    const { request } = transaction;
    const empty = request.body === '';
    const media = this.openMedia();
    const body = !empty ? media.answerTo(request.body) : request.method === 'INVITE' ? media.offer('sendrecv') : '';
    if (body === undefined) {
      transaction.respond(488);
      return;
    }
    const headers = [{ name: 'contact', value: this.agent.contact }, ...refresherHeaders(request)];
    if (body !== '') headers.push({ name: 'content-type', value: 'application/sdp' });
    if (request.method !== 'INVITE') transaction.respond(200, { headers, body });
    else {
      const acked = (ack: SipRequest) => (empty ? media.connect(ack.body) : undefined);
      transaction.accept(200, { headers, body }, { acked, neverAcked: () => undefined });
    }
  }

  /** A re-INVITE or UPDATE may move the other side (RFC 3261 12.2.2). */
  private refreshTarget(request: SipRequest): void {
    const contact = headerList(request, 'contact')[0];
    const uri = contact === undefined ? undefined : /<([^>]+)>/.exec(contact)?.[1];
    if (this.dialog !== undefined && uri !== undefined) this.dialog.remote_target = uri;
  }
}

/** A refresher who asks for a session timer gets it confirmed and stays the refresher (RFC 4028 9). */
function refresherHeaders(request: SipRequest): Header[] {
  const expires = request.headers.find((header) => header.name === 'session-expires')?.value;
  if (expires === undefined) return [];
  const seconds = expires.split(';')[0]?.trim() ?? '';
  return [
    { name: 'require', value: 'timer' },
    { name: 'session-expires', value: `${seconds};refresher=uac` },
  ];
}
