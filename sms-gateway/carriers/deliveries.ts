import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ArrivalIntake } from '../arrivals/arrival_intake.ts';
import type { ArrivalIntakeOptions } from '../arrivals/arrival_intake.ts';
import { readArrival } from '../arrivals/read_arrival.ts';
import type { Delivery } from '../arrivals/read_arrival.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { untilQuiet } from '../../domain/db/until_quiet.ts';
import type { ReceiptState } from '../../domain/texts/message.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';
import { receiveReceipts } from '../../domain/texts/receipts.ts';
import type { Turn } from '../lanes/turn.ts';
import { readReceipt } from '../receipts/read_receipt.ts';
import { ReceiptIntake } from '../receipts/receipt_intake.ts';
import type { IntakeVerdict } from '../receipts/receipt_intake.ts';
import { UnreadableIntake } from '../receipts/unreadable_intake.ts';
import type { Clock } from '../smpp/clock.ts';
import { encode } from '../smpp/encode.ts';
import type { Respond, ServedPdu } from '../smpp/session_owner.ts';
import { STATUS } from '../smpp/status.ts';
import type { BindRow } from './bind_row.ts';
import type { CarrierBind } from './carrier_bind.ts';

export interface DeliveriesOptions extends Pick<
  ArrivalIntakeOptions,
  'newId' | 'now' | 'onArrived' | 'parts_wait_ms' | 'log'
> {
  db: Queryable;
  /** Resolves when the answers that carriers gave so far are stored: most receipts then find their part at once. */
  outcomesWritten: () => Promise<void>;
  /** Receipts take turns with what carriers answer. */
  turn: Turn;
  lease: () => GatewayLease;
  clock: Clock;
  random: () => number;
  onReceipt: (carrier_id: number, state: ReceiptState, verdict: IntakeVerdict) => void;
  /** How many receipts that cannot be read are kept. */
  unreadable_max: number;
  onUnreadable: (carrier_id: number, is_kept: boolean) => void;
  onSuperseded: () => void;
  binds: () => readonly CarrierBind[];
}

const RETRY = { first_ms: 100, most_ms: 2_000 };
const BATCH_MAX = 500;
/**
 * A carrier whose window is small sends nothing more before its receipts are acknowledged, so it is quiet soon; from others they come
 * all the time.
 */
const GATHER = { alone_ms: 2, quiet_ms: 6, linger_ms: 30 };

/** What carriers bring: receipts and texts. Each is acknowledged once it is stored. */
export class Deliveries {
  readonly #receipts: ReceiptIntake;
  readonly #arrivals: ArrivalIntake;
  readonly #unreadable: UnreadableIntake;
  readonly #options: DeliveriesOptions;
  readonly #log: Logger;

