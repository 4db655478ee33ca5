import { Problem } from '../http/problem.ts';
import type { ProblemName } from '../http/problem.ts';
import type { BuyerRefusal } from './orders/buyer.ts';

/** What those of orders and transfers have in common. */
export const BUYER_PROBLEMS = [
  'kyc_required',
  'terms_required',
  'restricted',
  'conflict',
  'not_available',
  'no_money',
] as const satisfies readonly ProblemName[];

const WORDS: Readonly<Record<BuyerRefusal | 'terms_required' | 'no_money' | 'not_available', [ProblemName, string]>> = {
  account_not_active: ['conflict', 'Your account is not active. Finish your registration, or ask support.'],
  restricted: [
    'restricted',
    'A restriction keeps your account from buying. See it under your restrictions, and appeal there.',
  ],
  terms_required: ['terms_required', 'Read what is new at /v1/legal and agree to it at /v1/legal/acceptances.'],
  no_wallet: ['conflict', 'You have no wallet yet that could pay for this. Ask support for one.'],
  no_rate: [
    'not_available',
    'Its price is in another currency than your wallet, and there is no rate of exchange of these days between the two, so it is not sold to you now. Choose a number that is priced in your currency, or try again tomorrow.',
  ],
  no_money: ['no_money', 'Your wallet holds less than the setup and the first month. Top it up and order again.'],
  not_available: ['not_available', 'Somebody else has this number, or is about to. Choose another one.'],
};

/** For whoever is at the desk. */
export const DECIDE_THE_DISPUTE = 'Somebody else says that the number is theirs. Decide on that first.';

export function refuse(kind: keyof typeof WORDS): never {
  const [name, detail] = WORDS[kind];
  throw new Problem(name, detail);
}

export function refuseForDocuments(missing: readonly string[]): never {
  throw new Problem('kyc_required', 'Upload the documents that are named here, and ask again when they are approved.', {
    missing: [...missing],
  });
}
