/** Legal bases of the GDPR, article 6(1). `none`: no personal data. */
export type LegalBasis = 'contract' | 'legal_obligation' | 'legitimate_interest' | 'none';

/**
 * - `account_life`: while the account lives, and after it as long as claims may come;
 * - `bookkeeping`: what tax and commercial law make an operator keep;
 * - `traffic`: records of communications, for billing and disputes;
 * - `replay_window`: until a repeated settlement can no longer come;
 * - `operation`: while the thing it describes exists.
 */
export type Retention = 'account_life' | 'bookkeeping' | 'traffic' | 'replay_window' | 'operation';

export type Category =
  /** Says nothing about a person. */
  | 'not_personal'
  /** Leads to a person only through another table. */
  | 'pseudonym'
  | 'name'
  | 'phone_number'
  | 'location'
  | 'credential'
  | 'money'
  | 'behaviour'
  /** Who called whom, when, for how long. */
  | 'traffic_data';

/** Who may receive a column outside the operator. */
export type Recipient = 'carrier' | 'callee' | 'authority';

export interface TableMap {
  purpose: string;
  basis: LegalBasis;
  retention: Retention;
  /** Whether an export of the customer's data holds it, and what erasure does with it. */
  export: boolean;
  erasure: 'delete' | 'keep_under_law' | 'not_personal';
  columns: Readonly<Record<string, Category | { category: Category; recipients: readonly Recipient[] }>>;
}

/** A table of which no row leads to a person. */
export const notPersonal = (purpose: string, columns: readonly string[]): TableMap => ({
  purpose,
  basis: 'none',
  retention: 'operation',
  export: false,
  erasure: 'not_personal',
  columns: Object.fromEntries(columns.map((column) => [column, 'not_personal' as const])),
});
