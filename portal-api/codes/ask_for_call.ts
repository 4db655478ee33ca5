import { z } from 'zod';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { sealLetter } from '../../domain/privacy/sealed_letter.ts';
import { spokenWordsContext, wordsToBytes } from '../../domain/privacy/spoken_words.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { inetOf } from './issue_code.ts';
import type { WantedCode } from './issue_code.ts';
import { issueOrRefuse } from './issue_or_refuse.ts';
import { PHONE_WORDS, reachablePhone } from './reachable_phone.ts';
import { checkVoicePace } from './voice_pace.ts';

/** A speaker says each half a minute that it is there. */
const SILENT_MS_MAX = 90_000;
/** After this nobody takes it any more, and nothing of it stays; whoever began to call has long been done after the other. */
const ASKED_MS_MAX = 120_000;
const CALLING_MS_MAX = 15 * 60_000;
/** A text that was asked for before that is forgotten by whoever asked. */
const TEXT_MS_MAX = 3_600_000;

/**
 * Has a new code spoken by a call, to somebody whom a text did not reach. The digits leave this transaction sealed for the one controller
 * that will speak them: the database, its log and its backups never hold them.
 */
export async function askForCall(
  context: PortalContext,
  tx: Transaction,
  now: Date,
  wanted: WantedCode,
  locale: string,
): Promise<void> {
  const { settings } = context;
  await requireText(tx, now, wanted);
  const phone = await reachablePhone(tx, wanted.target, '');
  if (phone.kind === 'refused') throw new Problem('invalid', `The phone ${PHONE_WORDS[phone.why]}.`);
  await checkVoicePace(tx, now, wanted, {
    per_target_per_day_max: settings.SPOKEN_CODES_PER_TARGET_PER_DAY_MAX,
    per_address_per_day_max: settings.SPOKEN_CODES_PER_ADDRESS_PER_DAY_MAX,
    per_hour_max: settings.SPOKEN_CODES_PER_HOUR_MAX,
  });
  const speaker = await someSpeaker(tx, now);
  const { code_id, code } = await issueOrRefuse(context, tx, now, wanted);
  const words = wordsToBytes({ number: phone.number, digits: code, language: locale.slice(0, 2) });
  await tx.query(
    `insert into spoken_code (id, switch_id, box, target_index, address, asked_at) values ($1, $2, $3, $4, $5, $6)`,
    [
      ...[code_id, speaker.switch_id, sealLetter(speaker.public_key, spokenWordsContext(code_id), words)],
      ...[wanted.target_index, inetOf(wanted.address), now],
    ],
  );
}

/** A call is for whom a text does not reach: it costs more, and is answered by whoever is near the phone. */
async function requireText(tx: Queryable, now: Date, { purpose, subject_id, target_index }: WantedCode): Promise<void> {
  const { rows } = await tx.query<{ was_sent: boolean }>(
    `select exists (select 1 from verification_code c
                     where c.purpose = $1 and c.subject_id = $2 and c.target_index = $3 and c.created_at > $4
                       and not exists (select 1 from spoken_code s where s.id = c.id)) as was_sent`,
    [purpose, subject_id, target_index, new Date(now.getTime() - TEXT_MS_MAX)],
  );
  if (rows[0]?.was_sent !== true)
    throw new Problem('conflict', 'Ask for a text first. Where it does not come, we call you.');
}

async function someSpeaker(tx: Queryable, now: Date): Promise<{ switch_id: string; public_key: Buffer }> {
  const { rows } = await tx.query<{ switch_id: string; public_key: Buffer }>(
    'select switch_id, public_key from speaker where alive_at > $1 order by random() limit 1',
    [new Date(now.getTime() - SILENT_MS_MAX)],
  );
  if (rows[0] === undefined)
    throw new Problem('unavailable', 'We cannot make calls right now. Ask for a text, or try again in a few minutes.');
  return rows[0];
}

export const phoneCallShape = z
  .object({
    /** `spoken`: somebody answered, and was told the code. */
    state: z.enum(['asked', 'calling', 'spoken', 'failed']),
    /** Why nobody was told. */
    failure: z.enum(['busy', 'no_answer', 'unreachable', 'refused', 'interrupted', 'too_late', 'replaced']).nullable(),
  })
  .nullable();

/** What became of the newest call with a code; null where none was asked for lately. */
export async function newestCall(
  db: Queryable,
  purpose: WantedCode['purpose'],
  subject_id: string,
): Promise<z.infer<typeof phoneCallShape>> {
  const { rows } = await db.query<NonNullable<z.infer<typeof phoneCallShape>>>(
    `select s.state, s.failure from spoken_code s join verification_code c on c.id = s.id
      where c.purpose = $1 and c.subject_id = $2 order by s.asked_at desc limit 1`,
    [purpose, subject_id],
  );
  return rows[0] ?? null;
}

/** Each minute: where no controller took a code, or the one that did is gone, whoever waits is told, and no digits stay. */
export function endSpokenCodes({ pool, now }: PortalContext): Task {
  return task(
    'end_spoken_codes',
    z.object({}),
    async () => {
      const at_ms = now().getTime();
      await pool.query(
        `update spoken_code set state = 'failed', failure = 'too_late', box = null, ended_at = $1 where state = 'asked' and asked_at <= $2`,
        [new Date(at_ms), new Date(at_ms - ASKED_MS_MAX)],
      );
      await pool.query(
        `update spoken_code set state = 'failed', failure = 'interrupted', ended_at = $1 where state = 'calling' and asked_at <= $2`,
        [new Date(at_ms), new Date(at_ms - CALLING_MS_MAX)],
      );
    },
    '* * * * *',
  );
}
