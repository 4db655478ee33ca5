import type { Category, LegalBasis, Retention } from './table_map.ts';

interface MappedFile {
  purpose: string;
  category: Category;
  basis: LegalBasis;
  retention: Retention;
}

/** Of somebody who is there for trying Letsdial out alone, among whom there is nobody real. */
const simulated = (purpose: string): MappedFile => ({
  ...{ purpose, category: 'not_personal', basis: 'none', retention: 'operation' },
});

/** Files that hold personal data, beside the tables, and all logs. */
export const fileMap: Readonly<Record<string, MappedFile>> = {
  'asterisk/cdr/calls.csv': {
    purpose:
      'The switch’s own record of each call: ids, times and names of devices, no numbers but emergency ones. Calls are settled from it after a crash. Put aside by the day.',
    category: 'pseudonym',
    basis: 'contract',
    retention: 'replay_window',
  },
  'log/controller.log': {
    purpose: 'To find faults: call ids, states and figures, no numbers of people.',
    category: 'pseudonym',
    basis: 'legitimate_interest',
    retention: 'operation',
  },
  'log/sms-gateway.log': {
    purpose: 'To find faults: ids of texts, binds and carriers’ answers, no numbers of people and nothing they wrote.',
    category: 'pseudonym',
    basis: 'legitimate_interest',
    retention: 'operation',
  },
  'log/portal-api.log': {
    purpose: 'To find faults: ids of requests and of what they were about, nothing that anybody typed.',
    category: 'pseudonym',
    basis: 'legitimate_interest',
    retention: 'operation',
  },
  'documents/': {
    purpose:
      'Pages of identity documents, each sealed by a key of its own; without that of its account they cannot be read.',
    category: 'name',
    basis: 'legal_obligation',
    retention: 'account_life',
  },
  'documents/voice-messages/': {
    purpose: 'What callers said where nobody answered, each sealed by a key of its own, for whom it was said to.',
    category: 'content',
    basis: 'contract',
    retention: 'message_body',
  },
  'asterisk/spool/voicemail/messages/': {
    purpose: 'What a caller says while he says it; taken, sealed and deleted within seconds of the end of the call.',
    category: 'content',
    basis: 'contract',
    retention: 'replay_window',
  },
  'asterisk/spool/voicemail/greetings/': {
    purpose: 'With what holders of numbers greet callers; in plain, as the switch plays them to whoever calls.',
    category: 'content',
    basis: 'contract',
    retention: 'operation',
  },
  'log/asterisk.log': {
    purpose: 'To find faults of the switch: what it says while it starts and stops.',
    category: 'not_personal',
    basis: 'none',
    retention: 'operation',
  },
  'log/carrier.log': simulated('The same of the simulated carrier.'),
  'log/smsc-demo.log': simulated('The simulated carrier’s SMSC: its starts and stops.'),
  'log/smsc-demo.facts': simulated('What the simulated carrier’s SMSC was given, for whoever tries Letsdial out.'),
  'log/payment-provider.log': simulated('The simulated provider of payments: its starts and stops.'),
  'log/number-provider.log': simulated('The simulated provider of numbers: its starts and stops.'),
  'log/postgres.log': {
    purpose: 'To find faults of the database: a statement that failed, without the values that it was given.',
    category: 'pseudonym',
    basis: 'legitimate_interest',
    retention: 'operation',
  },
  'log/valkey.log': {
    purpose: 'To find faults of the cache: starts, stops and saves, no keys.',
    category: 'not_personal',
    basis: 'none',
    retention: 'operation',
  },
  'asterisk/log/messages.log': {
    purpose:
      'To find faults of the switch: its errors, with names of channels, network addresses and what was dialled.',
    category: 'location',
    basis: 'legitimate_interest',
    retention: 'operation',
  },
  'audit-heads.jsonl': {
    purpose: 'To show that the audit log was not cut or written anew.',
    category: 'not_personal',
    basis: 'none',
    retention: 'operation',
  },
};
