import type { Queryable } from '../db/transaction.ts';

/** What an account may do at most, as stored; spend in micros of the wallet's currency. */
export interface CallLimits {
  concurrent_calls_max: number;
  calls_per_second_max: number;
  spend_micros_per_hour_max: bigint;
  spend_micros_per_day_max: bigint;
  rate_micros_per_minute_max: bigint;
  blocked_prefixes: readonly string[];
}

/** Seconds that were bought ahead and are still free to be held. */
export interface UsablePack {
  id: bigint;
  prefixes: readonly string[];
  seconds_free: number;
}

/** Everything the decision on a call needs to know about whoever pays for it. */
export interface PayerProfile {
  account_id: string;
  state: 'inactive' | 'active' | 'suspended' | 'closed';
  home_country: string;
  time_zone: string;
  tax_ppm: number;
  sell_deck: string;
  wallet_id: bigint | null;
  currency: string | null;
  /** Scopes of the restrictions that are in force. */
  restrictions: readonly string[];
  /** Whether terms are in force to which nobody has agreed for it. */
  owes_terms: boolean;
  limits: CallLimits | null;
  packs: readonly UsablePack[];
}

export interface CallerProfile extends PayerProfile {
  device: string;
  /** The number to show: the one asked for when the account holds or has verified it, else the device's own; null when neither. */
  caller_number: string | null;
  /** True when the caller asked for a number that is not the account's. */
  claim_refused: boolean;
}

export interface CallerQuestion {
  device: string;
  /** The number that the phone claims, in whatever form; null when it claims none. */
  claimed_caller: string | null;
}

/** The parts of a payer's profile, from an account `a` in the scope of the query. */
export const payerColumns = `
  a.id as account_id, a.state, a.home_country, a.time_zone, a.tax_ppm, a.sell_deck,
  w.id as wallet_id, w.currency,
  coalesce((select array_agg(distinct r.scope) from restriction r
             where r.account_id = a.id and r.starts_at <= now() and (r.ends_at is null or r.ends_at > now())), '{}') as restrictions,
  owes_terms(a.id, now()) as owes_terms,
  (select jsonb_build_object(
            'concurrent_calls_max', l.concurrent_calls_max, 'calls_per_second_max', l.calls_per_second_max,
            'spend_micros_per_hour_max', l.spend_micros_per_hour_max::text,
            'spend_micros_per_day_max', l.spend_micros_per_day_max::text,
            'rate_micros_per_minute_max', l.rate_micros_per_minute_max::text, 'blocked_prefixes', l.blocked_prefixes)
     from call_limit l where l.account_id = a.id) as limits,
  coalesce((select jsonb_agg(jsonb_build_object('id', p.id::text, 'prefixes', p.prefixes, 'seconds_free', p.seconds_left - p.seconds_held)
                             order by p.spend_order, p.expires_at)
              from minute_pack p
             where p.wallet_id = w.id
               -- Nothing more than the next condition says, but what the index of packs is made for.
               and p.seconds_left > 0
               and p.seconds_left > p.seconds_held and p.expires_at > now()), '[]') as packs`;

/** An account pays from its first wallet; `w` of payerColumns. */
export const payerWallet = `
  left join lateral (select id, currency from wallet where account_id = a.id order by id limit 1) w on true`;

export interface PayerRow {
  account_id: string;
  state: PayerProfile['state'];
  home_country: string;
  time_zone: string;
  tax_ppm: number;
  sell_deck: string;
  wallet_id: string | null;
  currency: string | null;
  restrictions: string[];
  owes_terms: boolean;
  limits: {
    concurrent_calls_max: number;
    calls_per_second_max: number;
    spend_micros_per_hour_max: string;
    spend_micros_per_day_max: string;
    rate_micros_per_minute_max: string;
    blocked_prefixes: string[];
  } | null;
  packs: { id: string; prefixes: string[]; seconds_free: number }[];
}

export function payerOf(row: PayerRow): PayerProfile {
  return {
    account_id: row.account_id,
    state: row.state,
    home_country: row.home_country,
    time_zone: row.time_zone,
    tax_ppm: row.tax_ppm,
    sell_deck: row.sell_deck,
    wallet_id: row.wallet_id === null ? null : BigInt(row.wallet_id),
    currency: row.currency,
    restrictions: row.restrictions,
    owes_terms: row.owes_terms,
    limits: row.limits && {
      ...row.limits,
      spend_micros_per_hour_max: BigInt(row.limits.spend_micros_per_hour_max),
      spend_micros_per_day_max: BigInt(row.limits.spend_micros_per_day_max),
      rate_micros_per_minute_max: BigInt(row.limits.rate_micros_per_minute_max),
    },
    packs: row.packs.map((pack) => ({ ...pack, id: BigInt(pack.id) })),
  };
}

type CallerRow = PayerRow & { n: number; device: string; claimed_number: string | null; own_number: string | null };

/** The number of a device `d` that its account `a` may still show; null when it may not. */
export const ownNumber = `
       case when exists (select 1 from did where number = d.caller_number and account_id = a.id and state = 'active')
              or exists (select 1 from verified_caller where account_id = a.id and number = d.caller_number)
            then d.caller_number end`;

/**
 * A claim is matched by its end: whatever form it was dialled in, what it can match is only a number that the account
 * holds or has verified, so a lenient comparison gives nothing away. Six digits keep an extension from matching.
 *
 * `offset 0` has the device and its account looked for by themselves: a plan that was made while there were few of them, and is
 * kept, would rather read all of them once.
 */
const callerQuery = `
select q.n::integer, d.username as device, ${payerColumns},
       case when q.digits <> '' then
         (select c.number from (select number from did where account_id = a.id and state = 'active'
                                union all select number from verified_caller where account_id = a.id) c
           where q.digits = substr(c.number, 2)
              or (length(ltrim(q.digits, '0')) >= 6 and right(c.number, length(ltrim(q.digits, '0'))) = ltrim(q.digits, '0'))
           order by q.digits = substr(c.number, 2) desc, c.number limit 1) end as claimed_number,
       ${ownNumber} as own_number
  from (select u.n, u.device, regexp_replace(coalesce(u.claimed, ''), '[^0-9]', '', 'g') as digits
          from unnest($1::text[], $2::text[]) with ordinality as u(device, claimed, n)) q,
       lateral (select account_id, username, caller_number from sip_device where username = q.device and enabled offset 0) d,
       lateral (select id, state, home_country, time_zone, tax_ppm, sell_deck from account where id = d.account_id offset 0) a
  ${payerWallet}`;

/** Profiles in the order of the questions; null for a device that is not there or not enabled. */
export async function callerProfiles(
  db: Queryable,
  questions: readonly CallerQuestion[],
): Promise<(CallerProfile | null)[]> {
  const { rows } = await db.query<CallerRow>({
    name: 'caller_profiles',
    text: callerQuery,
    values: [questions.map((q) => q.device), questions.map((q) => q.claimed_caller)],
  });
  const answers: (CallerProfile | null)[] = questions.map(() => null);
  for (const row of rows) {
    const claimed = questions[row.n - 1]?.claimed_caller ?? null;
    // A phone that claims its own user name, as most do, claims no number.
    const claims = claimed !== null && claimed !== row.device;
    answers[row.n - 1] = {
      ...payerOf(row),
      device: row.device,
      caller_number: row.claimed_number ?? row.own_number,
      claim_refused: claims && row.claimed_number === null,
    };
  }
  return answers;
}
