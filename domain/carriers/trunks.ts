import type { Queryable } from '../db/transaction.ts';

export interface CarrierTrunks {
  carrier_id: number;
  code: string;
  enabled: boolean;
  /** Enabled trunks of the carrier, in the order of their ids. */
  trunks: readonly Trunk[];
}

export interface Trunk {
  id: string;
  /** Calls that may be up on it at a time, in both directions together. */
  max_channels: number;
}

export async function selectCarrierTrunks(db: Queryable): Promise<readonly CarrierTrunks[]> {
  const { rows } = await db.query<CarrierTrunks>(
    `select c.id as carrier_id, c.code, c.enabled,
            coalesce((select jsonb_agg(jsonb_build_object('id', t.id, 'max_channels', t.max_channels) order by t.id)
                        from trunk t where t.carrier_id = c.id and t.enabled), '[]') as trunks
       from carrier c order by c.id`,
  );
  return rows;
}

/** The networks by which trunks are known, those of trunks that are switched off included, as CIDR. */
export async function selectTrunkNetworks(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ network: string }>(`select distinct address::text as network from trunk_address`);
  return rows.map(({ network }) => network);
}

/** The hosts at which trunks are called, those that are switched off included: addresses, or names. */
export async function selectTrunkHosts(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ host: string }>('select distinct host from trunk');
  return rows.map(({ host }) => host);
}

/** Which trunk takes the emergency calls of a country. */
export async function selectEmergencyTrunks(db: Queryable): Promise<ReadonlyMap<string, string>> {
  const { rows } = await db.query<{ country: string; trunk_id: string }>(
    `select e.country, e.trunk_id from emergency_route e join trunk t on t.id = e.trunk_id and t.enabled`,
  );
  return new Map(rows.map((row) => [row.country, row.trunk_id]));
}
