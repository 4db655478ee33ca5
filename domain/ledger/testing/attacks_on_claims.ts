import type { Attacks } from './attacks_on_money.ts';
import { HOLDING } from './attacks_on_numbers.ts';
import { ADMIN } from './attacks_on_payments.ts';
import { insertInto } from './attacks_on_prices.ts';
import type { Columns } from './attacks_on_prices.ts';
import { ACCOUNT, NOBODY } from './books.ts';

const CLAIM = '00000000-0000-4000-8000-000000000500';
const NEW = '00000000-0000-4000-8000-000000000599';
const AT = '2026-01-01';
const LATER = '2026-01-02';

const claim: Columns = {
  ...{ id: NEW, account_id: ACCOUNT, holding_id: HOLDING, kind: 'other', began_at: AT, words: 'x', opened_by: ADMIN },
  ...{ opened_at: AT, state: 'accepted', closed_by: ADMIN, closed_at: AT, answer: 'x', credit_days: 1 },
  ended_at: LATER,
};
const newClaim = (columns: Columns) => insertInto('fault_claim', { ...claim, ...columns });
const open: Columns = { state: 'open', closed_by: null, closed_at: null, answer: null, credit_days: 0 };
const ANSWERED = '00000000-0000-4000-8000-000000000501';

/** One that is open and one that was answered, in the books that the rules are attacked in. */
export const booksOfClaims = [newClaim({ ...open, id: CLAIM }), newClaim({ id: ANSWERED })].join('; ');

const fault_claim: Attacks = {
  fault_claim_pkey: [newClaim({ id: CLAIM })],
  // Whose it is not, and nobody's.
  fault_claim_whose: [newClaim({ account_id: NOBODY }), newClaim({ holding_id: NOBODY })],
  fault_claim_opened_by_fkey: [newClaim({ opened_by: NOBODY })],
  fault_claim_closed_by_fkey: [newClaim({ closed_by: NOBODY })],
  // Two at once would each give back what the other did.
  fault_claim_one: [newClaim(open)],
  fault_claim_began: [newClaim({ began_at: LATER })],
  fault_claim_ended: [newClaim({ ended_at: '2025-12-31' })],
  // Days are given back, and nobody knows which.
  fault_claim_dealt_with: [newClaim({ ended_at: null })],
  'fault_claim_is_kept on update': [`update fault_claim set credit_net_micros = 5 where id = '${ANSWERED}'`],
  'append_only on delete': [`delete from fault_claim where id = '${ANSWERED}'`],
  'append_only on truncate': ['truncate fault_claim; select 1'],
  // Closed, and nobody knows when, or by whom.
  fault_claim_closed: [newClaim({ closed_at: null }), newClaim({ closed_by: null })],
  fault_claim_answered: [newClaim({ answer: null }), newClaim({ state: 'withdrawn', credit_days: 0 })],
  fault_claim_granted: [newClaim({ state: 'declined' })],
  // Money for no day.
  fault_claim_credited: [
    newClaim({ credit_days: 0, credit_net_micros: 1 }),
    newClaim({ credit_days: 0, credit_tax_micros: 1 }),
  ],
  fault_claim_kind_check: [newClaim({ kind: 'weather' })],
  fault_claim_words_check: [newClaim({ words: '' }), newClaim({ words: 'x'.repeat(4_001) })],
  fault_claim_state_check: [newClaim({ state: 'odd', answer: null, credit_days: 0 })],
  fault_claim_answer_check: [newClaim({ answer: '' }), newClaim({ answer: 'x'.repeat(4_001) })],
  fault_claim_credit_days_check: [newClaim({ credit_days: -1 }), newClaim({ credit_days: 1_001 })],
  fault_claim_credit_net_micros_check: [newClaim({ credit_net_micros: -1 })],
  fault_claim_credit_tax_micros_check: [newClaim({ credit_tax_micros: -1 })],
};

export const attacksOnClaims = { fault_claim };
