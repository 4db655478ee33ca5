import { randomUUID } from 'node:crypto';
import type pg from 'pg';

export interface PublishedTerms {
  version: number;
  kind?: 'terms' | 'privacy' | 'payment_policy';
  is_material?: boolean;
  in_force_from?: Date;
}

export interface Terms {
  publish: (terms: PublishedTerms) => Promise<void>;
  /** To a version of the terms, in its owner's name. */
  agree: (version: number) => Promise<void>;
}

/** Gives an account an owner, who is asked for agreement to what is published here from then on. */
export async function termsWithOwner(pool: pg.Pool, account_id: string): Promise<Terms> {
  const [user_id, data_key_id] = [randomUUID(), randomUUID()];
  await pool.query(`insert into data_key (id, wrapped, kek_id) values ($1, '\\x00', 'k')`, [data_key_id]);
  await pool.query(
    `insert into portal_user (id, kind, data_key_id, email_sealed, email_index) values ($1, 'customer', $2, '\\x00', sha256($3::bytea))`,
    [user_id, data_key_id, Buffer.from(user_id)],
  );
  await pool.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'owner')`, [
    account_id,
    user_id,
  ]);
  return {
    publish: async ({ version, kind = 'terms', is_material = true, in_force_from }) => {
      // A minute ago: this process counts whole milliseconds, and the database's now() lies within the present one.
      const from = in_force_from ?? new Date(Date.now() - 60_000);
      await pool.query(`update legal_document set state = 'superseded' where kind = $1 and state = 'in_force'`, [kind]);
      await pool.query(
        `insert into legal_document (id, kind, version, locale, title, body, sha256, change_note, is_material, state, in_force_from,
                                     written_by, published_by, created_at)
         values ($1, $2, $3, 'en', 'Terms', 'words', repeat('0', 64), 'x', $4, $5, $6, 'test', 'test', $6)`,
        [...[randomUUID(), kind, version, is_material], in_force_from === undefined ? 'in_force' : 'scheduled', from],
      );
    },
    agree: async (version) => {
      await pool.query(
        `insert into acceptance (user_id, account_id, document_id, at, address)
         select $1, $2, id, now(), '127.0.0.1' from legal_document where kind = 'terms' and version = $3`,
        [user_id, account_id, version],
      );
    },
  };
}
