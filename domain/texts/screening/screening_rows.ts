import type { Queryable } from '../../db/transaction.ts';

/** What a text or its sender may not be; a row of content_rule that is in use. */
export interface ContentRule {
  id: number;
  /** ISO 3166-1, of the recipient; null: everywhere. */
  country: string | null;
  kind: 'word' | 'link' | 'sender';
  pattern: string;
  action: 'hold' | 'refuse';
  reason: string;
}

/** What a country asks of every text to it. */
export interface CountryTextRule {
  country: string;
  alphanumeric_sender: boolean;
  /** When texts of class bulk may arrive, in minutes after midnight: from the first to before the second. Null: always. */
  bulk_hours: { from_minute: number; until_minute: number } | null;
  time_zones: readonly string[];
}

export interface TextLimit {
  account_id: string;
  texts_per_second_max: number;
  texts_per_day_max: number;
  /** Of the account, whose day it is. */
  time_zone: string;
}

/** A person vouched for the login codes of this account to this country. */
export interface TextTrust {
  account_id: string;
  country: string;
  /** Null: for good. */
  trusted_until: Date | null;
}

export interface ScreeningRows {
  content_rules: readonly ContentRule[];
  country_rules: readonly CountryTextRule[];
  limits: readonly TextLimit[];
  trusts: readonly TextTrust[];
}

type CountryRow = Omit<CountryTextRule, 'bulk_hours'> & { from_minute: number | null; until_minute: number | null };

/** All that texts are screened by: some thousands of rows at most, read again when one of them changes. */
export async function selectScreeningRows(db: Queryable): Promise<ScreeningRows> {
  const content = await db.query<ContentRule>(
    'select id, country, kind, pattern, action, reason from content_rule where enabled order by id',
  );
  const countries = await db.query<CountryRow>(
    `select country, alphanumeric_sender, time_zones,
            extract(epoch from bulk_from)::integer / 60 as from_minute,
            extract(epoch from bulk_until)::integer / 60 as until_minute
       from country_text_rule`,
  );
  const limits = await db.query<TextLimit>(
    `select l.account_id, l.texts_per_second_max, l.texts_per_day_max, a.time_zone
       from text_limit l join account a on a.id = l.account_id`,
  );
  const trusts = await db.query<TextTrust>('select account_id, country, trusted_until from text_trust');
  return {
    content_rules: content.rows,
    country_rules: countries.rows.map(({ from_minute, until_minute, ...rule }) => ({
      ...rule,
      bulk_hours: from_minute === null || until_minute === null ? null : { from_minute, until_minute },
    })),
    limits: limits.rows,
    trusts: trusts.rows,
  };
}
