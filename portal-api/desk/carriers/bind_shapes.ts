import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { country } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import type { Columns } from '../stored_row.ts';
import { timeOfDay, timeZone } from '../time_of_day.ts';
import { host, network, peerHost, port } from './peer_address.ts';

export const bindId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/u);

const systemId = z.string().regex(/^[\x21-\x7e]{1,15}$/u);
const typeOfNumber = z.int().min(0).max(7);
const numberingPlan = z.int().min(0).max(18);

/** As the specifications are called, and as it is written on the wire. */
const VERSIONS = { '3.3': 51, '3.4': 52, '5.0': 80 } as const;

/** Whose shift tables a carrier may pass on to handsets (3GPP TS 23.038, A.2 and A.3). */
const LANGUAGES = [
  ...['turkish', 'spanish', 'portuguese', 'bengali', 'gujarati', 'hindi', 'kannada', 'malayalam', 'oriya', 'punjabi'],
  ...['tamil', 'telugu', 'urdu'],
];

/** All that can be set of a bind, and is told of it. What is left out is what most carriers want. */
const settings = {
  host: peerHost,
  port,
  tls: z.boolean(),
  system_id: systemId,
  system_type: z.string().regex(/^[\x20-\x7e]{0,12}$/u),
  kind: z.enum(['transmitter', 'receiver', 'transceiver']),
  interface_version: z.enum(['3.3', '3.4', '5.0']),
  /** How many texts may wait for its answer at a time. */
  window_max: z.int().min(1).max(2_000),
  texts_per_second_max: z.int().min(1).max(100_000),
  /** Whether a name may stand as the sender; a text with one goes to another carrier where it may not. */
  alphanumeric_sender: z.boolean(),
  /** What data_coding 0 means there. */
  default_alphabet: z.enum(['gsm7', 'gsm7_packed', 'latin1', 'ascii']),
  /** Whose letters it passes on to handsets, as its contract says; a text is counted by them only where all carriers do. */
  national_languages: z.array(z.enum(LANGUAGES)).max(LANGUAGES.length),
  /** How the message id of a receipt is written, compared with the one of the submit_sm_resp. */
  receipt_id_form: z.enum(['same', 'hex_then_decimal', 'decimal_then_hex', 'any']),
  /** Of the zone in which its receipts write dates, positive to the east. */
  receipt_utc_offset_minutes: z.int().min(-840).max(840),
  /** Whether a text that looks like a receipt is one although nothing marks it so: people could forge receipts then. */
  unflagged_receipts: z.boolean(),
  /** Of recipients; null: whatever its rates reach. */
  countries: z.array(country).min(1).max(300).nullable(),
  /** When it takes texts, in its own zone; null: always. */
  hours: z.strictObject({ opens_at: timeOfDay, closes_at: timeOfDay }).nullable(),
  time_zone: timeZone,
  /** Whose numbers it wants as they are dialled there; null: all of them internationally. */
  home_country: country.nullable(),
  number_ton: typeOfNumber,
  number_npi: numberingPlan,
  short_code_ton: typeOfNumber,
  short_code_npi: numberingPlan,
  name_ton: typeOfNumber,
  name_npi: numberingPlan,
  recipient_ton: typeOfNumber,
  recipient_npi: numberingPlan,
  /** Whether numbers are written with their plus. */
  plus_sign: z.boolean(),
  /** Whether it is told how long a text is worth delivering. */
  sends_validity: z.boolean(),
  /** Certificates (PEM) that it is trusted by, in place of the machine's authorities. */
  tls_authorities: z
    .string()
    .max(100_000)
    .regex(/^[\t\n\r\x20-\x7e]*$/u)
    .refine(areCertificates, 'holds one certificate or more in PEM, and no key')
    .nullable(),
  /** The name that its certificate has, where that is not the host's. */
  tls_name: host.nullable(),
  enabled: z.boolean(),
};

/** Where the carrier connects to us and asks to be bound to: as whom, by which password of its own, and from where. Null: we connect. */
const outbind = z
  .strictObject({ system_id: systemId, password: z.string().regex(/^[\x21-\x7e]{1,8}$/u), address: network })
  .nullable();

/** Written and never told. */
const password = z.string().regex(/^[\x21-\x7e]{0,8}$/u);

const { host: at, port: by, system_id, ...optional } = settings;

export const newBind = z.strictObject({
  ...{ bind_id: bindId, host: at, port: by, system_id, password },
  ...z.strictObject({ ...optional, outbind }).partial().shape,
});

export const bindEdit = z.strictObject({ ...settings, password, outbind }).partial();

/** What was stored by other ways may be anything that the table allows. */
export const bindShape = z
  .object({
    bind_id: z.string(),
    carrier_id: z.int(),
    ...settings,
    ...{ host: z.string(), system_id: z.string(), system_type: z.string(), time_zone: z.string() },
    national_languages: z.array(z.string()),
    ...{ tls_authorities: z.string().nullable(), tls_name: z.string().nullable() },
    ...{ countries: z.array(z.string()).nullable(), home_country: z.string().nullable() },
    hours: z.object({ opens_at: z.string(), closes_at: z.string() }).nullable(),
    outbind: z.object({ system_id: z.string(), address: z.string() }).nullable(),
    /** The password itself is written and never told. */
    has_password: z.boolean(),
    version: z.int(),
  })
  .meta({ id: 'CarrierBind' });

export type BindTold = z.input<typeof bindShape>;

/** As the table has it. */
export function bindColumns({ hours, outbind: asks, interface_version, ...rest }: z.output<typeof bindEdit>): Columns {
  const { system_id = null, password: shown = null, address = null } = asks ?? {};
  return {
    ...rest,
    ...(asks === undefined ? {} : { outbind_system_id: system_id, outbind_password: shown, outbind_address: address }),
    ...(hours === undefined ? {} : { opens_at: hours?.opens_at ?? null, closes_at: hours?.closes_at ?? null }),
    ...(interface_version === undefined ? {} : { interface_version: VERSIONS[interface_version] }),
  };
}

/** Refuses, in words, what does not go together. */
export function requireSense({
  national_languages = [],
  default_alphabet = 'gsm7',
}: {
  national_languages?: readonly string[] | undefined;
  default_alphabet?: string | undefined;
}): void {
  if (national_languages.length === 0 || default_alphabet.startsWith('gsm7')) return;
  throw new Problem(
    'invalid',
    `national_languages are written in septets, and this bind takes ${default_alphabet}: leave them empty, or say default_alphabet gsm7 or gsm7_packed.`,
  );
}

function areCertificates(text: string): boolean {
  if (text.includes('PRIVATE KEY')) return false;
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/gu) ?? [];
  try {
    return blocks.length > 0 && blocks.every((block) => new X509Certificate(block).raw.length > 0);
  } catch {
    return false;
  }
}
