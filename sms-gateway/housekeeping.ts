import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { GatewaySettings } from '../config/gateway_settings.ts';
import type { Duties } from '../domain/running/duties.ts';
import { takeEndedTexts } from '../domain/texts/ended_texts.ts';
import type { EndedText } from '../domain/texts/ended_texts.ts';
import { selectBacklog, selectDeliveryBacklog } from '../domain/texts/backlog.ts';
import type { Backlog, DeliveryBacklog } from '../domain/texts/backlog.ts';
import { buryUnfetched } from '../domain/texts/dead_letters.ts';
import { ensureMessageMonths } from '../domain/texts/message_months.ts';
import { recoverMessages } from '../domain/texts/queue.ts';
import type { GatewayLease } from '../domain/texts/queue.ts';
import { sweepParked } from '../domain/texts/receipts.ts';
import { eraseBodies, forgetTextsPast } from '../domain/texts/retention.ts';
import { endUnheardTexts } from '../domain/texts/unheard_texts.ts';
import { forgetUnreadableReceipts } from '../domain/texts/unreadable_receipts.ts';
import { Strays } from './lanes/strays.ts';
import { Unwanted } from './lanes/unwanted.ts';

export interface HousekeepingOptions {
  settings: Pick<GatewaySettings, 'MESSAGE_BODY_DAYS' | 'REPLAY_DAYS' | 'LETTER_DAYS' | 'RECEIPT_WAIT_HOURS'>;
  db: pg.Pool;
  lease: () => GatewayLease;
  /** Whether the text is in this process's hands. */
  holds: (message_id: string) => boolean;
  /** Texts of which the database is just being told something. */
  onTheirWay: () => ReadonlySet<string>;
  giveBack: (message_id: string) => Promise<void>;
  now: () => Date;
  onRecovered: (verdict: string, texts: number) => void;
  /** A text ended, some seconds ago and by whomever; each is told once. */
  onEnded: (text: EndedText) => void;
  /** Counted now and then, for metrics. */
  onBacklog: (backlog: Backlog, deliveries: readonly DeliveryBacklog[]) => void;
  /** A carrier took so many texts and never said what became of them. */
  onUnheard: (carrier_id: number, texts: number) => void;
  log: Logger;
}

