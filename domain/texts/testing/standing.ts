import type pg from 'pg';
import type { ModelText, TextModel } from './text_model.ts';

/** What stands in the tables about some accounts and a carrier, and what should: alike in form, so that they can be compared. */
export interface Standing {
  balances: readonly string[];
  /** By their ids: where each stands, and what of it waits. */
  texts: readonly string[];
  opt_outs: readonly string[];
  cost_micros: string;
  parked: number;
}

export async function standingInTables(
  pool: pg.Pool,
  account_ids: readonly string[],
  carrier_id: number,
): Promise<Standing> {
  const { rows } = await pool.query<{ standing: Standing }>({
    name: 'standing_of_texts',
    text: `select jsonb_build_object(
      'balances', (select jsonb_agg(w.balance_micros::text order by array_position($1, w.account_id)) from wallet w where w.account_id = any($1)),
      'texts', (select coalesce(jsonb_agg(format('%s %s queue %s epoch %s attempt %s refunded %s', s.message_id, s.state,
                  coalesce(q.state, '-'), coalesce(q.epoch, 0), coalesce(q.attempt, 0), r.ref is not null) order by s.message_id), '[]')
                  from message_state s left join message_queue q on q.message_id = s.message_id
                  left join ledger_tx r on r.kind = 'text_refund' and r.ref = s.message_id
                 where s.account_id = any($1) and s.state <> 'received'),
      'opt_outs', (select coalesce(jsonb_agg(format('%s %s %s', o.account_id, o.recipient, o.sender)), '[]')
                  from opt_out o where o.account_id = any($1)),
      'cost_micros', (select coalesce(sum(p.amount_micros), 0)::text from posting p join ledger_account a on a.id = p.account_id
                  where a.kind = 'carrier_payable' and a.carrier_id = $2),
      'parked', (select count(*) from parked_receipt where carrier_id = $2)) as standing`,
    values: [account_ids, carrier_id],
  });
  const standing = rows[0]?.standing;
  if (standing === undefined) throw new Error('nothing stands in the tables');
  return { ...standing, opt_outs: [...standing.opt_outs].sort() };
}

const LETTERS = { waiting: 'w', claimed: 'c', held: 'h', in_doubt: 'd' } as const;

export function standingInModel(model: TextModel, account_ids: readonly string[]): Standing {
  const texts = [...model.texts.values()].map((text) => {
    const { message, place, epoch, attempt, given_back } = text;
    const queue =
      place === null ? 'queue - epoch 0 attempt 0' : `queue ${LETTERS[place]} epoch ${epoch ?? 0} attempt ${attempt}`;
    return `${message.id} ${stateOf(text)} ${queue} refunded ${given_back ? 't' : 'f'}`;
  });
  return {
    balances: account_ids.map((id) => `${model.balances.get(id) ?? 0n}`),
    texts: texts.sort(),
    opt_outs: [...model.opt_outs].sort(),
    cost_micros: `${model.cost_micros}`,
    parked: model.parked.length,
  };
}

function stateOf({ ended, place, message, accepted_at_ms }: ModelText): string {
  if (ended !== null) return ended;
  if (place === null) return 'submitted';
  if (place === 'held' || place === 'in_doubt') return place;
  const later = (message.due_at?.getTime() ?? 0) > accepted_at_ms;
  return place === 'waiting' && later ? 'scheduled' : 'queued';
}
