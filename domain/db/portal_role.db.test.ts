import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testLogin } from '../../deploy/testing/database_login.ts';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { makeCustomer } from '../../deploy/world/people.ts';
import type { Customer } from '../../deploy/world/people.ts';
import { appendAudit } from '../audit/append_audit.ts';
import { chargeWallet } from '../ledger/charge_wallet.ts';
import { brokenInvariants } from '../ledger/invariants.ts';
import { privilegesOf } from './testing/privileges.ts';
import type { Privileges } from './testing/privileges.ts';
import { inTransaction } from './transaction.ts';

const PATH = 'as its owner search_path=public, pg_temp';
/** No statement of theirs has a choice of plans (0029_planned_once.sql). */
const PLANNED_ONCE = 'plan_cache_mode=force_generic_plan';

/** One after the other, apart by white space. */
const of = (verb: string, names: string): string[] =>
  names
    .trim()
    .split(/\s+/u)
    .map((name) => `${verb} ${name}`);

/** What graphile-worker keeps its tasks in: a schema of its own, in which nothing of ours is. */
const WORKER = '_private_job_queues _private_jobs _private_known_crontabs _private_tasks jobs migrations';
const workers: Omit<Privileges, 'powers'> = {
  tables: [
    ...['select', 'insert', 'update', 'delete'].flatMap((verb) => of(verb, WORKER)),
    ...['usage', 'select'].flatMap((verb) => of(verb, 'job_queues_id_seq jobs_id_seq1 tasks_id_seq')),
  ],
  functions: [
    ...['add_job', 'add_jobs', 'complete_jobs', 'force_unlock_workers', 'permanently_fail_jobs', 'remove_job'],
    'reschedule_jobs',
  ],
};

