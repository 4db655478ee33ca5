import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { chargeWallet } from '../../../domain/ledger/charge_wallet.ts';
import { withTax } from '../../../domain/rating/price.ts';
import { mustBeOfAccount } from '../../http/idempotency.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { PAYMENT_POLICY } from '../../payments/payment_policy.ts';
import { insertHolding } from '../holdings/holding_rows.ts';
import { renewNumber } from '../holdings/renew.ts';
import { lockNumber, setNumber } from '../lock_number.ts';
import { priceToday } from '../offers/wallet_price.ts';
import { mayBuy, selectBuyer } from '../orders/buyer.ts';
import type { BuyerPorts, BuyerRefusal } from '../orders/buyer.ts';
import { OPEN_PORT_INS_MAX } from '../terms.ts';
import { isAsItsDigitsSay } from './as_its_digits_say.ts';
import {
  addDocuments,
  areDocuments,
  countOpenPortIns,
  insertPortIn,
  lockPortIn,
  provenAccounts,
  refuseDocuments,
  savePortIn,
  selectPortIn,
} from './port_in_rows.ts';
import type { PortIn, PortInDocument } from './port_in_rows.ts';
import { portInRuleOf, portInRules } from './port_in_rule.ts';
import { missingKinds, nextPortInState } from './port_in_state.ts';
import type { PortInDocumentKind, PortInEvent } from './port_in_state.ts';

export type PortInWish = Pick<PortIn, 'id' | 'account_id' | 'number' | 'country' | 'number_type' | 'from_carrier'> & {
  documents: readonly PortInDocument[];
};

export type PortInAsked =
  | { kind: 'requested'; port_in: PortIn }
  | { kind: 'kyc_required'; missing: readonly string[] }
  | {
      kind:
        | 'already_requested'
        | 'already_here'
        | 'no_such_document'
        | 'not_as_its_digits_say'
        | 'too_many_open'
        | 'terms_required'
        | BuyerRefusal;
    };

/**
 * Asks for a number, at the price that its country's rule has now. It has to be known who asks as of whoever orders such a number: on the
 * day on which the other operator lets it go it would be too late to ask for that.
 */
export async function askPortIn(
  tx: Transaction,
  wish: PortInWish,
  now: Date,
  { termsAccepted, missingDocuments }: BuyerPorts,
): Promise<PortInAsked> {
  const before = await selectPortIn(tx, wish.id);
  if (before !== null) {
    mustBeOfAccount(before.account_id, wish.account_id);
    return { kind: 'requested', port_in: before };
  }
  if (!isAsItsDigitsSay(wish)) return { kind: 'not_as_its_digits_say' };
  const rule = await portInRuleOf(tx, wish.country);
  const wallet = mayBuy(await selectBuyer(tx, wish.account_id, rule.currency, now));
  if ('refusal' in wallet) return { kind: wallet.refusal };
  if (!(await termsAccepted(tx, wish.account_id, now))) return { kind: 'terms_required' };
  if ((await countOpenPortIns(tx, wish.account_id)) >= OPEN_PORT_INS_MAX) return { kind: 'too_many_open' };
  if (await isOurs(tx, wish.number)) return { kind: 'already_here' };
  if (!(await areDocuments(tx, wish.account_id, wish.documents))) return { kind: 'no_such_document' };
  const missing = await missingDocuments(tx, { ...wish, now });
  if (missing.length > 0) return { kind: 'kyc_required', missing };
  const price = await priceToday(tx, { ...rule, setup_micros: rule.fee_micros }, wallet.currency, now);
  if (price === null) return { kind: 'no_rate' };
  const costs = { currency: price.currency, fee_micros: price.setup_micros, monthly_micros: price.monthly_micros };
  const port_in: PortIn = {
    ...wish,
    ...{ wallet_id: wallet.wallet_id, ...costs, state: 'requested', state_since: now, reason: null },
    ...{ documents_asked: [], scheduled_for: null, fee_waived: false, requested_at: now, documents: [] },
  };
  if (!(await insertPortIn(tx, port_in))) return { kind: 'already_requested' };
  await addDocuments(tx, port_in.id, wish.documents, now);
  return { kind: 'requested', port_in: await lookAtDocuments(tx, port_in.id, now) };
}

export type DocumentsAdded =
  { kind: 'added'; port_in: PortIn } | { kind: 'not_found' | 'too_late' | 'no_such_document' };