  constructor(options: DeliveriesOptions) {
    this.#options = options;
    this.#log = options.log;
    const { db, turn, lease, now, clock, random, log } = options;
    this.#receipts = new ReceiptIntake({
      write: async (receipts) => {
        await options.outcomesWritten();
        return turn.take(() => receiveReceipts(db, lease(), new Date(now()), receipts));
      },
      clock,
      random,
      retry: RETRY,
      batch_size_max: BATCH_MAX,
      gather: (count) => untilQuiet(count, { ...GATHER, enough: BATCH_MAX }, (ms) => wait(ms)),
      onOutage: (error, retry_ms) =>
        log.warn({ err: error, retry_ms }, 'receipts wait for the database, unacknowledged'),
      onUnstorable: ({ carrier_message_ids }, error) =>
        log.error({ err: error, carrier_message_ids }, 'a receipt cannot be stored, and never will be'),
      onVerdicts: (verdicts) => {
        if (verdicts.includes('fenced')) options.onSuperseded();
      },
    });
    this.#unreadable = new UnreadableIntake({ db, lease, now, kept_max: options.unreadable_max, log });
    this.#arrivals = new ArrivalIntake({
      ...options,
      alphabetOf: (carrier_id) =>
        options.binds().find(({ row }) => row.carrier_id === carrier_id)?.row.default_alphabet ?? 'gsm7',
    });
  }

  /** How many receipts are not stored yet. */
  get waiting(): number {
    return this.#receipts.length;
  }

  take(bind: CarrierBind, pdu: ServedPdu, respond: Respond): void {
    if (!isDelivery(pdu)) {
      respond(STATUS.ESME_RINVCMDID);
      return;
    }
    const { row } = bind;
    const receipt = readReceipt(pdu, {
      receipt_id_form: row.receipt_id_form,
      default_alphabet: row.default_alphabet,
      utc_offset_minutes: row.receipt_utc_offset_minutes,
      unflagged: row.unflagged_receipts ? 'receipt' : 'text',
    });
    switch (receipt.kind) {
      case 'receipt':
        return this.#takeReceipt(bind, receipt, pdu, respond);
      case 'unreadable':
        return this.#keepUnreadable(bind, pdu, receipt.why, respond);
      case 'no_receipt':
        return this.#takeText(bind, pdu, respond);
    }
  }

  async sweep(): Promise<void> {
    await this.#arrivals.sweep();
  }

  async stop(): Promise<void> {
    this.#arrivals.stop();
    this.#unreadable.stop();
    await this.#receipts.stop();
  }

  #takeReceipt(
    bind: CarrierBind,
    receipt: Extract<ReturnType<typeof readReceipt>, { kind: 'receipt' }>,
    pdu: ServedPdu & Delivery,
    respond: Respond,
  ): void {
    const { row } = bind;
    const { ids, state, error, done_at_ms, contradiction } = receipt;
    if (contradiction !== null) this.#log.warn({ bind: row.id, contradiction }, 'a receipt contradicts itself');
    const done_at = done_at_ms === null ? null : new Date(done_at_ms);
    this.#receipts.push({ carrier_id: row.carrier_id, carrier_message_ids: ids, state, error, done_at }, (verdict) => {
      this.#options.onReceipt(row.carrier_id, state, verdict);
      if (verdict === 'unstorable') return this.#keepUnreadable(bind, pdu, UNSTORABLE, respond);
      respond(verdict === 'fenced' ? STATUS.ESME_RX_T_APPN : STATUS.ESME_ROK);
    });
  }

  /** To refuse it would only bring it again. So it is acknowledged, and kept for whoever finds out what it means. */
  #keepUnreadable({ row }: CarrierBind, pdu: ServedPdu & Delivery, why: string, respond: Respond): void {
    this.#log.warn({ bind: row.id, why }, 'a receipt cannot be read, and is kept as it came');
    this.#keep(row, pdu, why)
      .catch((error: unknown) => {
        this.#log.error({ err: error, bind: row.id, why }, 'a receipt that cannot be read could not be kept');
        return false;
      })
      .then((is_kept) => {
        this.#options.onUnreadable(row.carrier_id, is_kept);
        respond(is_kept ? STATUS.ESME_ROK : STATUS.ESME_RX_T_APPN);
      })
      .catch((error: unknown) => this.#log.error({ err: error, bind: row.id }, 'a receipt could not be answered'));
  }

  async #keep({ carrier_id, id: bind_id }: BindRow, pdu: ServedPdu & Delivery, why: string): Promise<boolean> {
    return this.#unreadable.keep({ carrier_id, bind_id, why, pdu: encode(pdu) });
  }

  #takeText({ row }: CarrierBind, pdu: Delivery, respond: Respond): void {
    this.#arrivals.take(row.carrier_id, readArrival(pdu, row.home_country)).then(
      (stored) => respond(stored ? STATUS.ESME_ROK : STATUS.ESME_RX_T_APPN),
      (error: unknown) => {
        this.#log.error({ err: error, bind: row.id }, 'an incoming text could not be stored');
        respond(STATUS.ESME_RX_T_APPN);
      },
    );
  }
}

const UNSTORABLE = 'The database does not take what it says.';

function isDelivery(pdu: ServedPdu): pdu is Extract<ServedPdu, Delivery> & ServedPdu & Delivery {
  return pdu.command === 'deliver_sm' || pdu.command === 'data_sm';
}
