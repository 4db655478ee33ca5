import type { Micros } from '../../../domain/money/micros.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { PortInDocumentKind } from './port_in_state.ts';

/** What a number of a country asks for that comes from another operator. */
export interface PortInRule {
  /** `*`: wherever no country has a rule of its own. */
  country: string;
  documents: PortInDocumentKind[];
  currency: string;
  /** Net of tax: once, when the number is here, and for each month from then on. */
  fee_micros: Micros;
  monthly_micros: Micros;
}

type PortInRuleRow = Omit<PortInRule, 'fee_micros' | 'monthly_micros'> & { fee_micros: string; monthly_micros: string };

const columns = 'country, documents, currency, fee_micros, monthly_micros';

const ruleOf = (row: PortInRuleRow): PortInRule => ({
  ...row,
  fee_micros: BigInt(row.fee_micros),
  monthly_micros: BigInt(row.monthly_micros),
});

/** The country's own, else that for everywhere, which there always is. */
export async function portInRuleOf(db: Queryable, country: string): Promise<PortInRule> {
  const { rows } = await db.query<PortInRuleRow>(
    `select ${columns} from port_in_rule where country in ($1, '*') order by country = '*' limit 1`,
    [country],
  );
  if (rows[0] === undefined) throw new Error('There is no rule for numbers that come from other operators.');
  return ruleOf(rows[0]);
}

export async function portInRules(db: Queryable): Promise<PortInRule[]> {
  const { rows } = await db.query<PortInRuleRow>(`select ${columns} from port_in_rule order by country`);
  return rows.map(ruleOf);
}

export async function setPortInRule(tx: Transaction, rule: PortInRule): Promise<void> {
  await tx.query(
    `insert into port_in_rule (${columns}) values ($1, $2, $3, $4, $5)
     on conflict (country) do update set documents = excluded.documents, currency = excluded.currency, fee_micros = excluded.fee_micros,
       monthly_micros = excluded.monthly_micros`,
    [...[rule.country, rule.documents, rule.currency, rule.fee_micros.toString()], rule.monthly_micros.toString()],
  );
}

/** False where there was none of that country's own. */
export async function dropPortInRule(tx: Transaction, country: string): Promise<boolean> {
  const { rowCount } = await tx.query('delete from port_in_rule where country = $1', [country]);
  return (rowCount ?? 0) > 0;
}
