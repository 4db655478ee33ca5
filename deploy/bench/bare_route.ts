import express from 'express';
import pg from 'pg';

/** What a route costs that does nothing but run one indexed query: what the portal is measured against. */
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 16 });
const app = express();
app.get('/calls/:account_id', (request, response, next) => {
  pool
    .query({
      name: 'bare',
      text: `select call_id, direction, dialled, caller, callee, destination, started_at, answered_at, ended_at, duration_ms,
                    seconds_billed, net_micros, tax_micros, currency, result, cause
               from cdr where account_id = $1 order by started_at desc limit 25`,
      values: [request.params.account_id],
    })
    .then(({ rows }) => response.json({ items: rows }))
    .catch(next);
});
app.listen(Number(process.env['BARE_PORT']), process.env['BARE_HOST'] ?? '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
