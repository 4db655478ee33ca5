import { postedOn, unbalanced, WALLET_ACCOUNTS } from '../../domain/ledger/postings.ts';
import { legBilledSeconds } from '../../domain/rating/leg_price.ts';
import { secondsFromMs } from '../../domain/rating/price.ts';
import { sumOf } from './story.ts';
import type { Story } from './story.ts';

/**
 * Whatever in the record of a call does not follow from the rest of it, in words. The bill is worked out anew from the
 * rate, so this finds a wrong charge as well as a wrong posting.
 */
export function contradictionsOf(story: Story): readonly string[] {
  return [...secondsContradictions(story), ...chargeContradictions(story), ...ledgerContradictions(story)];
}

function secondsContradictions(story: Story): string[] {
  const found: string[] = [];
  const lasted = story.answered_at === null ? 0 : secondsFromMs(story.duration_ms);
  const granted = story.grants.reduce((sum, grant) => sum + grant.seconds, 0);
  const expected = Math.min(lasted, granted);
  if (story.result === 'answered' && story.direction !== 'emergency' && story.seconds_charged !== expected) {
    found.push(
      `The call lasted ${lasted} s and ${granted} s were granted, but ${story.seconds_charged} s are charged.`,
    );
  }
  if (story.rate !== null && story.seconds_billed !== legBilledSeconds(story.rate, story.seconds_charged)) {
    found.push(`By the rate ${story.seconds_charged} s are not ${story.seconds_billed} billed seconds.`);
  }
  return found;
}

function chargeContradictions(story: Story): string[] {
  const found: string[] = [];
  const sum = sumOf(story.bill);
  if (sum !== story.charged_micros) {
    found.push(`The lines of the bill sum to ${sum} micros, but ${story.charged_micros} were charged.`);
  }
  if (story.charged_micros > story.held_micros) {
    found.push(`${story.charged_micros} micros were charged, but only ${story.held_micros} were held.`);
  }
  return found;
}

function ledgerContradictions(story: Story): string[] {
  const found: string[] = [];
  const paid = -postedOn(story.postings, WALLET_ACCOUNTS);
  if (paid !== story.charged_micros) {
    found.push(`The ledger took ${paid} micros from the wallet, but ${story.charged_micros} were charged.`);
  }
  const lost = -postedOn(story.postings, ['operator_loss']);
  if (lost !== story.operator_loss_micros) {
    found.push(`The ledger books ${lost} micros to the operator, the record ${story.operator_loss_micros}.`);
  }
  return [...found, ...unbalanced(story.postings)];
}
