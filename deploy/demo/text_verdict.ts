import type pg from 'pg';
import { eventually } from '../world/verdict.ts';

export type TextKind = 'mt' | 'mt_long_unicode' | 'mo' | 'mo_long' | 'stop' | 'refused';

/** One text as SQL has it. */
export interface TextVerdict {
  kind: TextKind;
  segments: number;
  charged_micros: bigint;
  state: string;
}

interface Row {
  id: string;
  segments: number;
  charged_micros: string;
  state: string;
  body: string;
  destination: string | null;
  rate_micros_per_segment: string | null;
}

export interface TextRecord extends Omit<Row, 'charged_micros' | 'rate_micros_per_segment'> {
  charged_micros: bigint;
  rate_micros_per_segment: bigint | null;
}

const columns = `m.id, m.segments, (m.net_micros + m.tax_micros)::text as charged_micros, s.state, m.body, m.destination,
  m.rate_micros_per_segment::text`;

function recordOf(row: Row): TextRecord {
  return {
    ...row,
    charged_micros: BigInt(row.charged_micros),
    rate_micros_per_segment: row.rate_micros_per_segment === null ? null : BigInt(row.rate_micros_per_segment),
  };
}

/** Waits until the text has come to that state. */
export function textInState(pool: pg.Pool, id: string, state: string): Promise<TextRecord> {
  return eventually(`the text ${id} to be ${state}`, 15_000, async () => {
    const { rows } = await pool.query<Row>(
      `select ${columns} from message m join message_state s on s.message_id = m.id where m.id = $1 and s.state = $2`,
      [id, state],
    );
    return rows[0] === undefined ? null : recordOf(rows[0]);
  });
}

/** Waits for a text from that number to arrive for the account. */
export function textFrom(pool: pg.Pool, account_id: string, sender: string): Promise<TextRecord> {
  return eventually(`a text from ${sender}`, 15_000, async () => {
    const { rows } = await pool.query<Row>(
      `select ${columns} from message m join message_state s on s.message_id = m.id
        where m.account_id = $1 and m.sender = $2 and m.direction = 'mo' order by m.id desc limit 1`,
      [account_id, sender],
    );
    return rows[0] === undefined ? null : recordOf(rows[0]);
  });
}
