import type { Logger } from 'pino';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { Acceptance, Screening } from '../accept/acceptor.ts';
import type { JudgedText, JudgeOptions } from '../accept/judge_text.ts';
import type { TextPayer } from '../accept/payer.ts';
import type { TextRequest } from '../accept/text_request.ts';
import type { OutbindVerdict } from '../carriers/expected_outbind.ts';
import type { Clock } from '../smpp/clock.ts';
import { describeClose } from '../smpp/close_reason.ts';
import type { CloseReason } from '../smpp/close_reason.ts';
import type { ReceptionSettings } from '../smpp/reception.ts';
import { Server } from '../smpp/server.ts';
import type { OutbindRequest } from '../smpp/server.ts';
import type { Session } from '../smpp/session.ts';
import type { Bound, Respond, ServedPdu, SessionOwner } from '../smpp/session_owner.ts';
import { STATUS } from '../smpp/status.ts';
import { refuse, understandsTlvs } from './answer.ts';
import type { Bind } from './bind/bind.ts';
import { Binder } from './bind/binder.ts';
import type { BinderOptions } from './bind/binder.ts';
import { Esmes } from './bind/esmes.ts';
import type { Certificate } from './certificate.ts';
import type { DeliveryEvent } from './deliver/delivery_event.ts';
import { DeliverySender } from './deliver/delivery_sender.ts';
import type { Receiver } from './deliver/receiver.ts';
import { Operator } from './operate/operator.ts';
import { MultiSubmitter } from './submit/multi_submitter.ts';
import { isSubmission, Submitter, TOO_FAST } from './submit/submitter.ts';

export interface CustomerSmscOptions {
  /** `session.window_requests` is the most that a bind may have: each bind's own window is in its row. */
  server: ReceptionSettings;
  /** Where customers connect in the clear, and over TLS where there is a certificate; 0 takes any free port. */
  doors: { host: string; port: number; tls: { port: number; certificate: Certificate } | null };
  /** How often is looked whether the certificate was renewed. */
  certificate_look_ms: number;
  /** What we call ourselves in the response to a bind. */
  system_id: string;
  db: Queryable;
  clock: Clock;
  random: () => number;
  /** `Acceptor.accept`. */
  accept: (request: TextRequest, payer: TextPayer) => Promise<Acceptance>;
  /** As the acceptor has them: what replaces a text is judged as a new one is. `judge.now` is the time of day. */
  judge: JudgeOptions;
  screen: (text: JudgedText, payer: TextPayer) => Screening;
  giveBack: (message_id: string) => Promise<void>;
  guesses: BinderOptions['guesses'];
  /** A carrier came by our doors, to be bound to. */
  onOutbind: (request: OutbindRequest) => OutbindVerdict;
  /** How often limits and payers of those who are bound are read anew, beside `changed`. */
  refresh_ms: number;
  /** Of deliveries to binds: how long one is ours, and how often is looked for those that are to be tried again. */
  delivery_lease_ms: number;
  delivery_poll_ms: number;
  /** For counters. */
  onDelivery: (event: DeliveryEvent) => void;
  log: Logger;
}

export interface SmscPorts {
  smpp: number;
  /** Null where there is none. */
  smpp_tls: number | null;
}

interface BoundSession {
  bind: Bind;
  /** Null for a transmitter. */
  receiver: Receiver | null;
}

const WINDOW_FULL = 'too_fast: More requests wait for their answers than the contract allows: wait for some.';

/** The SMSC that customers bind to: takes their texts, and tells them of receipts and of texts that came. */
export class CustomerSmsc {
  readonly #options: CustomerSmscOptions;
  readonly #server: Server;
  readonly #esmes: Esmes;
  readonly #sender: DeliverySender;
  readonly #submitter: Submitter;
  readonly #multi_submitter: MultiSubmitter;
  readonly #operator: Operator;
  readonly #bound = new Map<Session, BoundSession>();
  #takeBackRefresh: () => void = () => undefined;
  #takeBackRenewal: () => void = () => undefined;
  #is_closed = false;

