/** Why a document or a case was not approved, in words that the customer reads. The codes are promised; the words may be bettered. */

export const REASONS = {
  unreadable: 'It cannot be read. Take the picture in daylight, without flash, so that every letter is sharp.',
  cut_off: 'A part of it is missing. All four corners have to be seen.',
  other_side_missing: 'Its other side is missing. Send front and back.',
  wrong_type: 'It is another kind of document than the one that was asked for.',
  expired: 'It is no longer valid. Send one that is.',
  too_old: 'It is too old. Send one of the last three months.',
  name_differs: 'The name on it is another than the one that you told us.',
  birth_date_differs: 'The date of birth on it is another than the one that you told us.',
  address_differs: 'The address on it is another than the one that you told us.',
  company_differs: 'The company on it is another than the one that you told us.',
  not_accepted: 'Documents of this kind are not accepted here. Send another one.',
  altered: 'It seems to have been altered.',
  not_yours: 'It seems to be somebody else’s.',
  under_age: 'Whoever it is for is not of age.',
  check_again: 'It has to be looked at again. Send it once more.',
} as const satisfies Record<string, string>;

export type ReasonCode = keyof typeof REASONS;

export const REASON_CODES = Object.keys(REASONS) as [ReasonCode, ...ReasonCode[]];

/** A code that is no longer in the list is still told as what it is. */
export const wordsOfReason = (code: string): string => (REASONS as Record<string, string>)[code] ?? code;
