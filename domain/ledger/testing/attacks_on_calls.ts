import type { Attacks } from './attacks_on_money.ts';
import { NOBODY, OPEN_LEG, OTHER_ACCOUNT } from './books.ts';

const hold = (change: string) => `update call_hold set ${change} where leg_id = '${OPEN_LEG}'`;
const record = (change: string) => `update cdr set ${change}`;
const limit = (change: string) => `update call_limit set ${change}`;
const forwarded = (to: string) =>
  `update did set forward_to = '${to}', forward_when = 'always' where number = '+442071838750'`;
const did = (change: string) => `update did set ${change} where number = '+442071838750'`;
const grant = (leg: string, no: number, seconds: number, micros: number, pack_seconds: number) =>
  `insert into call_grant values ('${leg}', ${no}, ${seconds}, ${micros}, ${pack_seconds}, '2026-01-15')`;

const call_hold: Attacks = {
  call_hold_pkey: ['insert into call_hold select * from call_hold'],
  call_hold_wallet_id_fkey: [hold('wallet_id = 999')],
  call_hold_switch_id_fkey: [hold(`switch_id = 'nobody'`)],
  call_hold_pack_id_fkey: [hold('pack_id = 999')],
  call_hold_state_check: [hold(`state = 'x'`)],
  call_hold_held_micros_check: [hold('held_micros = -1')],
  call_hold_pack_seconds_held_check: [hold('pack_seconds_held = -1, pack_id = 1')],
  call_hold_seconds_granted_check: [hold('seconds_granted = 0')],
  call_hold_answered_attempt_check: [hold('answered_attempt = 0')],
  // Seconds of a pack are held of some pack.
  call_hold_check: [hold('pack_seconds_held = 5')],
};

const call_grant: Attacks = {
  call_grant_pkey: [grant(OPEN_LEG, 1, 30, 100, 0)],
  call_grant_leg_id_fkey: [grant(NOBODY, 1, 30, 100, 0)],
  call_grant_seconds_check: [grant(OPEN_LEG, 2, 0, 100, 0)],
  call_grant_micros_check: [grant(OPEN_LEG, 2, 30, -1, 0)],
  call_grant_pack_seconds_check: [grant(OPEN_LEG, 2, 30, 100, -1)],
};

const cdr: Attacks = {
  cdr_pkey: ['insert into cdr select * from cdr'],
  // A call that was not refused has somebody who pays, but for an emergency.
  cdr_check: [record('wallet_id = null')],
  // A refusal has a reason, nothing else has.
  cdr_check1: [record(`refusal = 'outage'`), record(`result = 'refused'`)],
  cdr_direction_check: [record(`direction = 'sideways'`)],
  cdr_duration_ms_check: [record('duration_ms = -1')],
  cdr_duration_source_check: [record(`duration_source = 'guess'`)],
  cdr_seconds_charged_check: [record('seconds_charged = -1')],
  cdr_seconds_billed_check: [record('seconds_billed = -1')],
  cdr_net_micros_check: [record('net_micros = -1')],
  cdr_tax_micros_check: [record('tax_micros = -1')],
  cdr_operator_loss_micros_check: [record('operator_loss_micros = -1')],
  cdr_cost_micros_check: [record('cost_micros = -1')],
  cdr_result_check: [record(`result = 'odd'`)],
  cdr_blame_check: [record(`blame = 'weather'`)],
};

const switch_lease: Attacks = {
  switch_lease_pkey: ['insert into switch_lease select * from switch_lease'],
};

const call_limit: Attacks = {
  call_limit_pkey: ['insert into call_limit select * from call_limit'],
  call_limit_account_id_fkey: [`insert into call_limit values ('${NOBODY}', 5, 5, 1000, 1000, 1000)`],
  call_limit_concurrent_calls_max_check: [limit('concurrent_calls_max = -1')],
  call_limit_calls_per_second_max_check: [limit('calls_per_second_max = -1')],
  call_limit_spend_micros_per_hour_max_check: [limit('spend_micros_per_hour_max = -1')],
  call_limit_spend_micros_per_day_max_check: [limit('spend_micros_per_day_max = -1')],
  call_limit_rate_micros_per_minute_max_check: [limit('rate_micros_per_minute_max = -1')],
};

const inbound: Attacks = {
  did_pkey: [`insert into did (number, account_id, state) select number, '${OTHER_ACCOUNT}', state from did`],
  did_account_id_fkey: [did(`account_id = '${NOBODY}'`)],
  // A number that is called has a holder.
  did_check: [did('account_id = null')],
  did_number_check: [did(`number = '+0442071838750'`), did(`number = '442071838750'`)],
  did_state_check: [did(`state = 'lost'`)],
  did_inbound_rate_micros_per_minute_check: [did('inbound_rate_micros_per_minute = -1')],
  did_inbound_connect_fee_micros_check: [did('inbound_connect_fee_micros = -1')],
  did_inbound_initial_increment_seconds_check: [
    did('inbound_initial_increment_seconds = 0'),
    did('inbound_initial_increment_seconds = 3601'),
  ],
  did_inbound_subsequent_increment_seconds_check: [
    did('inbound_subsequent_increment_seconds = 0'),
    did('inbound_subsequent_increment_seconds = 3601'),
  ],
  did_ring_timeout_seconds_check: [did('ring_timeout_seconds = 4'), did('ring_timeout_seconds = 121')],
  did_forward_to_check: [forwarded('112'), forwarded('+49112'), forwarded('+0331234567')],
  did_forward_when_check: [did(`forward_to = '+331234567', forward_when = 'never'`)],
  did_forward_whole: [did(`forward_to = '+331234567'`), did(`forward_when = 'always'`)],
  did_forward_elsewhere: [did(`forward_to = number, forward_when = 'always'`)],
  did_forward_held: [`${did(`state = 'free', account_id = null`)}; ${forwarded('+331234567')}`],
  // What the last holder chose is there no more for the next one.
  'did_forgets_forward on update': [
    `${forwarded('+331234567')}; ${did(`account_id = '${OTHER_ACCOUNT}'`)}; ${did('ring_timeout_seconds = 31')} and forward_to is not null`,
  ],
  // Nor does the next one's text go where the last one chose, or to nobody.
  'did_forgets_text_webhooks on update': [
    `${did('texts_to_chosen = true')}; ${did(`account_id = '${OTHER_ACCOUNT}'`)}; ${did('ring_timeout_seconds = 31')} and texts_to_chosen`,
  ],
  did_voicemail_check: [did(`voicemail = 'shouted'`)],
  did_voicemail_whole: [did(`voicemail = 'own'`), did(`voicemail = 'standard', voicemail_greeting = '${NOBODY}'`)],
  did_voicemail_held: [`${did(`state = 'free', account_id = null`)}; ${did(`voicemail = 'standard'`)}`],
  // Nor is anybody greeted by him.
  'did_forgets_voicemail on update': [
    `${did(`voicemail = 'standard'`)}; ${did(`account_id = '${OTHER_ACCOUNT}'`)}; ${did('ring_timeout_seconds = 31')} and voicemail is not null`,
  ],
};

/** The rules of the tables by which calls are held, charged and recorded. */
export const attacksOnCalls: Readonly<Record<string, Attacks>> = {
  call_hold,
  call_grant,
  cdr,
  switch_lease,
  call_limit,
  did: inbound,
};