/** Whoever widens one of these says in a review what it is needed for. */
const portal: Privileges = {
  tables: [
    ...workers.tables,
    ...of(
      'select',
      `
      acceptance account account_holder account_quality_hour api_key appeal audit_head audit_log
      auto_top_up billing_profile blocked_phone_prefix call_command call_hold call_limit cancellation_order carrier cdr
      code_request content_rule country_text_rule data_key debt_restriction deck_change did document_requirement
      document_requirement_set dunning emergency_route external_identity fault_claim finance_order fx_rate guess_count
      idempotent_request identity_challenge invitation invoice invoice_counter invoice_line kyc_case
      kyc_claims kyc_document ledger_account ledger_invariant ledger_tx legal_document login_event
      mail_bounce membership message message_event message_invariant message_queue message_state
      minute_pack money_approval number_cancellation number_device number_hold number_holding
      number_notice number_offer number_order number_order_event number_period number_price
      number_provider number_transfer number_webhook opt_out ownership_dispute pack_offer pack_purchase passkey payment_attempt ported_number
      payment_attempt_change payment_customer payment_dispute payment_event payment_method port_in
      port_in_document port_in_event port_in_rule port_out portal_user posting profile_change promo_credit provider_event provider_rule
      provider_submission rate rate_deck reconciliation_finding reconciliation_run recovery_code refund
      refund_part registration_flow reset_due restriction reveal_grant route_alarm route_quality_hour
      route_threshold sign_up_day sign_up_first speaker spoken_code tax_rate terms_telling text_limit text_quality text_rate
      text_sender text_trust totp trunk_address undeliverable_address unheld_text verification_code verified_caller voice_message wallet`,
    ),
    ...of(
      'insert',
      `
      acceptance account account_holder account_quality_hour api_key appeal audit_head auto_top_up
      billing_profile blocked_phone_prefix call_command call_limit cancellation_order code_request country_text_rule data_key debt_restriction
      deck_change document_requirement document_requirement_set dunning emergency_route external_identity fault_claim finance_order
      guess_count idempotent_request identity_challenge invitation invoice invoice_counter invoice_line
      kyc_case kyc_claims kyc_document legal_document login_event mail_bounce membership money_approval
      number_cancellation number_device number_hold number_holding number_notice number_offer
      number_order number_order_event number_period number_price number_transfer number_webhook ownership_dispute pack_offer pack_purchase
      passkey payment_attempt payment_attempt_change payment_customer payment_dispute payment_event
      payment_method port_in port_in_document port_in_event port_in_rule port_out portal_user ported_number profile_change provider_event provider_rule
      provider_submission rate reconciliation_finding reconciliation_run recovery_code refund refund_part
      registration_flow reset_due restriction reveal_grant route_alarm route_quality_hour route_threshold
      sip_device spoken_code tax_rate terms_telling text_limit text_rate text_sender text_trust totp trunk_address
      undeliverable_address verification_code verified_caller voice_message`,
    ),
    ...of(
      'update',
      `
      auto_top_up document_requirement_set guess_count idempotent_request identity_challenge kyc_case
      kyc_document legal_document number_hold number_offer passkey port_in_rule portal_user recovery_code
      registration_flow reset_due route_alarm route_threshold totp undeliverable_address
      verification_code`,
    ),
    ...of(
      'delete',
      `
      account_quality_hour blocked_phone_prefix code_request content_rule country_text_rule debt_restriction document_requirement
      document_requirement_set emergency_route external_identity guess_count idempotent_request identity_challenge
      kyc_document login_event mail_bounce membership number_device number_hold number_webhook passkey port_in_rule ported_number provider_rule
      recovery_code registration_flow reset_due route_quality_hour sign_up_first sip_device text_limit text_sender text_trust totp trunk_address undeliverable_address
      verification_code verified_caller voice_message webhook_endpoint`,
    ),
    'insert carrier: code, currency, enabled, name, operation_id',
    'insert carrier_bind: alphanumeric_sender, carrier_id, closes_at, countries, default_alphabet, enabled, home_country, host, id, interface_version, kind, name_npi, name_ton, national_languages, number_npi, number_ton, opens_at, operation_id, outbind_address, outbind_password, outbind_system_id, password, plus_sign, port, receipt_id_form, receipt_utc_offset_minutes, recipient_npi, recipient_ton, sends_validity, short_code_npi, short_code_ton, system_id, system_type, texts_per_second_max, time_zone, tls, tls_authorities, tls_name, unflagged_receipts, window_max',
    'insert content_rule: action, country, created_at, enabled, kind, operation_id, pattern, reason',
    'insert did: number',
    'insert esme: account_id, address_range, allowed_address, binds_max, created_at, default_class, enabled, on_doubt, operation_id, password_scrypt, system_id, texts_per_second_max, tls_required, window_max',
    'insert minute_pack: expires_at, name, prefixes, seconds_left, wallet_id',
    'insert rate_deck: carrier_id, currency, imported_by, name, service, side, version',
    'insert trunk: auth_secret, auth_username, carrier_id, enabled, from_domain, host, id, max_channels, operation_id, port, transport',
    'insert wallet: account_id, currency',
    'insert webhook_endpoint: account_id, created_at, id, kinds, secret, url',
    'select carrier_bind: alphanumeric_sender, carrier_id, closes_at, countries, default_alphabet, enabled, has_password, home_country, host, id, interface_version, kind, name_npi, name_ton, national_languages, number_npi, number_ton, opens_at, operation_id, outbind_address, outbind_system_id, plus_sign, port, receipt_id_form, receipt_utc_offset_minutes, recipient_npi, recipient_ton, sends_validity, short_code_npi, short_code_ton, system_id, system_type, texts_per_second_max, time_zone, tls, tls_authorities, tls_name, unflagged_receipts, version, window_max',
    'select esme: account_id, address_range, allowed_address, binds_max, created_at, default_class, enabled, on_doubt, operation_id, system_id, texts_per_second_max, tls_required, version, window_max',
    'select sip_device: account_id, caller_number, created_at, enabled, id, label, username, version',
    'select trunk: auth_username, carrier_id, enabled, from_domain, host, id, max_channels, operation_id, port, transport, version',
    'select webhook_endpoint: account_id, created_at, enabled, id, kinds, url',
    'update acceptance: address',
    'update account: data_key_id, party, state, tax_ppm, version',
    'update api_key: revoked_at',
    'update appeal: decided_at, decided_by, decision_words, state, version, words',
    'update billing_profile: profile_sealed, version',
    'update blocked_phone_prefix: reason, set_at, set_by, version',
    'update call_limit: blocked_prefixes, calls_per_second_max, concurrent_calls_max, rate_micros_per_minute_max, spend_micros_per_day_max, spend_micros_per_hour_max',
    'update cancellation_order: decided_at, state',
    'update carrier: code, enabled, name, version',
    'update carrier_bind: alphanumeric_sender, closes_at, countries, default_alphabet, enabled, home_country, host, interface_version, kind, name_npi, name_ton, national_languages, number_npi, number_ton, opens_at, outbind_address, outbind_password, outbind_system_id, password, plus_sign, port, receipt_id_form, receipt_utc_offset_minutes, recipient_npi, recipient_ton, sends_validity, short_code_npi, short_code_ton, system_id, system_type, texts_per_second_max, time_zone, tls, tls_authorities, tls_name, unflagged_receipts, version, window_max',
    'update content_rule: action, country, enabled, kind, pattern, reason, version',
    'update country_text_rule: alphanumeric_sender, bulk_from, bulk_until, time_zones, version',
    'update data_key: destroyed_at, kek_id, wrapped',
    'update deck_change: approved_at, approved_by, margin_alarms, state, valid_from, version',
    'update did: account_id, forward_to, forward_when, ring_timeout_seconds, state, texts_to_chosen, voicemail, voicemail_greeting',
    'update dunning: method_id, next_at, state, tries',
    'update emergency_route: trunk_id, version',
    'update esme: address_range, allowed_address, binds_max, default_class, enabled, on_doubt, password_scrypt, texts_per_second_max, tls_required, version, window_max',
    'update fault_claim: answer, closed_at, closed_by, credit_days, credit_net_micros, credit_tax_micros, ended_at, state, version',
    'update finance_order: state',
    'update ported_number: ported_at, routing_number',
    'update invitation: accepted_at, revoked_at, token_sha256',
    'update invoice_counter: last',
    'update login_event: address, disowned_at',
    'update membership: role',
    'update number_cancellation: done_at, undone_at',
    'update number_holding: anchor_day, blocked_until, end_reason, held_to, paid_until, periods, port_pin_hmac, port_pin_tries_left, state, state_since, version',
    'update number_order: failure, provisioning_since, state, state_since',
    'update number_provider: enabled, version',
    'update number_transfer: accepted_at, decided_at, failure, new_holding_id, order_id, provider_since, provider_state, state, to_account_id',
    'update ownership_dispute: answer, closed_at, closed_by, holder_answered_at, holder_words, kept_until, proposed_at, proposed_by, state, version',
    'update pack_offer: sold_until, version',
    'update payment_attempt: changed_at, checkout_url, failure, provider_payment, refunded_micros, state',
    'update payment_dispute: closed_at, state',
    'update payment_method: removed_at',
    'update port_in: documents_asked, fee_waived, reason, scheduled_for, state, state_since',
    'update port_in_document: refused_at',
    'update port_out: decided_at, reason, state',
    'update provider_submission: deletion_asked_at',
    'update rate_deck: checksum',
    'update profile_change: address',
    'update refund: state',
    'update refund_part: provider_refund, state',
    'update restriction: end_reason, end_told_at, ended_by, ends_at, version',
    'update spoken_code: box, ended_at, failure, state',
    'update sip_device: caller_number, enabled, ha1_md5, ha1_sha256, label, version',
    'update terms_telling: done_at, told, told_up_to',
    'update text_limit: texts_per_day_max, texts_per_second_max',
    'update text_trust: decided_at, decided_by, reason, trusted_until',
    'update trunk: auth_secret, auth_username, enabled, from_domain, host, max_channels, port, transport, version',
    'update voice_message: heard_at',
    'update wallet: cash_spend_order',
    'update webhook_endpoint: enabled, kinds, secret, url',
  ].sort(),
  functions: [
    ...workers.functions,
    `accept_messages ${PATH}`,
    `accept_texts ${PATH} enable_seqscan=off ${PLANNED_ONCE}`,
    `append_audit ${PATH}`,
    'billable',
    'billable_since',
    `charge_wallet ${PATH}`,
    `decide_held_message ${PATH}`,
    `decide_unheld_text ${PATH}`,
    `expire_promo ${PATH}`,
    `give_back ${PATH}`,
    `grant_promo ${PATH}`,
    `ledger_account_of ${PATH}`,
    `owes_terms ${PATH}`,
    `post_portal_transaction ${PATH}`,
    `put_deck_in_force ${PATH}`,
    `roll_deck_back ${PATH}`,
    'uuid_v7_floor',
  ].sort(),
  powers: [],
};

