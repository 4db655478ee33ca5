import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Batch, Outage } from '../../domain/db/batch.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { abandonedParts, receiveMessages, receivePart } from '../../domain/texts/arrivals.ts';
import type { Arrival, Arrived, MoPart } from '../../domain/texts/arrivals.ts';
import type { DefaultAlphabet } from '../../domain/texts/encoding/data_coding.ts';
import { matchKeyword } from '../../domain/texts/keywords/match_keyword.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';
import { Turn } from '../lanes/turn.ts';
import { joinParts } from './read_arrival.ts';
import type { ArrivedPart } from './read_arrival.ts';

export interface ArrivalIntakeOptions {
  db: Queryable;
  lease: () => GatewayLease;
  newId: () => string;
  now: () => number;
  /** What data coding 0 means at that carrier. */
  alphabetOf: (carrier_id: number) => DefaultAlphabet;
  /** A text was stored for the holder of its number, who is null where nobody holds it. */
  onArrived: (arrival: Arrival, arrived: Arrived) => void;
  parts_wait_ms: number;
  log: Logger;
}

const RETRY_MS = { first: 100, most: 2_000 };
const ABANDONED_MAX = 100;

/** Takes in texts that carriers bring. Whoever brings one hears that it is here once it is stored, and not before. */
export class ArrivalIntake {
  readonly #options: ArrivalIntakeOptions;
  readonly #batch: Batch<Arrival, Arrived | 'fenced'>;
  readonly #stop = new AbortController();
  /** Two last parts that came at once would each find the other one missing. */
  readonly #parts = new Turn();

  constructor(options: ArrivalIntakeOptions) {
    this.#options = options;
    this.#batch = new Batch((arrivals) =>
      receiveMessages(options.db, options.lease(), new Date(options.now()), arrivals),
    );
  }

  /** Resolves when it is stored, however long the database is away; false when another gateway has taken over. */
  async take(carrier_id: number, part: ArrivedPart): Promise<boolean> {
    if (part.concatenation === null) {
      return this.#store(this.#arrivalOf(carrier_id, part, [part], 1, null));
    }
    const { reference, part_count, part_no } = part.concatenation;
    const { db, lease, now } = this.#options;
    const kept: MoPart = {
      carrier_id,
      sender: part.sender,
      recipient: part.recipient,
      reference,
      part_count,
      part_no,
      data_coding: codingOf(part),
      payload: part.octets,
    };
    const parts = await this.#persist(() => this.#parts.take(() => receivePart(db, lease(), new Date(now()), kept)));
    // The part is safe, which is all that its carrier has to know; the whole is stored beside that.
    if (parts !== null) await this.#storeParts(parts);
    return true;
  }

  /** Stores what there is of texts whose missing parts will not come any more. */
  async sweep(): Promise<number> {
    const { db, now, parts_wait_ms } = this.#options;
    const texts = await abandonedParts(db, new Date(now() - parts_wait_ms), ABANDONED_MAX);
    for (const parts of texts) await this.#storeParts(parts);
    return texts.length;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #storeParts(parts: readonly MoPart[]): Promise<void> {
    const [first] = parts;
    if (first === undefined) return;
    const { part_count, reference, carrier_id } = first;
    const whole = Array.from({ length: part_count }, (_, n) => {
      const part = parts.find(({ part_no }) => part_no === n + 1);
      return part === undefined ? null : { ...readCoding(part.data_coding), octets: part.payload };
    });
    await this.#store(this.#arrivalOf(carrier_id, first, whole, part_count, { reference, part_count }));
  }

  #arrivalOf(
    carrier_id: number,
    { sender, recipient }: { sender: string; recipient: string },
    parts: readonly (Pick<ArrivedPart, 'data_coding' | 'has_udh' | 'octets'> | null)[],
    segments: number,
    concatenation: Arrival['concatenation'],
  ): Arrival {
    const { body, encoding } = joinParts(parts, this.#options.alphabetOf(carrier_id));
    const keyword = matchKeyword(body);
    return {
      id: this.#options.newId(),
      carrier_id,
      sender,
      recipient,
      body,
      encoding,
      segments,
      keyword,
      concatenation,
    };
  }

  async #store(arrival: Arrival): Promise<boolean> {
    const arrived = await this.#persist(() => this.#batch.push(arrival));
    if (arrived === 'fenced') return false;
    this.#options.onArrived(arrival, arrived);
    return true;
  }

  async #persist<T>(ask: () => Promise<T>): Promise<T> {
    for (let retry_ms = RETRY_MS.first; ; retry_ms = Math.min(retry_ms * 2, RETRY_MS.most)) {
      try {
        return await ask();
      } catch (error) {
        if (!Outage.is(error)) throw error;
        this.#options.log.warn({ err: error }, 'an incoming text waits for the database, unacknowledged');
        await wait(retry_ms, undefined, { signal: this.#stop.signal });
      }
    }
  }
}

/** The flag of a header is kept in a bit that no data coding has. */
const HAS_UDH = 0x100;

function codingOf({ data_coding, has_udh }: Pick<ArrivedPart, 'data_coding' | 'has_udh'>): number {
  return has_udh ? data_coding | HAS_UDH : data_coding;
}

function readCoding(stored: number): Pick<ArrivedPart, 'data_coding' | 'has_udh'> {
  return { data_coding: stored & 0xff, has_udh: (stored & HAS_UDH) !== 0 };
}
