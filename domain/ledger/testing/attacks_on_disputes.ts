import type { Attacks } from './attacks_on_money.ts';
import { HOLDING } from './attacks_on_numbers.ts';
import { ADMIN } from './attacks_on_payments.ts';
import { insertInto } from './attacks_on_prices.ts';
import type { Columns } from './attacks_on_prices.ts';
import { ACCOUNT, NOBODY, OTHER_ACCOUNT } from './books.ts';

const OPEN = '00000000-0000-4000-8000-000000000600';
const CLOSED = '00000000-0000-4000-8000-000000000601';
const NEW = '00000000-0000-4000-8000-000000000699';
const AT = '2026-01-01';
const LATER = '2026-03-01';

const dispute: Columns = {
  ...{ id: NEW, holding_id: HOLDING, holder_account_id: ACCOUNT, claimant_account_id: OTHER_ACCOUNT, kind: 'other' },
  ...{ words: 'x', opened_by: ADMIN, opened_at: AT, kept_until: LATER },
  ...{ state: 'rejected', closed_by: ADMIN, closed_at: AT, answer: 'x' },
};
const newDispute = (columns: Columns) => insertInto('ownership_dispute', { ...dispute, ...columns });
const open: Columns = { state: 'open', closed_by: null, closed_at: null, answer: null };
const proposed: Columns = { proposed_by: ADMIN, proposed_at: AT };

/** One that is open and one that was decided, in the books that the rules are attacked in. */
export const booksOfDisputes = [newDispute({ ...open, id: OPEN }), newDispute({ id: CLOSED })].join('; ');

const ownership_dispute: Attacks = {
  ownership_dispute_pkey: [newDispute({ id: OPEN })],
  // Of a number that he does not have, and of a holding that there is not.
  ownership_dispute_whose: [newDispute({ holder_account_id: NOBODY }), newDispute({ holding_id: NOBODY })],
  ownership_dispute_claimant_account_id_fkey: [newDispute({ claimant_account_id: NOBODY })],
  ownership_dispute_opened_by_fkey: [newDispute({ opened_by: NOBODY })],
  ownership_dispute_proposed_by_fkey: [newDispute({ ...proposed, proposed_by: NOBODY })],
  ownership_dispute_closed_by_fkey: [newDispute({ closed_by: NOBODY })],
  ownership_dispute_one: [newDispute(open)],
  ownership_dispute_two_sides: [newDispute({ claimant_account_id: ACCOUNT })],
  ownership_dispute_kept: [newDispute({ kept_until: '2025-12-31' })],
  ownership_dispute_heard: [newDispute({ holder_words: 'x' }), newDispute({ holder_answered_at: AT })],
  ownership_dispute_proposed: [newDispute({ proposed_by: ADMIN }), newDispute({ proposed_at: AT })],
  // Upheld by one alone, and by the same one twice.
  ownership_dispute_first: [newDispute({ state: 'upheld' })],
  ownership_dispute_second: [newDispute({ ...proposed, state: 'upheld' })],
  ownership_dispute_closed: [newDispute({ closed_at: null })],
  ownership_dispute_closer: [newDispute({ closed_by: null })],
  ownership_dispute_answered: [newDispute({ answer: null }), newDispute({ state: 'withdrawn' })],
  'ownership_dispute_is_kept on update': [`update ownership_dispute set version = 9 where id = '${CLOSED}'`],
  'append_only on delete': [`delete from ownership_dispute where id = '${CLOSED}'`],
  'append_only on truncate': ['truncate ownership_dispute cascade; select 1'],
  ownership_dispute_kind_check: [newDispute({ kind: 'weather' })],
  ownership_dispute_words_check: [newDispute({ words: '' }), newDispute({ words: 'x'.repeat(4_001) })],
  ownership_dispute_holder_words_check: [
    newDispute({ holder_words: '', holder_answered_at: AT }),
    newDispute({ holder_words: 'x'.repeat(4_001), holder_answered_at: AT }),
  ],
  ownership_dispute_state_check: [newDispute({ state: 'odd', answer: null })],
  ownership_dispute_answer_check: [newDispute({ answer: '' }), newDispute({ answer: 'x'.repeat(4_001) })],
};

export const attacksOnDisputes = { ownership_dispute };