const now = new Date('2026-01-15T12:00:00Z');

let database: FreshDatabase;
/** Of the superuser, who owns the tables. */
let owner: pg.Pool;
/** Logged in as the portal is. */
let pool: pg.Pool;
let customer: Customer;

beforeAll(async () => {
  database = await freshDatabase();
  owner = new pg.Pool({ connectionString: database.url, max: 2 });
  const url = await testLogin(database.url, 'letsdial_portal');
  pool = new pg.Pool({ connectionString: url, max: 2 });
  customer = await makeCustomer(owner, { balance_micros: 1000n, number: '+49301234567' });
});

afterAll(async () => {
  expect(await brokenInvariants(owner)).toEqual([]);
  await pool.end();
  await owner.end();
  await database.drop();
});

async function refusal(sql: string): Promise<string> {
  return pool.query(sql).then(
    () => 'done',
    (error: unknown) => (error instanceof pg.DatabaseError ? `${error.code}: ${error.message}` : String(error)),
  );
}

async function balance(): Promise<unknown> {
  const { rows } = await owner.query('select balance_micros, held_micros from wallet where id = $1', [
    customer.wallet_id.toString(),
  ]);
  return rows[0];
}

describe('the rights of the portal', () => {
  it('are those that are written here', async () => {
    expect(await privilegesOf(owner, 'letsdial_portal')).toEqual(portal);
  });

  it('are those of its login, which adds nothing', async () => {
    const { rows } = await pool.query<{ user: string }>('select current_user as user');
    const login = rows[0]?.user ?? '';
    expect(await privilegesOf(owner, login)).toEqual({ ...portal, powers: ['member of letsdial_portal'] });
  });

  it.each([
    'grant update (held_micros) on wallet to letsdial_portal',
    'grant select (ha1_md5) on sip_device to letsdial_portal',
    // Of a table that it may read whole.
    'grant delete on audit_log to letsdial_portal',
    'grant insert on posting to public',
    'grant execute on function settle_batch to letsdial_portal',
    'grant execute on function post_transaction to public',
    'grant execute on function last_owner_stays to public',
    'grant create on schema public to letsdial_portal',
    'grant letsdial_controller to letsdial_portal',
    'alter function charge_wallet reset search_path',
    'create or replace function added() returns void language sql as $$ select $$',
  ])('are seen to be others after: %s', async (widening) => {
    const client = await owner.connect();
    try {
      await client.query('begin');
      await client.query(widening);
      expect(await privilegesOf(client, 'letsdial_portal')).not.toEqual(portal);
    } finally {
      await client.query('rollback');
      client.release();
    }
  });
});

