import type { Queryable } from '../../domain/db/transaction.ts';

export interface VoiceMessage {
  id: string;
  number: string;
  caller: string | null;
  recorded_at: Date;
  seconds: number;
  heard_at: Date | null;
}

export interface KeptMessage extends VoiceMessage {
  file_id: string;
  key_sealed: Buffer;
}

/** What a call was, as its record says; null while there is none. */
export interface RecordedCall {
  account_id: string;
  number: string;
  caller: string | null;
  answered_at: Date | null;
}

export async function findCall(db: Queryable, call_id: string): Promise<RecordedCall | null> {
  const { rows } = await db.query<RecordedCall>(
    `select account_id, callee as number, caller, answered_at from cdr
      where call_id = $1 and direction = 'inbound' and account_id is not null limit 1`,
    [call_id],
  );
  return rows[0] ?? null;
}

/** False where it was taken before. */
export async function insertMessage(
  tx: Queryable,
  account_id: string,
  { id, number, caller, recorded_at, seconds, file_id, key_sealed }: Omit<KeptMessage, 'heard_at'>,
): Promise<boolean> {
  const { rows } = await tx.query(
    `insert into voice_message (id, account_id, number, caller, recorded_at, seconds, file_id, key_sealed)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (id) do nothing returning 1`,
    [id, account_id, number, caller, recorded_at, seconds, file_id, key_sealed],
  );
  return rows.length > 0;
}

/** The newest `kept_max` of an account stay; of the others, the files that are to go with them. */
export async function deleteBeyond(tx: Queryable, account_id: string, kept_max: number): Promise<string[]> {
  const { rows } = await tx.query<{ file_id: string }>(
    `delete from voice_message where id in (
       select id from voice_message where account_id = $1 order by recorded_at desc, id desc offset $2)
     returning file_id`,
    [account_id, kept_max],
  );
  return rows.map(({ file_id }) => file_id);
}

export async function deleteOlder(db: Queryable, than: Date): Promise<string[]> {
  const { rows } = await db.query<{ file_id: string }>(
    'delete from voice_message where recorded_at < $1 returning file_id',
    [than],
  );
  return rows.map(({ file_id }) => file_id);
}

/** Of these files, those that no message has. */
export async function withoutMessage(db: Queryable, file_ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ file_id: string }>(
    'select f.file_id from unnest($1::uuid[]) f(file_id) where not exists (select 1 from voice_message m where m.file_id = f.file_id)',
    [file_ids],
  );
  return rows.map(({ file_id }) => file_id);
}

/** Newest first, after the one of that moment and id. */
export async function messagesOf(
  db: Queryable,
  account_id: string,
  after: { recorded_at: string; id: string } | null,
  rows_max: number,
): Promise<VoiceMessage[]> {
  const { rows } = await db.query<VoiceMessage>(
    `select id, number, caller, recorded_at, seconds, heard_at from voice_message
      where account_id = $1 and ($2::timestamptz is null or (recorded_at, id) < ($2, $3::uuid))
      order by recorded_at desc, id desc limit $4`,
    [account_id, after?.recorded_at ?? null, after?.id ?? null, rows_max],
  );
  return rows;
}

export async function findMessage(db: Queryable, account_id: string, id: string): Promise<KeptMessage | null> {
  const { rows } = await db.query<KeptMessage>(
    `select id, number, caller, recorded_at, seconds, heard_at, file_id, key_sealed from voice_message
      where account_id = $1 and id = $2`,
    [account_id, id],
  );
  return rows[0] ?? null;
}

/** False where there is none; one that was heard stays heard when it was. */
export async function markHeard(db: Queryable, account_id: string, id: string, now: Date): Promise<boolean> {
  const { rows } = await db.query(
    `update voice_message set heard_at = coalesce(heard_at, $3) where account_id = $1 and id = $2 returning 1`,
    [account_id, id, now],
  );
  return rows.length > 0;
}

/** The file that goes with it; null where there is none. */
export async function deleteMessage(db: Queryable, account_id: string, id: string): Promise<string | null> {
  const { rows } = await db.query<{ file_id: string }>(
    'delete from voice_message where account_id = $1 and id = $2 returning file_id',
    [account_id, id],
  );
  return rows[0]?.file_id ?? null;
}
