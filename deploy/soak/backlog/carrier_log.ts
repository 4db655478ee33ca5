import { TAG } from '../../chaos/sms/evidence.ts';
import { readLog } from '../../smsc/read_log.ts';
import { payloadOf } from '../../smsc/submitted_text.ts';

/** A text that a carrier took. */
export interface Taking {
  tag: string;
  /** When the carrier read it, since 1970 by its own clock. */
  at_ms: number;
}

export interface Takings {
  /** When the carrier opened its port last. */
  opened_at_ms: number;
  /** In the carrier's order. */
  takings: readonly Taking[];
  /**
   * The longest time in which the carrier wrote down nothing at all while texts came and receipts went. It was not at work
   * then, and what was sent meanwhile it read late, all at once.
   */
  pause_ms_max: number;
}

export async function readTakings(log_file: string): Promise<Takings> {
  const takings: Taking[] = [];
  let opened_at_ms = 0;
  let pause_ms_max = 0;
  /** The same, but that after the last text, too. */
  let pause_ms = 0;
  let last_at_ms: number | null = null;
  for await (const fact of readLog(log_file)) {
    if (fact.t === 'listen' && fact.on) opened_at_ms = fact.at;
    if (last_at_ms !== null) pause_ms = Math.max(pause_ms, fact.at - last_at_ms);
    if (takings.length > 0) last_at_ms = fact.at;
    if (fact.t !== 'submit' || fact.status !== 0) continue;
    takings.push({ tag: TAG.exec(payloadOf(fact).text)?.[0] ?? '', at_ms: fact.at });
    pause_ms_max = pause_ms;
    last_at_ms = fact.at;
  }
  return { opened_at_ms, takings, pause_ms_max };
}
