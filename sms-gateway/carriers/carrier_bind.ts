import type { Logger } from 'pino';
import { LatencyCounts } from '../observe/latency_counts.ts';
import { canonicalSubmitId } from '../receipts/receipt_id.ts';
import { AwaitedClient } from '../smpp/awaited_client.ts';
import { Client } from '../smpp/client.ts';
import type { BindIdentity, ClientOwner } from '../smpp/client.ts';
import type { Clock } from '../smpp/clock.ts';
import { describeClose } from '../smpp/close_reason.ts';
import type { CloseReason } from '../smpp/close_reason.ts';
import type { ResponsePdu, ShortMessageBody } from '../smpp/pdu.ts';
import type { Session } from '../smpp/session.ts';
import type { Respond, ServedPdu, SessionOwner } from '../smpp/session_owner.ts';
import type { SessionSettings } from '../smpp/session_settings.ts';
import type { ClientTls } from '../smpp/tls_settings.ts';
import { findTlvNumber, TLV } from '../smpp/tlv.ts';
import type { RequestOutcome } from '../smpp/window.ts';
import { Admission } from './admission.ts';
import type { CountryOf } from './admission.ts';
import type { BindRow } from './bind_row.ts';
import { begun, bound, lost } from './bind_standing.ts';
import type { BindStanding } from './bind_standing.ts';
import { Pace } from './pace.ts';
import { resultOfStatus } from './part_result.ts';
import type { PartResult } from './part_result.ts';

/** Whoever hears of a bind. */
export interface BindOwner {
  /** There may be room for more. */
  onRoom(): void;
  onBound(bind: CarrierBind): void;
  onLost(bind: CarrierBind): void;
  /** What the carrier brings: receipts and texts. */
  onDelivery(bind: CarrierBind, pdu: ServedPdu, respond: Respond): void;
}

export interface BindCounters {
  submitted: number;
  accepted: number;
  refused: number;
  throttled: number;
  unanswered: number;
  /** Doubts that a late answer settled. */
  late: number;
}

export interface BindParts {
  row: BindRow;
  session: SessionSettings;
  owner: BindOwner;
  clock: Clock;
  /** The time of day. */
  now: () => number;
  random: () => number;
  countryOf: CountryOf;
  log: Logger;
}

const BACKOFF = { first_ms: 200, most_ms: 30_000 };
const STABLE_MS = 10_000;
const MODES = { transmitter: 'tx', receiver: 'rx', transceiver: 'trx' } as const;

/** One connection to a carrier's SMSC: keeps itself bound, sends parts at its pace, hands on what the carrier brings. */
export class CarrierBind {
  readonly row: BindRow;
  /** What its contract allows. */
  readonly admission: Admission;
  /** From a submit_sm to its answer; those without one are counted as unanswered. */
  readonly latency = new LatencyCounts();
  readonly counters: BindCounters = { submitted: 0, accepted: 0, refused: 0, throttled: 0, unanswered: 0, late: 0 };
  /** It connects to the carrier, or awaits it. */
  readonly #client: Client | AwaitedClient;
  readonly #pace: Pace;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #now: () => number;
  #standing: BindStanding;

  constructor({ row, session, owner, clock, now, random, countryOf, log }: BindParts) {
    this.row = row;
    this.#now = now;
    this.#standing = begun(now());
    this.admission = new Admission(row, countryOf);
    this.#clock = clock;
    this.#log = log.child({ bind: row.id });
    this.#pace = new Pace(row.texts_per_second_max, clock.now_ms());
    this.#client = this.#makeClient(session, owner, random);
  }

  #makeClient(defaults: SessionSettings, owner: BindOwner, random: () => number): Client | AwaitedClient {
    const { row } = this;
    const { host, port, system_id, password, system_type } = row;
    const bind: BindIdentity = { mode: MODES[row.kind], system_id, password, system_type };
    const session = { ...defaults, window_requests: row.window_max, interface_version: row.interface_version };
    const heard: Omit<ClientOwner, 'onLost'> = {
      onBound: () => {
        this.#standing = bound(this.#standing, this.#now());
        this.#log.info('bound');
        owner.onBound(this);
      },
      onRequest: (_session, pdu, respond) => owner.onDelivery(this, pdu, respond),
      onCanSend: () => owner.onRoom(),
    };
    if (row.outbind_system_id !== null) {
      const onLost = (reason: CloseReason, is_over: boolean): void => this.#lost(reason, null, is_over, owner);
      return new AwaitedClient({ bind, session }, { ...heard, onLost });
    }
    return new Client(
      {
        ...{ host, port, tls: row.tls ? tlsOf(row) : null, bind, session },
        ...{ backoff: BACKOFF, stable_ms: STABLE_MS },
      },
      { ...heard, onLost: (reason, retry_in_ms) => this.#lost(reason, retry_in_ms, retry_in_ms === null, owner) },
      this.#clock,
      random,
    );
  }

