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
/** The switch records no longer than three minutes; what it wrote beyond is cut off with the rest of the file. */
const SECONDS_MAX = 200;
/** The newest of an account that are kept. */
const MESSAGES_MAX = 500;
/** The record of a call is there moments after its end; of one that is not by then nobody knows whose it was. */
const ORPHAN_MS = 86_400_000;

/**
 * Takes what the switch recorded: sealed by the key of whom it is for, and gone from the spool at once. A call's record is written when
 * it is over, so a recording of which there is one is complete. Two that look at once take each message once.
 */
export async function takeMessages(parts: VoicemailParts): Promise<void> {
  if (parts.spool === null) return;
  for (const name of await namesIn(parts.spool.messages)) {
    const call_id = NAME.exec(name)?.groups?.['call_id'];
    if (call_id === undefined) continue;
    try {
      await takeOne(parts, call_id, join(parts.spool.messages, name));
    } catch (error) {
      parts.log.warn({ err: error, call_id }, 'a voice message could not be kept; it is tried again');
    }
  }
}

async function takeOne(parts: VoicemailParts, call_id: string, file: string): Promise<void> {
  const call = await findCall(parts.pool, call_id);
  if (call === null) {
    const { mtime } = await stat(file);
    if (parts.now().getTime() - mtime.getTime() < ORPHAN_MS) return;
    parts.log.warn({ call_id }, 'a recording of a call that nobody knows was deleted');
    return rm(file, { force: true });
  }
  const recording = readWav(await readFile(file), SECONDS_MAX);
  // A caller who hung up at the tone said nothing.
  if (typeof recording !== 'string') await keep(parts, call_id, call, writeWav(recording), recording.seconds);
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
