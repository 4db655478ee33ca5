import { Client } from '../../sms-gateway/smpp/client.ts';
import { systemClock } from '../../sms-gateway/smpp/clock.ts';
import type { ShortMessageBody } from '../../sms-gateway/smpp/pdu.ts';
import type { Session } from '../../sms-gateway/smpp/session.ts';
import { SESSION_DEFAULTS } from '../../sms-gateway/smpp/session_settings.ts';
import { NO_TLVS } from '../../sms-gateway/smpp/tlv.ts';
import type { SampleText } from './sample_texts.ts';

export interface SmppLoadOptions {
  host: string;
  port: number;
  system_id: string;
  password: string;
  binds: number;
  window_requests: number;
  sender: string;
  nextText: () => SampleText;
}

export interface SmppLoadResult {
  accepted: number;
  failed: number;
  seconds: number;
  /** How often each status came, for what failed. */
  statuses: ReadonlyMap<number, number>;
}

/** A customer with much traffic: binds as a transmitter, and keeps its window full. */
export class SmppLoad {
  readonly #options: SmppLoadOptions;
  #accepted = 0;
  readonly #statuses = new Map<number, number>();
  readonly #clients: Client[] = [];

  constructor(options: SmppLoadOptions) {
    this.#options = options;
  }

  async run(seconds: number): Promise<SmppLoadResult> {
    this.#accepted = 0;
    this.#statuses.clear();
    const began_ms = performance.now();
    const ends_at_ms = began_ms + seconds * 1000;
    try {
      await Promise.all(Array.from({ length: this.#options.binds }, () => this.#bind(ends_at_ms)));
    } finally {
      // Those that one lost bind left behind would connect for ever.
      await Promise.all(this.#clients.splice(0).map((client) => client.stop()));
    }
    const failed = [...this.#statuses.values()].reduce((sum, count) => sum + count, 0);
    return {
      accepted: this.#accepted,
      failed,
      seconds: (performance.now() - began_ms) / 1000,
      statuses: new Map(this.#statuses),
    };
  }

  #bind(ends_at_ms: number): Promise<void> {
    const { host, port, system_id, password, window_requests } = this.#options;
    return new Promise((resolve, reject) => {
      const fill = (session: Session): void => {
        while (session.can_send && performance.now() < ends_at_ms) this.#submit(session, () => fill(session));
        if (session.in_flight === 0 && performance.now() >= ends_at_ms) void client.stop().then(resolve, reject);
      };
      const client = new Client(
        {
          ...{ host, port, tls: null, stable_ms: 1_000, backoff: { first_ms: 100, most_ms: 1_000 } },
          bind: { mode: 'tx', system_id, password },
          session: { ...SESSION_DEFAULTS, window_requests },
        },
        {
          onBound: fill,
          onLost: (reason, retry_in_ms) => {
            if (retry_in_ms !== null) reject(new Error(`The bind was lost: ${reason.kind}.`));
          },
          onRequest: (_session, _pdu, respond) => respond(0),
        },
        systemClock,
        Math.random,
      );
      this.#clients.push(client);
      client.start();
    });
  }

  #submit(session: Session, next: () => void): void {
    session.request(this.#body(), {
      onOutcome: (outcome) => {
        const status = outcome.kind === 'response' ? outcome.pdu.command_status : -1;
        if (status === 0) this.#accepted += 1;
        else this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
        next();
      },
    });
  }

  #body(): ShortMessageBody & { command: 'submit_sm' } {
    const { sender, nextText } = this.#options;
    const { recipient, text } = nextText();
    return {
      command: 'submit_sm',
      ...{ service_type: '', source_addr_ton: 1, source_addr_npi: 1, source_addr: sender.slice(1) },
      ...{ dest_addr_ton: 1, dest_addr_npi: 1, destination_addr: recipient.slice(1) },
      ...{ esm_class: 0, protocol_id: 0, priority_flag: 0, schedule_delivery_time: '', validity_period: '' },
      ...{ registered_delivery: 0, replace_if_present_flag: 0, data_coding: 0, sm_default_msg_id: 0 },
      short_message: Buffer.from(text, 'latin1'),
      tlvs: NO_TLVS,
    };
  }
}