/** Further documents of a number that waits for them; it goes on where they are all that was missing. */
export async function addPortInDocuments(
  tx: Transaction,
  id: string,
  { account_id, documents, now }: { account_id: string; documents: readonly PortInDocument[]; now: Date },
): Promise<DocumentsAdded> {
  const port_in = await lockPortIn(tx, id);
  if (port_in?.account_id !== account_id) return { kind: 'not_found' };
  if (port_in.state !== 'documents_missing') return { kind: 'too_late' };
  if (!(await areDocuments(tx, account_id, documents))) return { kind: 'no_such_document' };
  await addDocuments(tx, id, documents, now);
  return { kind: 'added', port_in: await lookAtDocuments(tx, id, now) };
}

/** What open ones still need by the rules of their countries; of those that need nothing more there is nothing here. */
export async function missingDocumentsOf(
  db: Queryable,
  port_ins: readonly PortIn[],
  now: Date,
): Promise<ReadonlyMap<string, PortInDocumentKind[]>> {
  const waiting = port_ins.filter(({ state }) => state === 'requested' || state === 'documents_missing');
  if (waiting.length === 0) return new Map();
  const rules = new Map((await portInRules(db)).map((rule) => [rule.country, rule]));
  const account_ids = [...new Set(waiting.map(({ account_id }) => account_id))];
  const proven = await provenAccounts(db, account_ids, now);
  return new Map(
    waiting.map(({ id, account_id, country, documents_asked, documents }) => {
      const rule = rules.get(country) ?? rules.get('*');
      if (rule === undefined) throw new Error('There is no rule for numbers that come from other operators.');
      // Who has proven his identity need not do so again, unless he is asked to.
      const by_rule = rule.documents.filter((kind) => kind !== 'identity' || !proven.has(account_id));
      return [id, missingKinds([...new Set([...by_rule, ...documents_asked])], documents)];
    }),
  );
}

/** Lets it go on where all documents are there, or has it wait for them. */
async function lookAtDocuments(tx: Transaction, id: string, now: Date): Promise<PortIn> {
  const port_in = await selectPortIn(tx, id);
  if (port_in === null) throw new Error(`There is no port-in ${id}.`);
  const missing = (await missingDocumentsOf(tx, [port_in], now)).get(id) ?? [];
  const state = nextPortInState(port_in.state, missing.length > 0 ? 'documents_missing' : 'documents_there');
  return state === null ? port_in : save(tx, { ...port_in, state, state_since: now, reason: null });
}

export type PortInMove = { reason: string | null; now: Date } & (
  | { event: 'cancelled'; account_id: string }
  | { event: 'documents_refused'; documents: readonly PortInDocumentKind[] }
  | { event: 'rejected' }
  | { event: 'scheduled'; scheduled_for: string }
  /** The number's holding is made with that id. */
  | { event: 'completed'; waive_fee: boolean; holding_id: string }
);

export type PortInMoved =
  | { kind: 'moved'; port_in: PortIn }
  | { kind: 'kyc_required'; missing: readonly string[] }
  | { kind: 'not_found' | 'too_late' | 'already_here' | 'no_money' | 'day_is_past' | 'not_yet' | BuyerRefusal };

/**
 * What the customer or an admin decides. Once completed, the number is the customer's, and its first month is paid or in grace. Of the
 * documents that such a number needs some may have run out since it was asked for: no day is set for it then, and it is not taken over.
 * Whatever is not `moved` is to be rolled back.
 */
export async function movePortIn(
  tx: Transaction,
  id: string,
  move: PortInMove,
  { missingDocuments }: Pick<BuyerPorts, 'missingDocuments'>,
): Promise<PortInMoved> {
  const port_in = await lockPortIn(tx, id);
  if (port_in === null) return { kind: 'not_found' };
  if (move.event === 'cancelled' && port_in.account_id !== move.account_id) return { kind: 'not_found' };
  const event: PortInEvent = move.event;
  const state = nextPortInState(port_in.state, event);
  if (state === null) return { kind: 'too_late' };
  const { now, reason } = move;
  if (move.event === 'scheduled' || move.event === 'completed') {
    const missing = await missingDocuments(tx, { ...port_in, now });
    if (missing.length > 0) return { kind: 'kyc_required', missing };
  }
  const today = now.toISOString().slice(0, 10);
  const moved: PortIn = { ...port_in, state, state_since: now, reason };
  switch (move.event) {
    case 'cancelled':
    case 'rejected':
      break;
    case 'documents_refused':
      await refuseDocuments(tx, id, move.documents, now);
      moved.documents_asked = [...new Set([...port_in.documents_asked, ...move.documents])];
      break;
    case 'scheduled':
      if (move.scheduled_for < today) return { kind: 'day_is_past' };
      moved.scheduled_for = move.scheduled_for;
      break;
    case 'completed': {
      if (port_in.scheduled_for !== null && port_in.scheduled_for > today) return { kind: 'not_yet' };
      const refusal = await bringHome(tx, port_in, move, now);
      if (refusal !== null) return { kind: refusal };
      moved.fee_waived = move.waive_fee;
    }
  }
  return { kind: 'moved', port_in: await save(tx, moved) };
}

