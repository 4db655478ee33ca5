import type { Category, LegalBasis, Retention } from './table_map.ts';

/** Files that hold personal data, beside the tables. */
export const fileMap: Readonly<
  Record<string, { purpose: string; category: Category; basis: LegalBasis; retention: Retention }>
> = {
  'asterisk/cdr/calls.csv': {
    purpose:
      'The switch’s own record of each call: ids and times, no numbers. Calls are settled from it after a crash.',
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
  'audit-heads.jsonl': {
    purpose: 'To show that the audit log was not cut or written anew.',
    category: 'not_personal',
    basis: 'none',
    retention: 'operation',
  },
  'asterisk/log/security.log': {
    purpose: 'To see attacks on credentials: names of devices and network addresses.',
    category: 'location',
    basis: 'legitimate_interest',
    retention: 'operation',
  },
};
