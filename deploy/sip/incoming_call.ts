import { Call, newTag } from './call.ts';
import { newRecord } from './call_record.ts';
import type { CallRecord } from './call_record.ts';
import { monotonicMs } from './clock.ts';
import { Condition } from './condition.ts';
import { dialogOfCallee } from './dialog.ts';
import { reasonOf } from './header_value.ts';
import type { Header, SipRequest } from './message.ts';
import type { ServerTransaction } from './transaction.ts';
import type { UserAgent } from './user_agent.ts';

export interface AnswerOptions {
  headers?: Header[];
  /** An SDP instead of our answer: garbage, or a codec nobody offered. */
  sdp?: string;
  /** Another To tag than the call's own: a fork. */
  to_tag?: string;
}

/** A call to this party. Nothing is sent until the handler says so. */
export class IncomingCall extends Call {
  readonly record: CallRecord;
  readonly invite: SipRequest;
  private readonly transaction: ServerTransaction;
  private readonly cancel_condition = new Condition<number>('A CANCEL');

  constructor(agent: UserAgent, transaction: ServerTransaction) {
    super(agent);
    this.transaction = transaction;
    this.invite = transaction.request;
    this.record = newRecord('incoming', transaction.request, monotonicMs());
    this.dialog = dialogOfCallee(transaction.request, transaction.source, this.tag);
    this.whenEnded(() => this.cancel_condition.fail('the call ended'));
  }

  /** The user part of the Request-URI. */
  get number(): string {
    return this.record.number;
  }

  cancelled(within_ms = 10_000): Promise<number> {
    return this.cancel_condition.within(within_ms);
  }

  trying(): void {
    this.respond(100, {});
  }

  /** A provisional response without media: 180 unless told otherwise. */
  ring(status = 180, options: { to_tag?: string; headers?: Header[] } = {}): void {
    if (!this.isLive) return;
    if (options.to_tag !== undefined) this.agent.addTag(this, options.to_tag);
    this.respond(status, options);
    this.markRinging();
  }

  /** A 183 with media: what this party says is heard before the answer. */
  async progress(status = 183): Promise<void> {
    const body = await this.describe();
    if (body === undefined || !this.isLive) return;
    this.respond(status, { body });
    this.markRinging();
    this.markEarlyMedia();
  }

  /** Answers with 200. False where the offer has no codec of ours: it was refused with 488 then. */
  async answer(options: AnswerOptions = {}): Promise<boolean> {
    const body = options.sdp ?? (await this.describe());
    if (!this.isLive) return false;
    if (body === undefined) {
      this.reject(488);
      return false;
    }
    const headers = [...(options.headers ?? []), ...this.contentHeaders(body)];
    this.record.statuses.push(200);
    this.markAnswered();
    const to_tag = options.to_tag ?? this.tag;
    this.transaction.accept(
      200,
      { headers, body, to_tag },
      {
        acked: (ack) => this.onAck(ack),
        neverAcked: () => this.onNeverAcked(),
      },
    );
    return true;
  }

  /** A second 200 with a tag of its own, as two phones behind a forking proxy would send. */
  async answerAsFork(): Promise<string> {
    const to_tag = newTag();
    this.agent.addTag(this, to_tag);
    const body = (await this.describe()) ?? '';
    const headers = this.contentHeaders(body);
    this.transaction.accept(
      200,
      { headers, body, to_tag },
      { acked: () => undefined, neverAcked: () => (this.record.forks_never_acked += 1) },
    );
    return to_tag;
  }

  /** Refuses the call. `cause` goes into a Reason header as Q.850. */
  reject(status: number, options: { cause?: number; text?: string; headers?: Header[] } = {}): void {
    if (!this.isLive) return;
    if (this.record.answered_at_ms !== undefined) throw new Error('reject() came after the answer: use bye().');
    const { cause, text } = options;
    const reason = cause === undefined ? [] : [{ name: 'reason', value: `Q.850;cause=${cause};text="${text ?? ''}"` }];
    this.respond(status, { headers: [...reason, ...(options.headers ?? [])] });
    this.finish({ by: 'local', status, reason: undefined });
  }

  override async hangUp(): Promise<void> {
    if (this.record.answered_at_ms === undefined) this.reject(480);
    else await this.bye();
  }

  /** The caller's CANCEL, already answered with 200 by the transaction layer. Called by the user agent. */
  onCancel(cancel: SipRequest): void {
    if (this.record.answered_at_ms !== undefined) return;
    this.record.cancelled_at_ms ??= monotonicMs();
    this.cancel_condition.meet(this.record.cancelled_at_ms);
    if (this.manners.on_cancel !== 'obey' || !this.isLive) return;
    this.respond(487, {});
    this.finish({ by: 'remote', status: 487, reason: reasonOf(cancel) });
  }

  private respond(status: number, options: { headers?: Header[]; body?: string; to_tag?: string }): void {
    this.record.statuses.push(status);
    const body = options.body ?? '';
    const own = status > 100 && status < 300 ? this.contentHeaders(body) : [];
    const headers = [...(options.headers ?? []), ...own];
    this.transaction.respond(status, { headers, body, to_tag: options.to_tag ?? this.tag });
  }

  private contentHeaders(body: string): Header[] {
    const contact = { name: 'contact', value: this.agent.contact };
    return body === '' ? [contact] : [contact, { name: 'content-type', value: 'application/sdp' }];
  }

  /** Our SDP: the answer to the offer, or an offer where the INVITE had none. */
  private async describe(): Promise<string | undefined> {
    if (this.media === undefined) {
      const media = await this.agent.openMedia();
      // Two scripts' steps may have waited side by side, or the caller gave up meanwhile.
      if (this.isLive) this.media = media;
      else await media.close('the call ended');
    }
    if (!this.isLive) return undefined;
    const media = this.openMedia();
    return this.invite.body === '' ? media.offer('sendrecv') : media.answerTo(this.invite.body);
  }

  private onAck(ack: SipRequest): void {
    if (this.invite.body === '') this.media?.connect(ack.body);
    this.markAcked();
  }

  /** RFC 3261 13.3.1.4: without an ACK the dialog stands, so it is ended with a BYE. */
  private onNeverAcked(): void {
    if (!this.isLive) return;
    this.agent.track(this.requestInDialog('BYE', {}));
    this.finish({ by: 'nobody', status: undefined, reason: undefined });
  }
}