  get is_bound(): boolean {
    return this.#client.session !== null;
  }

  get sends(): boolean {
    return this.row.kind !== 'receiver';
  }

  get standing(): BindStanding {
    return this.#standing;
  }

  get in_flight(): number {
    return this.#client.session?.in_flight ?? 0;
  }

  get per_second(): number {
    return this.#pace.per_second;
  }

  start(): void {
    this.#client.start();
  }

  /** Whether its carrier is to connect to us, and has not. */
  get awaits_carrier(): boolean {
    return this.#client instanceof AwaitedClient && this.#client.is_awaiting;
  }

  /** Its carrier came: it is bound to on the connection that it made. To be called while `awaits_carrier`. */
  takeOutbind(session: Session): SessionOwner {
    if (!(this.#client instanceof AwaitedClient)) throw new Error(`The carrier of ${this.row.id} does not come to us.`);
    return this.#client.take(session);
  }

  /** Ends in good order. */
  stop(): Promise<void> {
    return this.#client.stop();
  }

  /** How long until it may send; 0 now, null while the peer has to make room first. */
  waitMs(): number | null {
    if (this.#client.session?.can_send !== true) return null;
    return this.#pace.waitMs(this.#clock.now_ms());
  }

  /**
   * Sends a part, of which `done` hears once, later. To be called only where `waitMs` is 0.
   * @param settled hears of a doubt that a late answer settles.
   */
  submit(
    body: ShortMessageBody & { command: 'submit_sm' },
    done: (result: PartResult) => void,
    settled: (result: PartResult) => void,
  ): void {
    const session = this.#client.session;
    if (session === null || !this.#pace.take(this.#clock.now_ms())) return done({ kind: 'unsent' });
    this.counters.submitted += 1;
    const sent_at_ms = this.#clock.now_ms();
    const taken = session.request(body, {
      onOutcome: (outcome) => {
        if (outcome.kind === 'response') this.latency.add(this.#clock.now_ms() - sent_at_ms);
        done(this.#resultOf(outcome));
      },
      onLateResponse: (pdu) => {
        this.counters.late += 1;
        settled(this.#resultOfResponse(pdu));
      },
    });
    if (!taken) done({ kind: 'unsent' });
  }

  #resultOf(outcome: RequestOutcome): PartResult {
    if (outcome.kind === 'response') return this.#resultOfResponse(outcome.pdu);
    if (!outcome.written) return { kind: 'unsent' };
    this.counters.unanswered += 1;
    return { kind: 'unanswered', why: outcome.why };
  }

  #resultOfResponse(pdu: ResponsePdu): PartResult {
    const congestion_state = findTlvNumber(pdu.tlvs, TLV.congestion_state);
    if (congestion_state !== null) this.#pace.congested(congestion_state);
    const message_id = pdu.command === 'submit_sm_resp' ? pdu.message_id : null;
    const id = message_id === null ? null : canonicalSubmitId(message_id, this.row.receipt_id_form);
    const result = resultOfStatus(pdu.command_status, id);
    if (result.kind === 'taken') this.counters.accepted += 1;
    else if (result.kind === 'refused') this.counters.refused += 1;
    else {
      this.counters.throttled += 1;
      this.#pace.throttled();
    }
    return result;
  }

  /** @param is_over whether that was wished. */
  #lost(reason: CloseReason, retry_in_ms: number | null, is_over: boolean, owner: BindOwner): void {
    const was_bound = this.#standing.is_bound;
    this.#standing = lost(this.#standing, is_over ? null : describeClose(reason), retry_in_ms, this.#now());
    if (!is_over) this.#log.warn({ reason, retry_in_ms }, was_bound ? 'lost' : 'not bound');
    owner.onLost(this);
  }
}

/** Verified in any case; by whom, and for which name, where that is not as everywhere. */
function tlsOf({ tls_authorities, tls_name }: BindRow): ClientTls {
  const tls: ClientTls = {};
  if (tls_authorities !== null) tls.ca = tls_authorities;
  if (tls_name !== null) tls.servername = tls_name;
  return tls;
}
