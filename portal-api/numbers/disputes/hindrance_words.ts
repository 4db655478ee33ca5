import type { Hindrance } from './give_to_claimant.ts';

/** For whoever decides: what is in the way, and who can take it out of it. */
export function hindranceWords(hindrance: Hindrance): string {
  switch (hindrance.kind) {
    case 'being_ported':
      return 'It is promised to another operator. Refuse that first.';
    case 'holder_not_heard':
      return `Whoever has it has not said why, and has until ${hindrance.until.toISOString()}. Decide after that, or once he has.`;
    case 'account_not_active':
      return 'The claimant’s account is not active. Activate it first, or reject this.';
    case 'restricted':
      return 'A restriction keeps the claimant from taking on numbers. Uphold this once that has ended.';
    case 'no_wallet':
      return 'The claimant has no wallet that could pay for it from now on. Open one first.';
    case 'no_rate':
      return 'Its price is in another currency than the claimant’s wallet, and there is no rate of exchange of these days.';
    case 'terms_required':
      return 'The claimant has yet to agree to the terms in force. Ask them to.';
    case 'kyc_required':
      return `Documents of the claimant are missing that such a number needs: ${hindrance.missing.join(', ')}. Ask for them.`;
  }
}
