import type { Queryable } from '../db/transaction.ts';
import { payerColumns, payerOf, payerWallet } from './caller_profile.ts';
import type { PayerProfile, PayerRow } from './caller_profile.ts';

/** The holder of a DID, what it pays for a call to it, and what shall ring. */
export interface CalleeProfile extends PayerProfile {
  number: string;
  did_state: 'free' | 'active' | 'suspended' | 'quarantined';
  inbound_rate_micros_per_minute: bigint;
  inbound_connect_fee_micros: bigint;
  inbound_initial_increment_seconds: number;
  inbound_subsequent_increment_seconds: number;
  ring_timeout_seconds: number;
  devices: readonly string[];
  /** Where its holder wants calls to go on to; null where phones ring and that is all. */
  forward: Forward | null;
  /** Whether messages are taken, with whose greeting; null where none are. */
  voicemail: { greeting: string | null } | null;
}

export interface Forward {
  to: string;
  /** `unanswered`: where no phone is there, none answers in time, or they are busy. */
  when: 'always' | 'unanswered';
}

type CalleeRow = PayerRow & {
  n: number;
  number: string;
  did_state: CalleeProfile['did_state'];
  inbound_rate_micros_per_minute: string;
  inbound_connect_fee_micros: string;
  inbound_initial_increment_seconds: number;
  inbound_subsequent_increment_seconds: number;
  ring_timeout_seconds: number;
  devices: string[];
  forward_to: string | null;
  forward_when: Forward['when'] | null;
  voicemail: 'standard' | 'own' | null;
  voicemail_greeting: string | null;
};

/** Twenty devices ring at most: more contacts than that in one INVITE is an abuse of forking, not a household. */
const calleeQuery = `
select q.n::integer, did.number, did.state as did_state, did.inbound_rate_micros_per_minute, did.inbound_connect_fee_micros,
       did.inbound_initial_increment_seconds, did.inbound_subsequent_increment_seconds, did.ring_timeout_seconds,
       did.forward_to, did.forward_when, did.voicemail, did.voicemail_greeting, ${payerColumns},
       coalesce((select array_agg(t.username) from (
         select username from sip_device s
          where s.account_id = a.id and s.enabled
            -- Those that the holder chose for this number; all of them where he chose none.
            and (not exists (select from number_device c where c.number = did.number)
                 or exists (select from number_device c where c.number = did.number and c.device_id = s.id))
          order by s.created_at, s.id limit 20) t), '{}') as devices
  from unnest($1::text[]) with ordinality as q(number, n)
  join did on did.number = q.number
  join account a on a.id = did.account_id
  ${payerWallet}`;

/** Profiles in the order of the numbers (+E.164); null for a number that is not ours or that nobody holds. */
export async function calleeProfiles(db: Queryable, numbers: readonly string[]): Promise<(CalleeProfile | null)[]> {
  const { rows } = await db.query<CalleeRow>({ name: 'callee_profiles', text: calleeQuery, values: [numbers] });
  const answers: (CalleeProfile | null)[] = numbers.map(() => null);
  for (const row of rows) {
    answers[row.n - 1] = {
      ...payerOf(row),
      number: row.number,
      did_state: row.did_state,
      inbound_rate_micros_per_minute: BigInt(row.inbound_rate_micros_per_minute),
      inbound_connect_fee_micros: BigInt(row.inbound_connect_fee_micros),
      inbound_initial_increment_seconds: row.inbound_initial_increment_seconds,
      inbound_subsequent_increment_seconds: row.inbound_subsequent_increment_seconds,
      ring_timeout_seconds: row.ring_timeout_seconds,
      devices: row.devices,
      forward:
        row.forward_to === null || row.forward_when === null ? null : { to: row.forward_to, when: row.forward_when },
      voicemail: row.voicemail === null ? null : { greeting: row.voicemail_greeting },
    };
  }
  return answers;
}
