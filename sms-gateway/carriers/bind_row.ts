import type { Queryable } from '../../domain/db/transaction.ts';
import type { NationalLanguage } from '../../domain/texts/encoding/national_language.ts';
import type { ReceiptIdForm } from '../receipts/receipt_id.ts';

/** A row of carrier_bind, with its carrier. */
export interface BindRow {
  id: string;
  carrier_id: number;
  carrier: string;
  carrier_enabled: boolean;
  host: string;
  port: number;
  tls: boolean;
  system_id: string;
  password: string;
  system_type: string;
  kind: 'transmitter' | 'receiver' | 'transceiver';
  interface_version: number;
  window_max: number;
  texts_per_second_max: number;
  alphanumeric_sender: boolean;
  default_alphabet: 'gsm7' | 'gsm7_packed' | 'latin1' | 'ascii';
  national_languages: readonly NationalLanguage[];
  receipt_id_form: ReceiptIdForm;
  receipt_utc_offset_minutes: number;
  unflagged_receipts: boolean;
  home_country: string | null;
  number_ton: number;
  number_npi: number;
  short_code_ton: number;
  short_code_npi: number;
  name_ton: number;
  name_npi: number;
  recipient_ton: number;
  recipient_npi: number;
  plus_sign: boolean;
  sends_validity: boolean;
  /** Name, password and addresses of a carrier that connects to us, to be bound to; null: we connect to it. */
  outbind_system_id: string | null;
  outbind_password: string | null;
  outbind_address: string | null;
  tls_authorities: string | null;
  tls_name: string | null;
  countries: readonly string[] | null;
  opens_at: string | null;
  closes_at: string | null;
  time_zone: string;
  enabled: boolean;
}

export async function selectBinds(db: Queryable): Promise<BindRow[]> {
  const { rows } = await db.query<BindRow>(
    `select b.id, b.carrier_id, c.code as carrier, c.enabled as carrier_enabled, b.host, b.port, b.tls, b.system_id, b.password,
            b.system_type, b.kind, b.interface_version, b.window_max, b.texts_per_second_max, b.alphanumeric_sender,
            b.default_alphabet, b.national_languages, b.receipt_id_form, b.receipt_utc_offset_minutes, b.unflagged_receipts,
            b.home_country, b.number_ton, b.number_npi, b.short_code_ton, b.short_code_npi, b.name_ton, b.name_npi, b.recipient_ton,
            b.recipient_npi, b.plus_sign, b.sends_validity, b.outbind_system_id, b.outbind_password, b.outbind_address::text,
            b.tls_authorities, b.tls_name, b.countries, b.opens_at::text, b.closes_at::text, b.time_zone, b.enabled
       from carrier_bind b join carrier c on c.id = b.carrier_id order by b.id`,
  );
  return rows;
}
