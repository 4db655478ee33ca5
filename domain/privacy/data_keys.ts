import { randomBytes, randomUUID } from 'node:crypto';
import type { Queryable } from '../db/transaction.ts';
import { KEY_BYTES, seal, unseal } from './sealing.ts';
import type { KeyRing, SealContext } from './sealing.ts';

const wrapContext = (id: string): SealContext => `data_key.wrapped:${id}`;

/** The subject's key was destroyed: what was sealed by it is gone. */
export class KeyDestroyed extends Error {
  override readonly name = 'KeyDestroyed';
}

/** The keys of subjects, as the database has them wrapped. Opened keys are remembered for no longer than a request. */
export class DataKeys {
  readonly #ring: KeyRing;

  constructor(ring: KeyRing) {
    this.#ring = ring;
  }

  /** A new key for a new subject. */
  async make(db: Queryable, now: Date): Promise<{ id: string; key: Buffer }> {
    const id = randomUUID();
    const key = randomBytes(KEY_BYTES);
    const { kek_id, wrapped } = this.#wrap(id, key);
    await db.query('insert into data_key (id, wrapped, kek_id, created_at) values ($1, $2, $3, $4)', [
      ...[id, wrapped, kek_id, now],
    ]);
    return { id, key };
  }

  async open(db: Queryable, id: string): Promise<Buffer> {
    const { rows } = await db.query<{ wrapped: Buffer | null; kek_id: string }>(
      'select wrapped, kek_id from data_key where id = $1',
      [id],
    );
    const row = rows[0];
    if (row === undefined) throw new Error(`There is no data key ${id}.`);
    return this.#unwrap(id, row);
  }

  /** What was sealed by it is unreadable from the commit on. */
  async destroy(db: Queryable, id: string, now: Date): Promise<void> {
    await db.query('update data_key set wrapped = null, destroyed_at = $2 where id = $1 and wrapped is not null', [
      id,
      now,
    ]);
  }

  /** Wraps up to `rows_max` keys anew that an older key encryption key wraps. Says how many those were; 0: the old ones can go. */
  async rotate(db: Queryable, rows_max: number): Promise<number> {
    const { rows } = await db.query<{ id: string; wrapped: Buffer; kek_id: string }>(
      'select id, wrapped, kek_id from data_key where kek_id <> $1 and wrapped is not null limit $2 for update skip locked',
      [this.#newest.id, rows_max],
    );
    for (const row of rows) {
      const { kek_id, wrapped } = this.#wrap(row.id, this.#unwrap(row.id, row));
      await db.query('update data_key set wrapped = $2, kek_id = $3 where id = $1', [row.id, wrapped, kek_id]);
    }
    return rows.length;
  }

  get #newest(): KeyRing['keks'][number] {
    const [newest] = this.#ring.keks;
    if (newest === undefined) throw new Error('A key ring has at least one key encryption key.');
    return newest;
  }

  #wrap(id: string, key: Buffer): { kek_id: string; wrapped: Buffer } {
    const kek = this.#newest;
    return { kek_id: kek.id, wrapped: seal(kek.key, wrapContext(id), key) };
  }

  #unwrap(id: string, { wrapped, kek_id }: { wrapped: Buffer | null; kek_id: string }): Buffer {
    if (wrapped === null) throw new KeyDestroyed(`The data key ${id} was destroyed.`);
    const kek = this.#ring.keks.find((one) => one.id === kek_id);
    if (kek === undefined)
      throw new Error(`The key encryption key ${kek_id} is not on the ring, and data key ${id} needs it.`);
    return unseal(kek.key, wrapContext(id), wrapped);
  }
}
