import { moneyWords } from '../../domain/money/money_words.ts';
import type { StoredEvent } from './text_record.ts';
import type { Consideration } from './text_story.ts';

/** As routing/route_reason.ts writes a reason: `alpha 400 EUR micros, 62% arrive: may carry it; beta 500 EUR micros: not needed`. */
const CARRIER =
  /^(?<name>\S+) (?<micros>\d+) (?<currency>[A-Z]{3}) micros(?:, (?<percent>\d+)% arrive)?: (?<verdict>.+)$/u;
const MAY_CARRY = 'may carry it';

/** The carriers that were considered whenever one was asked, each list once until it changes. */
export function considered(events: readonly StoredEvent[]): Consideration[] {
  const found: Consideration[] = [];
  let last: string | null = null;
  for (const event of events) {
    const { kind, detail, at } = event;
    if (detail === null || (kind !== 'submitted' && kind !== 'refused' && kind !== 'throttled')) continue;
    const lines = detail.split('; ');
    const passed_over = passedOver(lines, event, events);
    const shown = [detail, ...passed_over].join('\n');
    if (shown === last) continue;
    last = shown;
    found.push({ at, carriers: lines.map(inWords), passed_over });
  }
  return found;
}

function inWords(line: string): string {
  const { name, micros, currency, percent, verdict } = CARRIER.exec(line)?.groups ?? {};
  if (name === undefined || micros === undefined || currency === undefined || verdict === undefined) return line;
  const arrive = percent === undefined ? '' : `, of whose texts there ${percent}% arrive`;
  return `${name}, ${moneyWords(BigInt(micros), currency)} a segment${arrive}: ${verdict}`;
}

/** Better ones than the carrier that was asked: those that had been asked already are told by what they said. */
function passedOver(lines: readonly string[], asked: StoredEvent, events: readonly StoredEvent[]): string[] {
  const before: string[] = [];
  for (const line of lines) {
    const { name, verdict } = CARRIER.exec(line)?.groups ?? {};
    if (name === asked.carrier) return before;
    if (name === undefined || verdict !== MAY_CARRY) continue;
    const had_its_turn = events.some((event) => event.carrier === name && event.at.getTime() <= asked.at.getTime());
    if (!had_its_turn) before.push(name);
  }
  return [];
}