const SWEEP_MS = 10_000;
const PARKED_MAX = 1_000;
/** Out of step with what is claimed and given back each minute, which would seem to be missing at every look. */
const STRAYS_MS = 47_000;
const STRAYS_SOON_MS = 3_000;
const UNWANTED_MS = 200;
const ENDED_MS = 2_000;
/** Few at a time and a pause between: whoever waits to have his text accepted waits for all that is taken at once, here and in the database. */
const ENDED_MAX = 500;
const ENDED_PAUSE_MS = 50;
/** So many of them say of their carriers what all of them would. */
const ENDED_CARRIERS_MAX = 500;
const BACKLOG_MS = 10_000;
const UNHEARD_MS = 5_000;
const UNHEARD_MAX = 5_000;
const RETENTION_MS = 60_000;
const ROWS_MAX = 1_000;
const FORGET_PAUSE_MS = 20;
const MONTHS_MS = 3_600_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What has to be done now and then, whether or not anybody sends texts. */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #strays: Strays;
  readonly #unwanted: Unwanted;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    const { db, lease, holds, onTheirWay, giveBack, now, onRecovered, log } = options;
    this.#unwanted = new Unwanted({ db, lease, giveBack });
    this.#strays = new Strays({
      db,
      lease,
      holds,
      onTheirWay,
      now,
      log,
      onStrays: (texts) => onRecovered('stray', texts),
    });
  }

  /** What fails keeps nothing else from being done, so each is a duty of its own. */
  start(duties: Pick<Duties, 'every'>): void {
    duties.every(SWEEP_MS, () => this.#sweep());
    duties.every(SWEEP_MS, () => this.recover());
    duties.every(STRAYS_MS, () => this.#strays.pass());
    duties.every(STRAYS_SOON_MS, () => this.#strays.passSoon());
    duties.every(UNWANTED_MS, () => this.#unwanted.passSoon());
    duties.every(ENDED_MS, () => this.#countEnded());
    duties.every(BACKLOG_MS, () => this.#countBacklog());
    duties.every(UNHEARD_MS, () => this.#endUnheard());
    duties.every(RETENTION_MS, () => this.#erase());
    duties.every(RETENTION_MS, () => this.#bury());
    duties.every(RETENTION_MS, () => this.#forget());
    duties.every(RETENTION_MS, () => this.#forgetUnreadable());
    duties.every(MONTHS_MS, () => ensureMessageMonths(this.#options.db, this.#options.now()));
  }

  /** What was claimed may have been lost on its way: it is looked for before long. */
  expectStrays(): void {
    this.#strays.expect();
  }

  /** Somebody may have said STOP to texts that are in our hands. */
  expectUnwanted(): void {
    this.#unwanted.expect();
  }

  /** What an older gateway had in its hands, or takes in until it hears that it was succeeded. */
  async recover(): Promise<void> {
    const { db, lease, now, onRecovered, log } = this.#options;
    const recovered = await recoverMessages(db, lease(), now());
    for (const [verdict, texts] of Object.entries(recovered)) onRecovered(verdict, texts);
    if (Object.values(recovered).some((texts) => texts > 0)) log.info(recovered, 'texts of an older gateway');
  }

  /** What waits for something that came after all. */
  async #sweep(): Promise<void> {
    const { db, lease, now } = this.#options;
    await sweepParked(db, lease(), now(), PARKED_MAX);
  }

  async #countBacklog(): Promise<void> {
    const { db, now, onBacklog } = this.#options;
    onBacklog(await selectBacklog(db), await selectDeliveryBacklog(db, now()));
  }

  async #countEnded(): Promise<void> {
    const { db, lease, onEnded } = this.#options;
    for (let taken = 0; ; taken += ENDED_MAX) {
      const ended = await takeEndedTexts(db, lease(), ENDED_MAX, Math.max(0, ENDED_CARRIERS_MAX - taken));
      for (const text of ended) onEnded(text);
      if (ended.length < ENDED_MAX) return;
      await wait(ENDED_PAUSE_MS);
    }
  }

  async #endUnheard(): Promise<void> {
    const { db, lease, now, settings, onUnheard, log } = this.#options;
    const wait_ms = settings.RECEIPT_WAIT_HOURS * HOUR_MS;
    for (;;) {
      const { looked_at, ended, by_carrier } = await endUnheardTexts(db, lease(), now(), wait_ms, UNHEARD_MAX);
      for (const [carrier_id, texts] of by_carrier) onUnheard(carrier_id, texts);
      if (ended > 0) log.info({ texts: ended }, 'nothing was heard of texts, which end as unknown');
      if (looked_at < UNHEARD_MAX) return;
    }
  }

  /** An hour of bodies at a time or less, as many as a minute has room for: what piled up while nobody looked is gone within hours. */
  async #erase(): Promise<void> {
    const { db, lease, settings, log } = this.#options;
    // One moment for the whole turn: with each step's own there would always be another millisecond to be done.
    const before = this.#daysAgo(settings.MESSAGE_BODY_DAYS);
    await this.#untilNextTurn(async () => {
      const erased_until = await eraseBodies(db, lease(), before);
      if (erased_until !== null) log.info({ erased_until }, 'what texts said was erased');
      return erased_until !== null;
    });
  }

  /** As long as dead letters are kept, so that what nobody fetches is gone in the end. */
  async #bury(): Promise<void> {
    const { db, now, settings } = this.#options;
    const before = this.#daysAgo(settings.LETTER_DAYS);
    await this.#untilNextTurn(async () => (await buryUnfetched(db, before, now(), ROWS_MAX)) >= ROWS_MAX);
  }

  async #forget(): Promise<void> {
    const { db, lease, settings } = this.#options;
    const [keys_before, letters_before] = [this.#daysAgo(settings.REPLAY_DAYS), this.#daysAgo(settings.LETTER_DAYS)];
    await this.#untilNextTurn(async () => {
      const forgotten = await forgetTextsPast(db, lease(), { keys_before, letters_before, rows_max: ROWS_MAX });
      // With fewer in all, none of the kinds had as many as it was allowed.
      return forgotten >= ROWS_MAX;
    });
  }

  /** They hold some of what texts said. */
  async #forgetUnreadable(): Promise<void> {
    const { db, lease, settings } = this.#options;
    const before = this.#daysAgo(Math.min(settings.MESSAGE_BODY_DAYS, settings.LETTER_DAYS));
    await this.#untilNextTurn(async () => (await forgetUnreadableReceipts(db, lease(), before, ROWS_MAX)) >= ROWS_MAX);
  }

  /** Again while there is more; half of the time is left to whoever waits for the database. */
  async #untilNextTurn(forgetMore: () => Promise<boolean>): Promise<void> {
    const until_ms = performance.now() + RETENTION_MS / 2;
    while ((await forgetMore()) && performance.now() < until_ms) await wait(FORGET_PAUSE_MS);
  }

  #daysAgo(days: number): Date {
    return new Date(this.#options.now().getTime() - days * DAY_MS);
  }
}