describe('the portal', () => {
  it('charges a wallet, and logs it', async () => {
    const charge = {
      ...{
        kind: 'purchase' as const,
        ref: randomUUID(),
        wallet_id: customer.wallet_id,
        net_micros: 100n,
        tax_micros: 0n,
      },
      ...{ content: { what: 'test' }, policy_version: 'of a test', now },
    };
    expect(await inTransaction(pool, (tx) => chargeWallet(tx, charge))).toBe('posted');
    expect(await balance()).toEqual({ balance_micros: '900', held_micros: '0' });
    await inTransaction(pool, (tx) =>
      appendAudit(tx, {
        ...{ at: now, actor: { kind: 'system', id: 'test' }, action: 'wallet.charge', account_id: customer.account_id },
        ...{ subject: `wallet:${customer.wallet_id}`, detail: {} },
      }),
    );
    const { rows } = await pool.query('select action from audit_log');
    expect(rows).toEqual([{ action: 'wallet.charge' }]);
  });

  it('cannot put a table of its own in the place of ours', async () => {
    const before = await balance();
    const client = await pool.connect();
    try {
      await client.query('create temporary table wallet as select * from public.wallet');
      await client.query('update wallet set balance_micros = 1000000');
      const { rows } = await client.query(
        `select charge_wallet('purchase', gen_random_uuid(), $1, 5000, 0, '{}', now()) as verdict`,
        [customer.wallet_id.toString()],
      );
      expect(rows).toEqual([{ verdict: 'no_money' }]);
    } finally {
      client.release(true);
    }
    expect(await balance()).toEqual(before);
  });

  it.each(['call', 'text', 'text_refund', 'text_cost'])('posts nothing of the kind %s', async (kind) => {
    const sql = `select post_portal_transaction('${kind}', gen_random_uuid(), '{}', '{}', '{}')`;
    expect(await refusal(sql)).toBe(`P0001: the portal posts nothing of the kind ${kind}`);
  });

  it.each([
    // Money moves by postings, and these by the functions that see to it that nothing is lost.
    ['update wallet set balance_micros = 1000000', 'table wallet'],
    ['update wallet set held_micros = 0', 'table wallet'],
    ['update wallet set credit_limit_micros = 1000000', 'table wallet'],
    [
      `insert into wallet (account_id, currency, credit_limit_micros) select id, 'USD', 1000000 from account`,
      'table wallet',
    ],
    ['delete from wallet', 'table wallet'],
    ['insert into posting values (1, 1, $$EUR$$, 1)', 'table posting'],
    ['update posting set amount_micros = 0', 'table posting'],
    [`insert into ledger_tx (kind, ref, content) values ('topup', gen_random_uuid(), '{}')`, 'table ledger_tx'],
    [`update ledger_tx set content = '{}'`, 'table ledger_tx'],
    ['delete from ledger_tx', 'table ledger_tx'],
    ['truncate ledger_tx cascade', 'table ledger_tx'],
    [`insert into ledger_account (kind, currency) values ('rounding', 'EUR')`, 'table ledger_account'],
    ['update promo_credit set expires_at = now()', 'table promo_credit'],
    ['update minute_pack set seconds_left = 1000', 'table minute_pack'],
    ['update payment_attempt set amount_micros = 1', 'table payment_attempt'],
    ['delete from payment_attempt', 'table payment_attempt'],
    ['update refund set amount_micros = 1', 'table refund'],
    ['update refund_part set amount_micros = 1', 'table refund_part'],
    ['update finance_order set requested_by = gen_random_uuid()', 'table finance_order'],
    ['delete from money_approval', 'table money_approval'],
    ['update pack_offer set price_micros = 0', 'table pack_offer'],
    ['update tax_rate set tax_ppm = 0', 'table tax_rate'],
    ['update invoice set total_micros = 0', 'table invoice'],
    ['delete from invoice_line', 'table invoice_line'],
    ['update number_price set monthly_micros = 0', 'table number_price'],
    ['update number_order set setup_micros = 0', 'table number_order'],
    ['update number_holding set monthly_micros = 0', 'table number_holding'],
    ['update number_holding set account_id = gen_random_uuid()', 'table number_holding'],
    ['delete from number_holding', 'table number_holding'],
    ['update number_period set net_micros = 0', 'table number_period'],
    ['update number_cancellation set refund_net_micros = 1', 'table number_cancellation'],
    ['update cancellation_order set refund_micros = 1', 'table cancellation_order'],
    [`update cancellation_order set refund = 'full'`, 'table cancellation_order'],
    ['delete from cancellation_order', 'table cancellation_order'],
    ['update number_order set fx_numerator = 1', 'table number_order'],
    ['update port_in set fee_micros = 0', 'table port_in'],
    ['update port_in_event set reason = null', 'table port_in_event'],
    ['update did set inbound_rate_micros_per_minute = 0', 'table did'],
    ['delete from did', 'table did'],
    ['update rate set rate_micros_per_minute = 0', 'table rate'],
    [`update rate_deck set state = 'retired'`, 'table rate_deck'],
    ['update deck_change set uploaded_by = $$nobody$$', 'table deck_change'],
    // What was done and seen stays written down.
    ['insert into audit_log select * from audit_log', 'table audit_log'],
    [`update audit_log set detail = '{}'`, 'table audit_log'],
    ['delete from audit_log', 'table audit_log'],
    ['truncate audit_log cascade', 'table audit_log'],
    ['delete from audit_head', 'table audit_head'],
    ['update acceptance set at = now()', 'table acceptance'],
    ['delete from acceptance', 'table acceptance'],
    ['delete from legal_document', 'table legal_document'],
    ['delete from reveal_grant', 'table reveal_grant'],
    [`update reveal_grant set purpose = 'another'`, 'table reveal_grant'],
    [`update unheld_text set reason = 'another'`, 'table unheld_text'],
    ['insert into unheld_text select * from unheld_text', 'table unheld_text'],
    ['delete from opt_out', 'table opt_out'],
    ['update profile_change set before_sealed = null', 'table profile_change'],
    [`update login_event set result = 'signed_in'`, 'table login_event'],
    ['update kyc_claims set sealed = null', 'table kyc_claims'],
    ['update document_requirement set claims = null', 'table document_requirement'],
    ['update number_order_event set note = null', 'table number_order_event'],
    ['update restriction set reason = null', 'table restriction'],
    [`update appeal set restriction_set_by = 'nobody'`, 'table appeal'],
    ['delete from data_key', 'table data_key'],
    ['delete from account', 'table account'],
    [`update account set sell_deck = 'free'`, 'table account'],
    ['delete from portal_user', 'table portal_user'],
    // Calls and texts are the controller's and the gateway's.
    ['update cdr set net_micros = 0', 'table cdr'],
    ['delete from cdr', 'table cdr'],
    [`update call_hold set state = 's'`, 'table call_hold'],
    ['delete from call_grant', 'table call_grant'],
    ['insert into message select * from message', 'table message'],
    ['update message set body = null', 'table message'],
    ['delete from message', 'table message'],
    [`update message_queue set state = 'w'`, 'table message_queue'],
    ['update message_event set cost_micros = 0', 'table message_event'],
    ['update call_command set done_at = now()', 'table call_command'],
    [`update speaker set public_key = ''`, 'table speaker'],
    ['update spoken_code set call_id = gen_random_uuid()', 'table spoken_code'],
    ['update voice_message set account_id = gen_random_uuid()', 'table voice_message'],
    ['update switch_lease set epoch = 1', 'table switch_lease'],
    ['select * from outbox', 'table outbox'],
    // Secrets that others need.
    ['select ha1_md5 from sip_device', 'table sip_device'],
    ['select ha1_sha256 from sip_device', 'table sip_device'],
    ['select auth_secret from trunk', 'table trunk'],
    ['select password from carrier_bind', 'table carrier_bind'],
    ['select outbind_password from carrier_bind', 'table carrier_bind'],
    ['select password_scrypt from esme', 'table esme'],
    ['select secret from webhook_endpoint', 'table webhook_endpoint'],
    ['select password_digest from ps_auths', 'view ps_auths'],
    [`update api_key set scopes = '{everything}'`, 'table api_key'],
    // What was bought of a carrier, and is owed to it, stays its own.
    [`update trunk set carrier_id = 1`, 'table trunk'],
    ['delete from trunk', 'table trunk'],
    [`update carrier_bind set carrier_id = 1`, 'table carrier_bind'],
    ['delete from carrier_bind', 'table carrier_bind'],
    [`update carrier set currency = 'USD'`, 'table carrier'],
    ['delete from carrier', 'table carrier'],
    [`select settle_batch('switch', 1, '[]')`, 'function settle_batch'],
    [`select authorize_batch('switch', 1, '[]')`, 'function authorize_batch'],
    [`select record_unheld_batch('switch', 1, '[]')`, 'function record_unheld_batch'],
    [`select take_lease('switch', gen_random_uuid(), now())`, 'function take_lease'],
    [`select post_transaction('topup', gen_random_uuid(), '{}', '{}', '{}')`, 'function post_transaction'],
    [`select ledger_account_id('rounding', 'EUR', null, null)`, 'function ledger_account_id'],
    ['select refund_message(gen_random_uuid(), 1, now())', 'function refund_message'],
    [`select erase_bodies('sms', 1, now())`, 'function erase_bodies'],
    ['create table public.ours (id integer)', 'schema public'],
    [`create function public.ours() returns void language sql as ''`, 'schema public'],
    ['create schema ours', 'database'],
    ['set role letsdial_controller', 'set role'],
    ['set session_replication_role = replica', 'set parameter "session_replication_role"'],
  ])('is refused: %s', async (sql, what) => {
    expect(await refusal(sql)).toMatch(new RegExp(`^42501: permission denied (for|to) ${what}`));
  });

  it.each([
    'drop table audit_log',
    'drop trigger append_only on audit_log',
    'drop trigger append_only on posting',
    'drop trigger last_owner_stays on portal_user',
    'alter table audit_log disable trigger all',
    'alter table wallet drop constraint wallet_floor',
    'alter table number_holding drop constraint number_holding_alone',
    'alter function charge_wallet reset search_path',
  ])('is refused: %s', async (sql) => {
    expect(await refusal(sql)).toMatch(/^42501: must be owner of /);
  });
});
