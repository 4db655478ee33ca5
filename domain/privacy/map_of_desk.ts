import { notPersonal } from './table_map.ts';
import type { TableMap } from './table_map.ts';

/** The part of the map of the data that is about what the operator sees of sign-ups, of mail that comes back and of codes. */
export const mapOfDesk: Readonly<Record<string, TableMap>> = {
  sign_up_day: notPersonal('To see where people give up who sign up: figures of a day.', [
    ...['day', 'step', 'wait_bucket', 'people'],
  ]),
  sign_up_first: {
    purpose: 'To count once that an account has come so far.',
    basis: 'legitimate_interest',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: { account_id: 'pseudonym', step: 'behaviour', at: 'behaviour' },
  },
  mail_bounce: {
    purpose: 'To see why mail comes back, and from where.',
    basis: 'legitimate_interest',
    retention: 'sign_ins',
    export: false,
    erasure: 'delete',
    columns: {
      id: 'pseudonym',
      address_index: 'pseudonym',
      class: 'behaviour',
      smtp_code: 'not_personal',
      status: 'not_personal',
      source: 'not_personal',
      report_sha256: 'pseudonym',
      at: 'behaviour',
    },
  },
  undeliverable_address: {
    purpose: 'To mail nothing to where it comes back from, and to be able to say so.',
    basis: 'contract',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: {
      id: 'pseudonym',
      address_index: 'pseudonym',
      class: 'behaviour',
      smtp_code: 'not_personal',
      status: 'not_personal',
      since: 'behaviour',
      last_at: 'behaviour',
      bounces: 'not_personal',
      held_back: 'not_personal',
    },
  },
  blocked_phone_prefix: {
    purpose: 'To send no codes to numbers that are misused; one of these may be a whole number.',
    basis: 'legitimate_interest',
    retention: 'operation',
    export: false,
    erasure: 'keep_under_law',
    columns: {
      id: 'pseudonym',
      prefix: 'phone_number',
      reason: 'behaviour',
      set_by: 'pseudonym',
      set_at: 'behaviour',
      version: 'not_personal',
    },
  },
  code_request: {
    purpose:
      'To see who has codes sent all over the world: networks and beginnings of numbers, of a quarter of a year.',
    basis: 'legitimate_interest',
    retention: 'full_address',
    export: false,
    erasure: 'delete',
    columns: {
      id: 'pseudonym',
      at: 'behaviour',
      purpose: 'behaviour',
      channel: 'behaviour',
      prefix: 'location',
      network: 'location',
      outcome: 'behaviour',
      code_id: 'pseudonym',
      used_at: 'behaviour',
    },
  },
  terms_telling: notPersonal('How far everybody has been told of a new version of the terms.', [
    ...['kind', 'version', 'occasion', 'told_up_to', 'told', 'begun_at', 'done_at'],
  ]),
};
