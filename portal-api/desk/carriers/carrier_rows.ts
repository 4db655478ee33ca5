import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { BindTold } from './bind_shapes.ts';
import type { CarrierTold, TrunkTold } from './carrier_shapes.ts';

const trunkColumns = `
  t.id as trunk_id, t.carrier_id, t.host, t.port, t.transport, t.from_domain, t.auth_username,
  t.auth_username is not null as has_secret, t.max_channels, t.enabled, t.version,
  coalesce((select jsonb_agg(a.address::text order by a.address) from trunk_address a where a.trunk_id = t.id), '[]') as addresses,
  coalesce((select jsonb_agg(e.country order by e.country) from emergency_route e where e.trunk_id = t.id), '[]') as emergency_countries`;

const bindColumns = `
  b.id as bind_id, b.carrier_id, b.host, b.port, b.tls, b.system_id, b.has_password, b.system_type, b.kind,
  case b.interface_version when 51 then '3.3' when 52 then '3.4' else '5.0' end as interface_version,
  b.window_max, b.texts_per_second_max, b.alphanumeric_sender, b.default_alphabet, to_jsonb(b.national_languages) as national_languages,
  b.receipt_id_form, b.receipt_utc_offset_minutes, b.unflagged_receipts, to_jsonb(b.countries) as countries,
  case when b.opens_at is not null then
    jsonb_build_object('opens_at', to_char(b.opens_at, 'HH24:MI'), 'closes_at', to_char(b.closes_at, 'HH24:MI')) end as hours,
  case when b.outbind_system_id is not null then
    jsonb_build_object('system_id', b.outbind_system_id, 'address', b.outbind_address::text) end as outbind,
  b.time_zone, b.home_country, b.number_ton, b.number_npi, b.short_code_ton, b.short_code_npi, b.name_ton, b.name_npi,
  b.recipient_ton, b.recipient_npi, b.plus_sign, b.sends_validity, b.tls_authorities, b.tls_name, b.enabled, b.version`;

const carrierQuery = `
  select c.id as carrier_id, c.code, c.name, c.currency, c.enabled, c.version,
         coalesce((select jsonb_agg(to_jsonb(x) order by x.trunk_id)
                     from (select ${trunkColumns} from trunk t where t.carrier_id = c.id) x), '[]') as trunks,
         coalesce((select jsonb_agg(to_jsonb(x) order by x.bind_id)
                     from (select ${bindColumns} from carrier_bind b where b.carrier_id = c.id) x), '[]') as binds
    from carrier c`;

export async function listCarriers(db: Queryable, rows_max: number): Promise<CarrierTold[]> {
  const { rows } = await db.query<CarrierTold>(`${carrierQuery} order by c.code limit $1`, [rows_max]);
  return rows;
}

export async function readCarrier(db: Queryable, carrier_id: number): Promise<CarrierTold | null> {
  const { rows } = await db.query<CarrierTold>(`${carrierQuery} where c.id = $1`, [carrier_id]);
  return rows[0] ?? null;
}

export async function readTrunk(db: Queryable, trunk_id: string): Promise<TrunkTold | null> {
  const { rows } = await db.query<TrunkTold>(`select ${trunkColumns} from trunk t where t.id = $1`, [trunk_id]);
  return rows[0] ?? null;
}

export async function readBind(db: Queryable, bind_id: string): Promise<BindTold | null> {
  const { rows } = await db.query<BindTold>(`select ${bindColumns} from carrier_bind b where b.id = $1`, [bind_id]);
  return rows[0] ?? null;
}

/** Whether there is such a carrier. */
export async function isCarrier(db: Queryable, carrier_id: number): Promise<boolean> {
  const { rows } = await db.query('select 1 from carrier where id = $1', [carrier_id]);
  return rows.length > 0;
}

/**
 * A network of another carrier that shares addresses with these: whose call it is could not be told. Nobody else sets networks until
 * the transaction ends, as two who do so at once would miss each other.
 */
export async function networkInTheWay(
  tx: Transaction,
  carrier_id: number,
  networks: readonly string[],
): Promise<{ network: string; trunk_id: string; asked: string } | null> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('trunk_address'))`);
  const { rows } = await tx.query<{ network: string; trunk_id: string; asked: string }>(
    `select a.address::text as network, a.trunk_id, n.asked::text as asked
       from unnest($2::cidr[]) n (asked)
       join trunk_address a on a.address && n.asked
       join trunk t on t.id = a.trunk_id and t.carrier_id <> $1
      order by a.address, a.trunk_id limit 1`,
    [carrier_id, networks],
  );
  return rows[0] ?? null;
}

/** What stays the same is not written, so nobody hears of it. */
export async function setNetworks(tx: Transaction, trunk_id: string, networks: readonly string[]): Promise<void> {
  await tx.query('delete from trunk_address where trunk_id = $1 and address <> all ($2::cidr[])', [trunk_id, networks]);
  await tx.query(
    `insert into trunk_address (trunk_id, address) select $1, n from unnest($2::cidr[]) n on conflict do nothing`,
    [trunk_id, networks],
  );
}
