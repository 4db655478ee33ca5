import { randomUUID } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { inTransaction } from '../../domain/db/transaction.ts';
import { accountKey } from '../kyc/account_key.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { deleteBeyond, findCall, insertMessage } from './message_rows.ts';
import type { RecordedCall } from './message_rows.ts';
import { sealRecording } from './sealed_recording.ts';
import type { VoicemailParts } from './voicemail_parts.ts';
import { readWav, writeWav } from './wav.ts';

const NAME = /^(?<call_id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.wav$/u;
/** The switch records no longer than three minutes; what it wrote beyond is cut off. */
const SECONDS_MAX = 200;
/** The newest of an account that are kept. */
const MESSAGES_MAX = 500;
/** The record of a call is there moments after its end; of one that is not by then nobody knows whose it was. */
const ORPHAN_MS = 86_400_000;
/** A file that was written to more lately than this may be written to still. */
const WRITTEN_MS = 2_000;
/** One without sound may have been begun and not be filled yet. */
const EMPTY_MS = 60_000;

/**
 * Takes what the switch recorded: sealed by the key of whom it is for, and gone from the spool at once. A call's record is written when
 * it is over, so a recording of which there is one is complete but for its last bytes. Two that look at once take each message once.
 * @param told the files that the log tells of already, of which it is not told with each look
 */
export async function takeMessages(parts: VoicemailParts, told: Set<string>): Promise<void> {
  if (parts.spool === null) return;
  const names = await namesIn(parts.spool.messages);
  for (const name of told) if (!names.includes(name)) told.delete(name);
  for (const name of names) {
    const call_id = NAME.exec(name)?.groups?.['call_id'];
    if (call_id === undefined) continue;
    const tellOnce: TellOnce = (facts, words) => {
      if (!told.has(name)) parts.log.warn({ ...facts, call_id }, words);
      told.add(name);
    };
    try {
      await takeOne(parts, call_id, join(parts.spool.messages, name), tellOnce);
    } catch (error) {
      tellOnce({ err: error }, 'a voice message could not be kept; it is tried again each second, and told of once');
    }
  }
}

type TellOnce = (facts: object, words: string) => void;

async function takeOne(parts: VoicemailParts, call_id: string, file: string, tellOnce: TellOnce): Promise<void> {
  const age_ms = parts.now().getTime() - (await stat(file)).mtime.getTime();
  if (age_ms < WRITTEN_MS) return;
  const call = await findCall(parts.pool, call_id);
  const recording = call === null ? 'of_nobody' : readWav(await readFile(file), SECONDS_MAX, 'cut');
  if (call !== null && typeof recording !== 'string') {
    await keep(parts, call_id, call, writeWav(recording), recording.seconds);
  } else if (recording === 'empty') {
    // A caller who hung up at the tone said nothing.
    if (age_ms < EMPTY_MS) return;
  } else {
    const why = call === null ? 'of a call that nobody knows' : 'that cannot be read';
    if (age_ms < ORPHAN_MS) {
      if (call !== null) tellOnce({ recording }, `a recording ${why} is kept for a day`);
      return;
    }
    parts.log.warn({ call_id }, `a recording ${why} was deleted`);
  }
  await rm(file, { force: true });
}

async function keep(
  parts: VoicemailParts,
  id: string,
  { account_id, number, caller, answered_at }: RecordedCall,
  wav: Buffer,
  seconds: number,
): Promise<void> {
  const { pool, keys, folder, now } = parts;
  const key = await inTransaction(pool, (tx) => accountKey(tx, keys, account_id, now()));
  const { key_sealed, file } = sealRecording(key, id, wav);
  const file_id = randomUUID();
  await folder.write(file_id, file);
  const recorded_at = answered_at ?? now();
  const gone = await inTransaction(pool, async (tx) => {
    const message = { id, number, caller, recorded_at, seconds, file_id, key_sealed };
    if (!(await insertMessage(tx, account_id, message))) return [file_id];
    const facts = { number, at: recorded_at.toISOString() };
    await queueNotice(tx, { to: { account_id }, template: 'voice_message', facts });
    return deleteBeyond(tx, account_id, MESSAGES_MAX);
  });
  for (const one of gone) await folder.remove(one);
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    // The switch makes it when it starts.
    if ((error as { code?: unknown }).code === 'ENOENT') return [];
    throw error;
  }
}
