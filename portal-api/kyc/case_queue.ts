import type { Queryable } from '../../domain/db/transaction.ts';
import type { NumberType, Party } from './document_types.ts';
import type { CaseState } from './case_state.ts';

export interface QueuedCase {
  case_id: string;
  account_id: string;
  party: Party;
  state: CaseState;
  country: string;
  number_type: NumberType;
  submitted_at: Date;
  document_types: string[];
  reviewer_id: string | null;
  locked_until: Date | null;
  /** The last decision, which a case that was handed in anew has behind it; nobody's where a rule passed it. */
  decided_at: Date | null;
  decided_by: string | null;
}

/** Nothing in it says who somebody is. */
const COLUMNS = `c.id as case_id, c.account_id, a.party, c.state, c.wanted_country as country, c.wanted_number_type as number_type,
  c.submitted_at, c.reviewer_id, c.locked_until, c.closed_at as decided_at, c.closed_by as decided_by,
  array(select distinct d.type from kyc_document d
         where d.account_id = c.account_id and d.state = 'submitted' order by d.type) as document_types`;

type After = readonly [Date, string] | null;

/** What waits for a reviewer, or is one's own, the oldest first. */
export async function queueOfCases(
  db: Queryable,
  wish: { mine_of: string | null; account_id: string | null; after: After; limit: number; now: Date },
): Promise<QueuedCase[]> {
  const { rows } = await db.query<QueuedCase>({
    name: 'queue_of_cases',
    text: `select ${COLUMNS}
             from kyc_case c join account a on a.id = c.account_id
            where c.state in ('submitted', 'in_review')
              and case when $1::uuid is null then c.state = 'submitted' or c.locked_until <= $2 else c.reviewer_id = $1 end
              and ($3::timestamptz is null or (c.submitted_at, c.id) > ($3, $4)) and ($6::uuid is null or c.account_id = $6)
            order by c.submitted_at, c.id limit $5`,
    values: [
      ...[wish.mine_of, wish.now, wish.after?.[0] ?? null, wish.after?.[1] ?? null, wish.limit],
      wish.account_id,
    ],
  });
  return rows;
}

/** open: handed in and not decided, whoever has it. decided: as it stands. all: whatever was ever handed in. */
export const CASE_LISTS = ['all', 'open', 'decided'] as const;
export type CaseList = (typeof CASE_LISTS)[number];

const LISTS: Readonly<Record<CaseList, { which: string; by: 'submitted_at' | 'closed_at'; newest_first: boolean }>> = {
  all: { which: 'true', by: 'submitted_at', newest_first: true },
  open: { which: `c.state in ('submitted', 'in_review')`, by: 'submitted_at', newest_first: false },
  decided: {
    which: `c.state in ('approved', 'rejected', 'needs_more') and c.closed_at is not null`,
    by: 'closed_at',
    newest_first: true,
  },
};

/** By what a list is ordered. */
export const sortedBy = (list: CaseList, row: QueuedCase): Date =>
  (LISTS[list].by === 'closed_at' ? row.decided_at : null) ?? row.submitted_at;

export interface CaseSearch {
  list: CaseList;
  account_id: string | null;
  /** Of whom the case is now, or who decided it last. */
  mine_of: string | null;
  /** Of when it was handed in, or of what is decided, when that was. */
  from: string | null;
  to: string | null;
  after: After;
  limit: number;
}

export async function searchCases(db: Queryable, search: CaseSearch): Promise<QueuedCase[]> {
  const { which, by, newest_first } = LISTS[search.list];
  const { rows } = await db.query<QueuedCase>(
    `select ${COLUMNS}
       from kyc_case c join account a on a.id = c.account_id
      where c.submitted_at is not null and ${which} and ($1::uuid is null or c.account_id = $1)
        and ($2::uuid is null or c.reviewer_id = $2 or c.reviewer_id is null and c.closed_by = $2)
        and ($3::timestamptz is null or c.${by} >= $3) and ($4::timestamptz is null or c.${by} < $4)
        and ($5::timestamptz is null or (c.${by}, c.id) ${newest_first ? '<' : '>'} ($5, $6::uuid))
      order by c.${by} ${newest_first ? 'desc' : 'asc'}, c.id ${newest_first ? 'desc' : 'asc'} limit $7`,
    [
      ...[search.account_id, search.mine_of, search.from, search.to],
      ...[search.after?.[0] ?? null, search.after?.[1] ?? null, search.limit],
    ],
  );
  return rows;
}