async function save(tx: Transaction, port_in: PortIn): Promise<PortIn> {
  await savePortIn(tx, port_in);
  const { id, account_id, number, state, reason, scheduled_for } = port_in;
  await queueNotice(tx, {
    to: { account_id },
    template: 'order_state',
    facts: {
      ...{ number, state },
      ...(state === 'scheduled' && scheduled_for !== null ? { scheduled_for } : {}),
      ...(reason === null ? {} : { reason }),
    },
  });
  const saved = await selectPortIn(tx, id);
  if (saved === null) throw new Error(`Port-in ${id} was not written.`);
  return saved;
}

async function bringHome(
  tx: Transaction,
  port_in: PortIn,
  { waive_fee, holding_id }: { waive_fee: boolean; holding_id: string },
  now: Date,
): Promise<'already_here' | 'no_money' | BuyerRefusal | null> {
  const { number, account_id, wallet_id, currency, monthly_micros } = port_in;
  const from = await takeUp(tx, port_in, now);
  if (from === null) return 'already_here';
  // It was asked for long ago, and is bought now.
  const buyer = mayBuy(await selectBuyer(tx, account_id, currency, now));
  if ('refusal' in buyer) return buyer.refusal;
  if (!waive_fee && !(await chargeFee(tx, port_in, now))) return 'no_money';
  const holding = { id: holding_id, number, account_id, wallet_id, currency, monthly_micros, converted: null };
  const anchor_day = from.getUTCDate();
  const since = { held_from: from, held_to: null, state_since: from, paid_until: from, anchor_day };
  await insertHolding(tx, { ...holding, ...since, state: 'active', periods: 0, version: 1 }, null);
  await setNumber(tx, number, { state: 'active', account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'active' });
  await renewNumber(tx, number, now);
  return null;
}

/** False where the wallet holds too little. */
async function chargeFee(tx: Transaction, port_in: PortIn, now: Date): Promise<boolean> {
  const { id, number, account_id, wallet_id, currency, fee_micros } = port_in;
  if (fee_micros === 0n) return true;
  const { tax_ppm } = await selectBuyer(tx, account_id, currency, now);
  const { net, tax } = withTax(fee_micros, tax_ppm);
  const verdict = await chargeWallet(tx, {
    ...{ kind: 'purchase', ref: id, wallet_id, net_micros: net, tax_micros: tax, now },
    content: { what: 'number_port_in', number, port_in_id: id, currency },
    policy_version: PAYMENT_POLICY.version,
  });
  if (verdict === 'conflict' || verdict === 'no_wallet')
    throw new Error(`Port-in ${id} cannot be charged: ${verdict}.`);
  return verdict !== 'no_money';
}

/** Held, for sale, or resting here; not what has left us for another operator. */
async function isOurs(db: Queryable, number: string): Promise<boolean> {
  const { rows } = await db.query(
    `select from did d where d.number = $1
        and not exists (select from number_holding h where h.number = d.number and h.end_reason = 'ported_out' and h.blocked_until = 'infinity')`,
    [number],
  );
  return rows.length > 0;
}

/**
 * Has a number that comes here among ours, with its row locked, and says from when somebody can hold it: what had left us, and was kept from
 * everybody since, comes back. Null where it is one of ours.
 */
async function takeUp(
  tx: Transaction,
  { number, country, number_type }: Pick<PortIn, 'number' | 'country' | 'number_type'>,
  now: Date,
): Promise<Date | null> {
  const { rowCount } = await tx.query('insert into did (number) values ($1) on conflict do nothing', [number]);
  await lockNumber(tx, number);
  const { rows } = await tx.query<{ blocked_until: Date }>(
    `update number_holding set blocked_until = greatest(held_to, $2)
      where number = $1 and end_reason = 'ported_out' and blocked_until = 'infinity' returning blocked_until`,
    [number, now],
  );
  const from = (rowCount ?? 0) > 0 ? now : rows[0]?.blocked_until;
  if (from === undefined) return null;
  // Whoever supplied it to us before has nothing to do with it any more.
  await tx.query(
    `insert into number_offer (number, country, number_type, calls, texts, provider, offered) values ($1, $2, $3, true, true, 'stock', false)
     on conflict (number) do update set country = excluded.country, number_type = excluded.number_type, calls = true, texts = true,
       provider = excluded.provider, offered = false`,
    [number, country, number_type],
  );
  return from;
}
