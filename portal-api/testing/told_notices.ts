import type pg from 'pg';

export interface ToldNotice {
  template: string;
  facts: Record<string, string>;
}

/** Jobs are gone once they are done; what is queued from now on is written down as it comes. */
export async function writeJobsDown(pool: pg.Pool): Promise<void> {
  await pool.query(`create table told_job (n serial, payload json);
    create function write_job_down() returns trigger language plpgsql security definer as
      $$ begin insert into public.told_job (payload) values (new.payload); return new; end $$;
    create trigger write_job_down before insert on graphile_worker._private_jobs for each row execute function write_job_down()`);
}

/** Notices to an account of one of these templates, in their order. */
export async function noticesTo(
  pool: pg.Pool,
  account_id: string,
  ...templates: readonly string[]
): Promise<ToldNotice[]> {
  const { rows } = await pool.query<ToldNotice>(
    `select payload ->> 'template' as template, payload -> 'facts' as facts from told_job
      where payload ->> 'account_id' = $1 and payload ->> 'template' = any($2) order by n`,
    [account_id, templates],
  );
  return rows;
}
