import { randomUUID } from 'node:crypto';
import { sendAuthenticated } from './authenticated.ts';
import { Call } from './call.ts';
import { newRecord } from './call_record.ts';
import type { CallRecord } from './call_record.ts';
import { monotonicMs } from './clock.ts';
import { dialogOfCaller, dialogRequest } from './dialog.ts';
import type { Outgoing } from './dialog.ts';
import { reasonOf, tagOf } from './header_value.ts';
import { cseqOf } from './message.ts';
import type { Header, SipRequest, SipResponse } from './message.ts';
import type { Address } from './socket.ts';
import type { ClientTransaction } from './transaction.ts';
import type { UserAgent } from './user_agent.ts';

export interface OutgoingOptions {
  number: string;
  target: Address;
  /** The host of Request-URI, To and From. */
  domain: string;
  from_user: string;
  from_display?: string;
  headers?: Header[];
  /** An SDP to send instead of our offer: garbage, an unknown codec, or '' for none. */
  sdp?: string;
}

/** A call from this party. */
export class OutgoingCall extends Call {
  readonly record: CallRecord;
  private readonly invite: Outgoing;
  private readonly fixed_sdp: string | undefined;
  private transaction: ClientTransaction | undefined;
  private provisional = false;
  private cancel_wanted = false;
  private cancel_sent = false;
  private readonly ack_by_tag = new Map<string, Outgoing>();

  constructor(agent: UserAgent, options: OutgoingOptions) {
    super(agent);
    const request = buildInvite(agent, this.tag, options);
    this.invite = { request, target: options.target };
    this.fixed_sdp = options.sdp;
    this.record = newRecord('outgoing', request, monotonicMs());
  }

  /** Opens the media, then sends the INVITE. */
  async start(): Promise<void> {
    this.media = await this.agent.openMedia();
    if (!this.isLive) {
      await this.media.close('the call was given up before it began');
      return;
    }
    const body = this.fixed_sdp ?? this.media.offer('sendrecv');
    const type: Header[] = body === '' ? [] : [{ name: 'content-type', value: 'application/sdp' }];
    const request: SipRequest = { ...this.invite.request, body, headers: [...this.invite.request.headers, ...type] };
    this.record.invite_at_ms = monotonicMs();
    let cseq = cseqOf(request).number;
    sendAuthenticated(
      this.agent.layer,
      { request, target: this.invite.target },
      {
        credentials: this.agent.options.credentials,
        algorithms: this.agent.options.algorithms,
        nextCSeq: () => (cseq += 1),
        onTransaction: (transaction) => (this.transaction = transaction),
        onResponse: (response, transaction, settled) => this.onResponse(response, transaction, settled),
        onTimeout: () => this.finish({ by: 'nobody', status: 408, reason: undefined }),
      },
    );
  }

  /** Gives the call up before its answer. An answer that crosses the CANCEL is acknowledged and hung up. */
  cancel(headers: Header[] = []): void {
    if (!this.isLive || this.cancel_wanted) return;
    if (this.record.answered_at_ms !== undefined) throw new Error('cancel() came after the answer: use bye().');
    this.cancel_wanted = true;
    this.record.cancelled_at_ms = monotonicMs();
    if (this.transaction === undefined) this.finish({ by: 'local', status: undefined, reason: undefined });
    else this.sendCancel(headers);
  }

  override async hangUp(): Promise<void> {
    if (this.record.answered_at_ms === undefined) this.cancel();
    else await this.bye();
  }

  private sendCancel(headers: Header[] = []): void {
    // Before the first provisional response a CANCEL might overtake its INVITE (RFC 3261 9.1).
    if (this.transaction === undefined || !this.provisional || this.cancel_sent) return;
    this.cancel_sent = true;
    const { request, target } = this.transaction;
    const extended = { request: { ...request, headers: [...request.headers, ...headers] }, target };
    this.agent.layer.cancel(extended, { onResponse: () => undefined, onTimeout: () => undefined });
  }

  private onResponse(response: SipResponse, transaction: ClientTransaction, settled: boolean): void {
    const { status } = response;
    if (this.ack_by_tag.has(tagOf(response, 'to')) && status >= 200 && status < 300) {
      this.acknowledgeAgain(response);
      return;
    }
    this.record.statuses.push(status);
    if (!settled) {
      this.provisional = false;
      return;
    }
    if (status < 200) this.onProvisional(response, transaction);
    else if (status < 300) this.onAnswer(response, transaction);
    else this.finish({ by: this.cancel_wanted ? 'local' : 'remote', status, reason: reasonOf(response) });
  }

  private onProvisional(response: SipResponse, transaction: ClientTransaction): void {
    this.provisional = true;
    if (this.cancel_wanted) this.sendCancel();
    if (response.status === 100 || !this.isLive) return;
    if (tagOf(response, 'to') !== '') this.dialog ??= dialogOfCaller(transaction.request, response, transaction.target);
    this.markRinging();
    if (response.body === '') return;
    this.media?.connect(response.body);
    this.markEarlyMedia();
  }

  private onAnswer(response: SipResponse, transaction: ClientTransaction): void {
    const dialog = dialogOfCaller(transaction.request, response, transaction.target);
    const credentials = transaction.request.headers.filter((header) => header.name.endsWith('authorization'));
    const ack = dialogRequest(dialog, 'ACK', { ack_cseq: cseqOf(transaction.request).number, headers: credentials });
    this.ack_by_tag.set(tagOf(response, 'to'), ack);
    const late = this.record.answered_at_ms !== undefined || !this.isLive;
    if (!late) {
      this.dialog = dialog;
      this.markAnswered();
    }
    if (this.manners.send_ack) {
      this.agent.layer.sendAck(ack.request, ack.target);
      this.markAcked();
    }
    if (late) {
      // A second answer of a fork, or one after the end: acknowledged, then let go.
      const bye = dialogRequest(dialog, 'BYE', {});
      this.record.forks_released += 1;
      this.agent.layer.request(bye.request, bye.target, { onResponse: () => undefined, onTimeout: () => undefined });
      return;
    }
    const usable = this.media?.connect(response.body) === true;
    if (this.cancel_wanted || !usable) this.agent.track(this.bye());
  }

  private acknowledgeAgain(response: SipResponse): void {
    const ack = this.ack_by_tag.get(tagOf(response, 'to'));
    if (ack !== undefined && this.manners.send_ack) this.agent.layer.sendAck(ack.request, ack.target);
  }
}

function buildInvite(agent: UserAgent, tag: string, options: OutgoingOptions): SipRequest {
  const user = encodeUser(options.number);
  const display = options.from_display === undefined ? '' : `"${options.from_display.replace(/["\\]/g, '\\$&')}" `;
  const headers: Header[] = [
    { name: 'max-forwards', value: '70' },
    { name: 'from', value: `${display}<sip:${encodeUser(options.from_user)}@${options.domain}>;tag=${tag}` },
    { name: 'to', value: `<sip:${user}@${options.domain}>` },
    { name: 'call-id', value: `${randomUUID()}@${agent.layer.local.address}` },
    { name: 'cseq', value: '1 INVITE' },
    { name: 'contact', value: agent.contact },
    { name: 'allow', value: 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE' },
    ...(options.headers ?? []),
  ];
  return { kind: 'request', method: 'INVITE', uri: `sip:${user}@${options.domain}`, headers, body: '' };
}

/** Escapes what may not stand in the user part (RFC 3261 25.1): `#` for one. */
export function encodeUser(user: string): string {
  return user.replace(/[^A-Za-z0-9\-_.!~*'()&=+$,;?/]/gu, (letter) => encodeURIComponent(letter));
}
