import type pg from 'pg';

/** Anything a single statement can be sent to: a pool, a client, an open transaction. */
export interface Queryable {
  query<R extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<pg.QueryResult<R>>;
  query<R extends pg.QueryResultRow>(text: string, values?: readonly unknown[]): Promise<pg.QueryResult<R>>;
}

declare const open: unique symbol;

/** An open transaction. Money is moved through this type only, so that moving it outside one does not compile. */
export type Transaction = Queryable & { readonly [open]: true };

/** Runs `work` in one transaction: committed when it returns, rolled back when it throws. */
export async function inTransaction<T>(pool: pg.Pool, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client as unknown as Transaction);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((lost: unknown) => {
      // The connection itself is gone; the server rolls back by itself and the pool must not hand it out again.
      broken = lost as Error;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
