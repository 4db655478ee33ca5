import type pg from 'pg';

/** Texts that came in and that a carrier saw acknowledged, and those of them that we have. */
export interface Arrivals {
  arrivals: number;
  arrivals_lost: number;
}

/** @param acknowledged what each of them says; no two say the same. */
export function judgeArrivals(
  acknowledged: readonly string[],
  stored: ReadonlySet<string>,
): { verdict: Arrivals; faults: readonly string[]; passed: boolean } {
  const lost = acknowledged.filter((body) => !stored.has(body));
  return {
    verdict: { arrivals: acknowledged.length, arrivals_lost: lost.length },
    faults: lost.map((body) => `LOST: a text that came in was acknowledged and is not stored: ${body}`),
    // A run in which none came shows nothing.
    passed: acknowledged.length > 0 && lost.length === 0,
  };
}

/** Of what such texts say, what the database has. */
export async function storedArrivals(pool: pg.Pool, bodies: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await pool.query<{ body: string }>(
    `select distinct body from message where direction = 'mo' and body = any($1)`,
    [bodies],
  );
  return new Set(rows.map(({ body }) => body));
}
