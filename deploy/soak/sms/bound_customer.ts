import { randomUUID } from 'node:crypto';
import type { AcceptedText } from '../../chaos/sms/writers.ts';
import { Client } from '../../../sms-gateway/smpp/client.ts';
import { systemClock } from '../../../sms-gateway/smpp/clock.ts';
import { ESM_CLASS, REGISTERED_DELIVERY } from '../../../sms-gateway/smpp/field_value.ts';
import type { ShortMessageBody } from '../../../sms-gateway/smpp/pdu.ts';
import type { Session } from '../../../sms-gateway/smpp/session.ts';
import type { ServedPdu } from '../../../sms-gateway/smpp/session_owner.ts';
import { SESSION_DEFAULTS } from '../../../sms-gateway/smpp/session_settings.ts';
import { statusName } from '../../../sms-gateway/smpp/status.ts';
import { findTlvText, NO_TLVS, TLV } from '../../../sms-gateway/smpp/tlv.ts';
import type { RequestOutcome } from '../../../sms-gateway/smpp/window.ts';
import { readMessageId } from '../../../sms-gateway/smsc/operate/message_id.ts';
import { defaultTextSell } from '../../world/text_world.ts';
import type { Texter, TextWorld } from '../../world/text_world.ts';
import { makeEsme } from '../../world/texts.ts';
import type { Recipients } from './recipients.ts';

const ESME = { system_id: 'soak', password: 'secret12' };

/** A customer who is bound, sends texts, and hears of them and of those that come to his number. */
export class BoundCustomer {
  readonly texter: Texter;
  readonly accepted: AcceptedText[] = [];
  readonly refused: string[] = [];
  /** Texts of which he was told by a receipt. */
  readonly told = new Set<string>();
  /** What the texts said that came. */
  readonly heard = new Set<string>();
  /** How often he was bound, the first times included. */
  #bound = 0;
  readonly #recipients: Recipients;
  readonly #clients: readonly Client[];
  #turn = 0;

  private constructor(world: TextWorld, texter: Texter, recipients: Recipients, binds: number) {
    this.texter = texter;
    this.#recipients = recipients;
    this.#clients = Array.from({ length: binds }, () => this.#client(world));
  }

  /** @param binds transceivers of one system_id. */
  static async begin(world: TextWorld, recipients: Recipients, binds: number): Promise<BoundCustomer> {
    // Without tax, as what a text costs is not told over SMPP.
    const texter = await world.texter({ balance_micros: 10n ** 15n, tax_ppm: 0 });
    await world.unlimited(texter.account_id);
    // A connection that was cut counts until the gateway has seen that.
    const more = { binds_max: 4 * binds, texts_per_second_max: 10_000 };
    await makeEsme(world.pool, texter.account_id, { ...ESME, more });
    const customer = new BoundCustomer(world, texter, recipients, binds);
    for (const client of customer.#clients) client.start();
    return customer;
  }

  /** How often he was bound once more. */
  get reconnects(): number {
    return Math.max(0, this.#bound - this.#clients.length);
  }

  /** Over all of his binds. */
  get is_bound(): boolean {
    return this.#clients.every(({ session }) => session !== null);
  }

  /** Texts that have no answer yet. */
  get in_flight(): number {
    return this.#clients.reduce((sum, { session }) => sum + (session?.in_flight ?? 0), 0);
  }

  /** Over the next of the binds that is there; not at all while none is. */
  send(): void {
    const session = this.#nextSession();
    if (session === null) return;
    const tag = `tag-${randomUUID()}`;
    const to = this.#recipients.next();
    session.request(submission(this.texter.number, to, `${tag} Hello.`), {
      onOutcome: (outcome) => this.#answered(tag, to, outcome),
    });
  }

  /** Ends a connection without a word; whether there was one. */
  cut(): boolean {
    const session = this.#nextSession();
    session?.abort();
    return session !== null;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
  }

  #nextSession(): Session | null {
    for (let n = 0; n < this.#clients.length; n += 1) {
      this.#turn += 1;
      const session = this.#clients[this.#turn % this.#clients.length]?.session ?? null;
      if (session?.can_send === true) return session;
    }
    return null;
  }

  /** A text without an answer is in doubt: it may be stored, and is not counted on. */
  #answered(tag: string, to: string, outcome: RequestOutcome): void {
    if (outcome.kind === 'unanswered') return;
    const { pdu } = outcome;
    const id = pdu.command === 'submit_sm_resp' ? readMessageId(pdu.message_id ?? '') : null;
    if (id === null) {
      this.refused.push(statusName(pdu.command_status));
      return;
    }
    this.accepted.push({ message_id: id, tag, on_doubt: 'resend', segments: 1, charged_micros: priceTo(to) });
  }

  #take(pdu: ServedPdu): void {
    if (pdu.command !== 'deliver_sm') return;
    if ((pdu.esm_class & ESM_CLASS.type_mask) !== ESM_CLASS.type_delivery_receipt) {
      this.heard.add(Buffer.from(pdu.short_message).toString('latin1'));
      return;
    }
    const id = readMessageId(findTlvText(pdu.tlvs, TLV.receipted_message_id) ?? '');
    if (id !== null) this.told.add(id);
  }

  #client(world: TextWorld): Client {
    const { address: host, port } = world.gateway.smpp;
    return new Client(
      {
        ...{ host, port, tls: null, stable_ms: 500, backoff: { first_ms: 100, most_ms: 1_000 } },
        bind: { mode: 'trx', ...ESME },
        session: SESSION_DEFAULTS,
      },
      {
        onBound: () => (this.#bound += 1),
        onLost: () => undefined,
        onRequest: (_session, pdu, respond) => {
          this.#take(pdu);
          respond(0);
        },
      },
      systemClock,
      Math.random,
    );
  }
}

function submission(from: string, to: string, text: string): ShortMessageBody & { command: 'submit_sm' } {
  return {
    command: 'submit_sm',
    ...{ service_type: '', source_addr_ton: 1, source_addr_npi: 1, source_addr: from.slice(1) },
    ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: to.slice(1) },
    ...{ esm_class: 0, protocol_id: 0, priority_flag: 0, schedule_delivery_time: '', validity_period: '' },
    ...{ registered_delivery: REGISTERED_DELIVERY.receipt_final, replace_if_present_flag: 0 },
    ...{ data_coding: 0, sm_default_msg_id: 0, tlvs: NO_TLVS },
    short_message: Buffer.from(text, 'latin1'),
  };
}

function priceTo(to: string): bigint {
  const row = defaultTextSell.find(({ prefix }) => to.startsWith(`+${prefix}`));
  if (row === undefined) throw new Error(`Nothing says what a text to ${to} costs.`);
  return row.rate_micros_per_segment;
}