  constructor(options: CustomerSmscOptions) {
    const { db, clock, log, judge, random } = options;
    this.#options = options;
    const now_ms = (): number => clock.now_ms();
    this.#esmes = new Esmes({ db, now_ms, log });
    this.#submitter = new Submitter({ ...options, now: judge.now });
    this.#multi_submitter = new MultiSubmitter({ ...options, now: judge.now, now_ms });
    this.#operator = new Operator(options);
    this.#sender = new DeliverySender({
      ...{ db, clock, random, now: () => new Date(judge.now()) },
      lease_ms: options.delivery_lease_ms,
      poll_ms: options.delivery_poll_ms,
      onEvent: (event) => this.#delivered(event),
    });
    const binder = new Binder({ ...options, esmes: this.#esmes });
    this.#server = new Server(
      options.server,
      {
        onBind: (request) => binder.decide(request),
        onOutbind: (request) => this.#takeOutbind(request),
        onBound: (session, bound, is_secure) => this.#addBind(session, bound, is_secure),
        onRequest: (session, pdu, respond) => this.#serve(session, pdu, respond),
        onCanSend: (session) => this.#bound.get(session)?.receiver?.pump(),
        onClosed: (session, reason) => this.#removeBind(session, reason),
        onFault: (error) => log.error({ err: error }, 'the SMSC for customers failed'),
      },
      clock,
    );
  }

  /** Connections of customers, bound or not. */
  get sessions(): number {
    return this.#server.sessions.size;
  }

  /** Resolves with the ports. @throws Error where one cannot be taken, or TLS could not begin with the certificate. */
  async listen(): Promise<SmscPorts> {
    const { host, port, tls } = this.#options.doors;
    const in_the_clear = { host, port, tls: null };
    const doors =
      tls === null ? [in_the_clear] : [in_the_clear, { host, port: tls.port, tls: await tls.certificate.read() }];
    const [smpp = port, smpp_tls = null] = await this.#server.listen(doors);
    this.#sender.start();
    this.#refreshLater();
    if (tls !== null) this.#renewLater(tls.certificate);
    return { smpp, smpp_tls };
  }

  /** Takes no more connections, answers what came, unbinds all, and writes what they were told. */
  async close(): Promise<void> {
    this.#is_closed = true;
    this.#takeBackRefresh();
    this.#takeBackRenewal();
    await this.#sender.pause();
    await this.#server.close();
    await this.#sender.stop();
  }

  /** Something is due to be told: a notification of `customer_delivery`. */
  wake(): void {
    this.#sender.wake();
  }

  /** Something about customers was changed: a notification of `gateway`. */
  changed(): void {
    void this.#esmes.refresh();
  }

  #refreshLater(): void {
    const { clock, refresh_ms } = this.#options;
    this.#takeBackRefresh = clock.after(refresh_ms, () => {
      this.changed();
      this.#refreshLater();
    });
  }

  #renewLater(certificate: Certificate): void {
    const { clock, certificate_look_ms } = this.#options;
    this.#takeBackRenewal = clock.after(certificate_look_ms, () => {
      // One look after the other: two at once would both find it renewed.
      void this.#renew(certificate).then(() => {
        if (!this.#is_closed) this.#renewLater(certificate);
      });
    });
  }

  /** One that is being written at this moment is read again at the next look. */
  async #renew(certificate: Certificate): Promise<void> {
    const { log } = this.#options;
    try {
      const tls = await certificate.renewed();
      if (tls === null) return;
      this.#server.renew(tls);
      log.info('customers who bind over TLS see the renewed certificate from now on');
    } catch (error) {
      log.warn({ err: error }, 'the certificate was changed and cannot be used; the one before stays');
    }
  }

  /** One that nobody expects guesses at a name and a password, as a bind may. */
  #takeOutbind(request: OutbindRequest): SessionOwner | null {
    const { guesses, onOutbind, log } = this.#options;
    const { address, pdu } = request;
    if (guesses.tooMany(address)) return null;
    const verdict = onOutbind(request);
    if (verdict.kind === 'taken') return verdict.owner;
    if (verdict.kind === 'unexpected') guesses.wrong(address);
    const why =
      verdict.kind === 'busy'
        ? 'its bind has a connection already'
        : 'no bind waits for one of that name and password, from that address, in the clear or over TLS as it came';
    log.warn({ system_id: pdu.system_id, address, why }, 'an outbind was turned away');
    return null;
  }

  #addBind(session: Session, { mode, peer_system_id, peer_interface_version }: Bound, is_secure: boolean): void {
    const esme = this.#esmes.get(peer_system_id);
    if (esme === undefined) throw new Error(`A bind of ${peer_system_id} was accepted and is not known.`);
    const interface_version = peer_interface_version ?? 0;
    esme.add(session, is_secure);
    const receiver =
      mode === 'tx'
        ? null
        : this.#sender.add({
            session,
            system_id: peer_system_id,
            window_max: () => esme.row.window_max,
            with_tlvs: understandsTlvs(interface_version),
          });
    this.#bound.set(session, { bind: { esme, interface_version }, receiver });
    this.#options.log.info({ system_id: peer_system_id, peer: session.peer, mode, is_secure }, 'a customer is bound');
  }

  #removeBind(session: Session, reason: CloseReason): void {
    const known = this.#bound.get(session);
    if (known === undefined) return;
    this.#bound.delete(session);
    const { esme } = known.bind;
    esme.remove(session);
    if (known.receiver !== null) this.#sender.remove(known.receiver);
    const why = describeClose(reason);
    this.#options.log.info(
      { system_id: esme.row.system_id, peer: session.peer, why },
      'a bind of a customer has ended',
    );
  }

  #serve(session: Session, pdu: ServedPdu, respond: Respond): void {
    const known = this.#bound.get(session);
    if (known === undefined) {
      respond(STATUS.ESME_RINVBNDSTS);
      return;
    }
    const { bind } = known;
    const { row, rate } = bind.esme;
    if (session.owed > row.window_max) {
      return refuse(pdu, respond, STATUS.ESME_RTHROTTLED, WINDOW_FULL, bind.interface_version);
    }
    // Questions count like texts: each is one of the database, too.
    if (!rate.take(this.#options.clock.now_ms())) {
      return refuse(pdu, respond, STATUS.ESME_RTHROTTLED, TOO_FAST, bind.interface_version);
    }
    if (isSubmission(pdu)) return this.#submitter.serve(bind, pdu, respond);
    switch (pdu.command) {
      case 'submit_multi':
        return this.#multi_submitter.serve(bind, pdu, respond);
      case 'query_sm':
      case 'cancel_sm':
      case 'replace_sm':
        return this.#operator.serve(bind, pdu, respond);
      default:
        // What only an SMSC sends is refused by the session.
        respond(STATUS.ESME_RINVBNDSTS);
    }
  }

  #delivered(event: DeliveryEvent): void {
    const { log, onDelivery } = this.#options;
    if (event.type === 'dead') log.warn(fields(event), 'a delivery to a bind is given up, and kept as a dead letter');
    else if (event.type === 'failed') log.info(fields(event), 'a delivery to a bind failed, and is attempted again');
    else if (event.type === 'outage') log.warn({ err: event.error }, 'deliveries to binds wait for the database');
    else if (event.type === 'unwritten') log.warn({ err: event.error }, 'a delivery to a bind will be made once more');
    onDelivery(event);
  }
}

/** Numbers of 64 bits are none of JSON. */
function fields({ delivery_id, ...rest }: Extract<DeliveryEvent, { type: 'dead' | 'failed' }>): object {
  return { ...rest, delivery_id: delivery_id.toString() };
}
