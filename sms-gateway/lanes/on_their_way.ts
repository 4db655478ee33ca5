import type { Acceptor } from '../accept/acceptor.ts';
import type { ClaimQueue } from './claim_queue.ts';
import type { OutcomeWriter } from './outcome_writer.ts';

/** Texts of which the database is just being told something: what their rows say is less than what is known here. */
export function onTheirWay(outcomes: OutcomeWriter, acceptor: Acceptor, queue: ClaimQueue): ReadonlySet<string> {
  return new Set([...outcomes.unwrittenIds(), ...acceptor.storingIds(), ...queue.unsettledIds()]);
}
