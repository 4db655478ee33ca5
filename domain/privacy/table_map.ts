/** Legal bases of the GDPR, article 6(1). `none`: no personal data. */
export type LegalBasis = 'contract' | 'legal_obligation' | 'legitimate_interest' | 'none';

/**
 * - `account_life`: while the account lives, and after it as long as claims may come;
 * - `bookkeeping`: what tax and commercial law make an operator keep;
 * - `traffic`: records of communications, for billing and disputes;
 * - `message_body`: what a text says, for the customer's questions and the carrier's, and far shorter than that it was sent;
 * - `replay_window`: until a repeated settlement, or a request that is made again, can no longer come;
 * - `operation`: while the thing it describes exists;
 * - `sign_ins`: as long as somebody may notice that a sign-in was not theirs;
 * - `full_address`: a network address with all its digits, after which only its network stays.
 */
export type Retention =
  | 'account_life'
  | 'bookkeeping'
  | 'traffic'
  | 'message_body'
  | 'replay_window'
  | 'operation'
  | 'sign_ins'
  | 'full_address';

export type Category =
  /** Says nothing about a person. */
  | 'not_personal'
  /** Leads to a person only through another table. */
  | 'pseudonym'
  | 'name'
  | 'phone_number'
  | 'email_address'
  | 'location'
  | 'credential'
  | 'money'
  | 'behaviour'
  /** Who called or wrote to whom, when, for how long. */
  | 'traffic_data'
  /** What was said. */
  | 'content';

/**
 * Who may receive a column outside the operator. The addressee is whom a text is for; the holder is the customer whose number
 * or text it is, where the data is another person's.
 */
export type Recipient = 'carrier' | 'callee' | 'addressee' | 'holder' | 'authority';

/** What a column is. A retention of its own is shorter than that of its table: the row stays, and the column is emptied. */
export type ColumnMap = Category | { category: Category; recipients?: readonly Recipient[]; retention?: Retention };

export interface TableMap {
  purpose: string;
  basis: LegalBasis;
  retention: Retention;
  /** Whether an export of the customer's data holds it, and what erasure does with it. */
  export: boolean;
  erasure: 'delete' | 'keep_under_law' | 'not_personal';
  columns: Readonly<Record<string, ColumnMap>>;
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
