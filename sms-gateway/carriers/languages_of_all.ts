import type { NationalLanguage } from '../../domain/texts/encoding/national_language.ts';
import type { BindRow } from './bind_row.ts';

/**
 * The languages whose tables every bind takes that a text could go by. Only by these can a text be counted when it is accepted: which
 * carrier takes it is known later, and what it was counted as is what it is sent as.
 */
export function languagesOfAll(
  rows: readonly Pick<BindRow, 'kind' | 'enabled' | 'carrier_enabled' | 'national_languages'>[],
): readonly NationalLanguage[] {
  const [first, ...others] = rows.filter((row) => row.enabled && row.carrier_enabled && row.kind !== 'receiver');
  if (first === undefined) return [];
  return first.national_languages.filter((language) =>
    others.every(({ national_languages }) => national_languages.includes(language)),
  );
}
