import { Binding } from './binding.ts';
import type { Clock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import { isRequestName, commandName, RESPONSE_BIT, RESPONSE_OF } from './command.ts';
import type { Decoded, Malformed } from './decode.ts';
import { Flow } from './flow.ts';
import type { Unframeable } from './framer.ts';
import { Keepalive } from './keepalive.ts';
import type { AnnouncementBody, BindBody, Pdu, ResponseBody, ResponsePdu } from './pdu.ts';
import { ReadingTime } from './reading_time.ts';
import type { AnswerSender } from './response.ts';
import { plainResponse, respondOnce } from './response.ts';
import type { Bound, ServedBody, ServedPdu, SessionCounts, SessionOwner } from './session_owner.ts';
import type { SessionSettings } from './session_settings.ts';
import { admission, maySend, sessionTransition } from './session_state.ts';
import type { Role, SessionEffect, SessionEvent, SessionState } from './session_state.ts';
import { STATUS } from './status.ts';
import { NO_TLVS } from './tlv.ts';
import { Window } from './window.ts';
import type { Requester } from './window.ts';
import type { Wire, WireListener } from './wire.ts';

export interface SessionParts {
  role: Role;
  settings: SessionSettings;
  clock: Clock;
  owner: SessionOwner;
  /** Opens the connection that the session speaks over. */
  openWire: (listener: WireListener) => Wire;
}

/** The peer has sent nothing but a bind yet, which is short. */
const UNBOUND_PDU_OCTETS_MAX = 1_024;

/**
 * One SMPP session over one connection: its state, its window of requests, its timers. The states are those of
 * `SessionState`. Every request that was taken ends in exactly one outcome; nothing the peer sends makes it throw or go deaf.
 */
export class Session {
  readonly counts: SessionCounts = { malformed: 0, unexpected_responses: 0, late_responses: 0, out_of_state: 0 };
  #role: Role;
  #settings: SessionSettings;
  readonly #clock: Clock;
  readonly #owner: SessionOwner;
  readonly #wire: Wire;
  readonly #window: Window;
  readonly #reading: ReadingTime;
  readonly #keepalive: Keepalive;
  readonly #flow: Flow;
  readonly #binding: Binding;
  /** The session's own requests: bind, enquire_link, unbind. */
  readonly #own = new Map<number, (pdu: ResponsePdu) => void>();
  readonly #sender: AnswerSender = (body, command_status, sequence_number) =>
    this.#sendAnswer(body, command_status, sequence_number);
  #state: SessionState = { phase: 'open' };
  #phase_ends_at_ms: number | null;
  #send_was_refused = false;
  #tick_due_at_ms: number;
  #cancelTick: () => void;

  constructor({ role, settings, clock, owner, openWire }: SessionParts) {
    this.#role = role;
    this.#settings = settings;
    this.#clock = clock;
    this.#owner = owner;
    this.#window = new Window(settings.late_responses_max);
    this.#reading = new ReadingTime();
    this.#keepalive = new Keepalive(settings, clock.now_ms());
    this.#phase_ends_at_ms = clock.now_ms() + settings.bind_timeout_ms;
    this.#wire = openWire({
      onDecoded: (next) => this.#take(next),
      onWritten: () => this.#written(),
      onWireClosed: (reason) => this.#closed(reason),
    });
    this.#flow = new Flow(settings, clock, this.#reading, this.#wire);
    this.#binding = new Binding({
      role: () => this.#role,
      owner,
      interface_version: settings.interface_version,
      isOpen: () => this.#state.phase === 'open',
      answer: (body, command_status, sequence_number) => this.#write(body, command_status, sequence_number),
      bound: (bound) => this.#bound(bound),
      end: (reason) => this.#end(reason),
    });
    this.#wire.limitPdus(Math.min(UNBOUND_PDU_OCTETS_MAX, settings.pdu_octets_max));
    this.#tick_due_at_ms = clock.now_ms() + settings.tick_ms;
    this.#cancelTick = clock.after(settings.tick_ms, () => this.#tick());
  }

  get state(): SessionState {
    return this.#state;
  }

  /** The peer's address and port, for logs. */
  get peer(): string {
    return this.#wire.peer;
  }

  /** How many requests may be sent before one must be answered. */
  get window_free(): number {
    return Math.max(0, this.#settings.window_requests - this.#window.in_flight);
  }

  get in_flight(): number {
    return this.#window.in_flight;
  }

  /** Requests of the peer that our side has not answered. */
  get owed(): number {
    return this.#flow.owed;
  }

  /** Whether `request` takes one now. Once this was found false, `onCanSend` tells when it is true again. */
  get can_send(): boolean {
    const can =
      this.#state.phase === 'bound' &&
      this.#window.in_flight < this.#settings.window_requests &&
      !this.#flow.is_backlogged;
    if (!can) this.#send_was_refused = true;
    return can;
  }

  /**
   * Sends a request, whose outcome the requester hears. It leaves at the end of this turn of the event loop.
   * @returns false, with nothing done and no outcome to come, while `can_send` is false.
   * @throws EncodeError when a field does not fit, Error when the bind does not allow the command.
   */
  request(body: ServedBody, requester: Requester): boolean {
    if (!this.can_send || this.#state.phase !== 'bound') return false;
    if (!maySend(this.#role, body.command, this.#state.mode)) {
      throw new Error(`An ${this.#role.toUpperCase()} bound as ${this.#state.mode} may not send ${body.command}.`);
    }
    const sequence_number = this.#nextSequenceNumber();
    const batch = this.#wire.write(body, STATUS.ESME_ROK, sequence_number);
    const sent_at_ms = this.#reading.at(this.#clock.now_ms());
    this.#window.add(sequence_number, { response: RESPONSE_OF[body.command], requester, sent_at_ms, batch });
    return true;
  }

  /** As the ESME, of whoever came to us too: asks to be bound; `onBound` or `onClosed` follows. With these limits from now on. */
  bind(body: BindBody, settings: SessionSettings = this.#settings): void {
    this.#role = 'esme';
    this.#settings = settings;
    const sequence_number = this.#nextSequenceNumber();
    this.#wire.write(body, STATUS.ESME_ROK, sequence_number);
    this.#own.set(sequence_number, (pdu) => this.#binding.answered(body, pdu));
  }

  /** SMSC: an outbind before the bind, or an alert_notification to a receiver. Nobody answers it. */
  announce(body: AnnouncementBody): void {
    this.#wire.write(body, STATUS.ESME_ROK, this.#nextSequenceNumber());
  }

  /** Ends in good order: no new requests, the window empties, unbind. `onClosed` follows within the limits of the settings. */
  stop(): void {
    this.#step({ type: 'stop' });
  }

  /** Ends at once. Requests in flight are in doubt. */
  abort(reason: CloseReason = { kind: 'closed_by_us' }): void {
    this.#wire.destroy(reason);
  }

  #nextSequenceNumber(): number {
    return this.#window.nextSequenceNumber((sequence_number) => this.#own.has(sequence_number));
  }

  #take(next: Decoded | Unframeable): void {
    this.#keepalive.heard(this.#clock.now_ms(), this.#reading);
    if (next.kind === 'unframeable') return this.#refuseUnframeable(next);
    if (next.kind === 'malformed') return this.#takeMalformed(next);
    const { pdu } = next;
    switch (pdu.command) {
      case 'enquire_link':
        return this.#answer(pdu.command, pdu.sequence_number, STATUS.ESME_ROK);
      case 'unbind':
        return this.#takeUnbind(pdu);
      case 'bind_transmitter':
      case 'bind_receiver':
      case 'bind_transceiver':
        return this.#binding.asked(pdu);
      case 'outbind':
        if (this.#state.phase !== 'open' || this.#own.size > 0 || this.#binding.is_pending)
          this.counts.out_of_state += 1;
        else this.#owner.onOutbind?.(pdu);
        return;
      case 'alert_notification':
        if (this.#admits(pdu)) this.#owner.onAlert?.(pdu);
        return;
      case 'submit_sm':
      case 'deliver_sm':
      case 'data_sm':
      case 'submit_multi':
      case 'query_sm':
      case 'cancel_sm':
      case 'replace_sm':
        return this.#serve(pdu);
      default:
        return this.#takeResponse(pdu);
    }
  }

  #refuseUnframeable({ why }: Unframeable): void {
    this.counts.malformed += 1;
    this.#write({ command: 'generic_nack', tlvs: NO_TLVS }, STATUS.ESME_RINVCMDLEN, 0);
    this.#end({ kind: 'unframeable', why });
  }

  /** A response is never answered: a generic_nack could meet a request of the peer with the same number. */
  #takeMalformed({ command_id, sequence_number, status }: Malformed): void {
    this.counts.malformed += 1;
    const command = commandName(command_id);
    if (command_id >= RESPONSE_BIT) {
      const requester = command === null ? null : this.#window.take(sequence_number, command as ResponsePdu['command']);
      requester?.onOutcome({ kind: 'unanswered', why: 'malformed', written: true });
      if (requester !== null) this.#settled();
    } else if (command === null) {
      this.#write({ command: 'generic_nack', tlvs: NO_TLVS }, status, sequence_number);
    } else if (isRequestName(command)) {
      this.#answer(command, sequence_number, status);
    }
  }

  #answer(request: Parameters<typeof plainResponse>[0], sequence_number: number, command_status: number): void {
    this.#write(plainResponse(request, command_status), command_status, sequence_number);
  }

  #write(body: ResponseBody, command_status: number, sequence_number: number): void {
    this.#wire.write(body, command_status, sequence_number);
    this.#flow.wrote();
  }

  /** Whether the state allows it; a request that it does not allow is refused here. */
  #admits(pdu: Pdu): boolean {
    const status = admission(this.#role, pdu.command, this.#state);
    if (status === STATUS.ESME_ROK) return true;
    this.counts.out_of_state += 1;
    if (isRequestName(pdu.command)) this.#answer(pdu.command, pdu.sequence_number, status);
    return false;
  }

  #takeUnbind(pdu: Pdu): void {
    if (this.#admits(pdu)) this.#step({ type: 'unbind_received', sequence_number: pdu.sequence_number });
  }

  #serve(pdu: ServedPdu): void {
    if (!this.#admits(pdu)) return;
    this.#flow.owe();
    this.#owner.onRequest(pdu, respondOnce(pdu, this.#sender));
  }

  #sendAnswer(body: ResponseBody, command_status: number, sequence_number: number): boolean {
    const is_gone = this.#isOver();
    if (!is_gone) this.#wire.write(body, command_status, sequence_number);
    this.#flow.pay();
    if (this.#state.phase !== 'bound') this.#step({ type: 'answered' });
    return !is_gone;
  }

  #isOver(): boolean {
    return this.#state.phase === 'unbound' || this.#state.phase === 'closed';
  }

  #takeResponse(pdu: ResponsePdu): void {
    const requester = this.#window.take(pdu.sequence_number, pdu.command);
    if (requester !== null) {
      requester.onOutcome({ kind: 'response', pdu });
      return this.#settled();
    }
    const own = this.#own.get(pdu.sequence_number);
    if (own !== undefined) {
      this.#own.delete(pdu.sequence_number);
      return own(pdu);
    }
    const late = this.#window.takeLate(pdu.sequence_number);
    if (late === null) {
      this.counts.unexpected_responses += 1;
    } else {
      this.counts.late_responses += 1;
      late.onLateResponse?.(pdu);
    }
  }

  /** A place in the window came free. */
  #settled(): void {
    if (this.#state.phase !== 'bound') this.#step({ type: 'answered' });
    else this.#invite();
  }

  #written(): void {
    this.#flow.ease();
    if (this.#state.phase === 'bound') this.#invite();
  }

  #invite(): void {
    if (!this.#send_was_refused) return;
    this.#send_was_refused = false;
    if (this.can_send) this.#owner.onCanSend?.();
  }

  #bound(bound: Bound): void {
    this.#wire.limitPdus(this.#settings.pdu_octets_max);
    this.#step({ type: 'bound', mode: bound.mode });
    this.#owner.onBound(bound);
  }

  #step(event: SessionEvent): void {
    const before = this.#state.phase;
    const load = { in_flight: this.#window.in_flight, owed: this.#flow.owed };
    const { state, effects } = sessionTransition(this.#state, event, load);
    this.#state = state;
    if (state.phase !== before) this.#phase_ends_at_ms = this.#phaseEnd(state);
    for (const effect of effects) this.#run(effect);
  }

  #phaseEnd(state: SessionState): number | null {
    const now_ms = this.#clock.now_ms();
    switch (state.phase) {
      case 'draining':
      case 'leaving':
        return now_ms + this.#settings.drain_timeout_ms;
      case 'unbinding':
      case 'unbound':
        return now_ms + this.#settings.unbind_timeout_ms;
      case 'open':
      case 'bound':
      case 'closed':
        return null;
    }
  }

  #run(effect: SessionEffect): void {
    switch (effect.type) {
      case 'send_unbind': {
        const sequence_number = this.#nextSequenceNumber();
        this.#wire.write({ command: 'unbind', tlvs: NO_TLVS }, STATUS.ESME_ROK, sequence_number);
        this.#own.set(sequence_number, () => this.#step({ type: 'unbind_answered' }));
        return;
      }
      case 'answer_unbind':
        return this.#answer('unbind', effect.sequence_number, STATUS.ESME_ROK);
      case 'end':
        return this.#wire.end(effect.reason);
    }
  }

  /** For what goes wrong: what is written goes out still, and then the connection ends. */
  #end(reason: CloseReason): void {
    if (this.#isOver()) return;
    this.#state = { phase: 'unbound', reason };
    this.#phase_ends_at_ms = this.#phaseEnd(this.#state);
    this.#wire.end(reason);
  }

  #tick(): void {
    const now_ms = this.#clock.now_ms();
    // What came while nobody looked is read after this; a peer is not to be blamed for it.
    const late_ms = now_ms - this.#tick_due_at_ms;
    if (late_ms > this.#settings.tick_ms) this.#reading.skip(late_ms);
    this.#tick_due_at_ms = now_ms + this.#settings.tick_ms;
    this.#cancelTick = this.#clock.after(this.#settings.tick_ms, () => this.#tick());
    if (this.#phase_ends_at_ms !== null && now_ms >= this.#phase_ends_at_ms) this.#phaseIsOver();
    const { stuck_since_ms } = this.#wire;
    if (stuck_since_ms !== null && now_ms - stuck_since_ms >= this.#settings.unread_timeout_ms) {
      this.#wire.destroy({ kind: 'peer_not_reading' });
    }
    if (this.#isOver()) return;
    const in_flight = this.#window.in_flight;
    this.#window.expire(this.#reading.at(now_ms) - this.#settings.request_timeout_ms);
    if (this.#window.in_flight < in_flight) this.#settled();
    this.#keepAlive(now_ms);
  }

  #phaseIsOver(): void {
    this.#phase_ends_at_ms = null;
    if (this.#state.phase === 'open') this.#end({ kind: 'bind_timeout' });
    else if (this.#state.phase === 'unbound') this.#wire.destroy(this.#state.reason);
    else this.#step({ type: 'time_over' });
  }

  #keepAlive(now_ms: number): void {
    const due = this.#keepalive.due(now_ms, this.#reading, this.#state.phase === 'bound');
    if (due === 'enquire_link') {
      const sequence_number = this.#nextSequenceNumber();
      this.#wire.write({ command: 'enquire_link', tlvs: NO_TLVS }, STATUS.ESME_ROK, sequence_number);
      this.#own.set(sequence_number, () => this.#keepalive.answered());
    } else if (due !== null) {
      this.#wire.destroy(due);
    }
  }

  #closed(reason: CloseReason): void {
    this.#cancelTick();
    this.#step({ type: 'closed', reason });
    this.#own.clear();
    this.#window.closeAll((batch) => this.#wire.wasHanded(batch));
    this.#owner.onClosed(reason);
  }
}
