import { notPersonal, type TableMap } from './table_map.ts';

/** The part of the map of the data that is about who a customer is. */
export const mapOfKyc: Readonly<Record<string, TableMap>> = {
  document_requirement_set: notPersonal('Which documents are asked for, in versions, and who decided it.', [
    ...[
      'id',
      'number',
      'state',
      'note',
      'made_by',
      'made_at',
      'in_force_at',
      'published_by',
      'published_at',
      'version',
    ],
  ]),
  document_requirement: notPersonal('Which documents are asked for, and why.', [
    ...['set_id', 'country', 'number_type', 'party', 'documents', 'claims', 'auto_approval'],
  ]),
  kyc_case: {
    purpose: 'To say how far the check of somebody’s documents is.',
    basis: 'legal_obligation',
    retention: 'account_life',
    export: true,
    erasure: 'keep_under_law',
    columns: {
      id: 'pseudonym',
      account_id: 'pseudonym',
      state: 'behaviour',
      wanted_country: 'behaviour',
      wanted_number_type: 'behaviour',
      submitted_at: 'behaviour',
      reviewer_id: 'not_personal',
      locked_until: 'not_personal',
      closed_at: 'behaviour',
      closed_by: 'not_personal',
      created_at: 'behaviour',
      version: 'not_personal',
    },
  },
  kyc_claims: {
    purpose:
      'To compare what a customer says with the documents, and to tell a number’s provider what its rule asks for.',
    basis: 'legal_obligation',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: {
      account_id: 'pseudonym',
      version: 'not_personal',
      // Name, date of birth, address; of a company its name and its number in the register.
      sealed: { category: 'name', recipients: ['authority'] },
      names: 'behaviour',
      made_by: 'pseudonym',
      made_at: 'behaviour',
    },
  },
  kyc_document: {
    purpose:
      'To show who holds a number. The pages are a file in the folder of documents, sealed by the key in key_sealed; the file goes with the key.',
    basis: 'legal_obligation',
    retention: 'account_life',
    export: true,
    erasure: 'delete',
    columns: {
      id: 'pseudonym',
      account_id: 'pseudonym',
      type: 'behaviour',
      state: 'behaviour',
      file_id: 'pseudonym',
      page_bytes: 'not_personal',
      // The key of the file, and with it what the document shows.
      key_sealed: { category: 'content', recipients: ['authority'], retention: 'operation' },
      uploaded_by: 'pseudonym',
      uploaded_at: 'behaviour',
      submitted_at: 'behaviour',
      decided_by: 'not_personal',
      decided_at: 'behaviour',
      reason: 'behaviour',
      note_sealed: 'content',
      valid_until: 'behaviour',
      told_days: 'not_personal',
      auto_valid_until: 'behaviour',
      auto_verdict: 'behaviour',
      destroyed_at: 'behaviour',
    },
  },
};
