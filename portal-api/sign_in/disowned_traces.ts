import type { Queryable } from '../../domain/db/transaction.ts';
import type { CustomerRole } from '../identity/identity.ts';

/** Somebody, for one of the accounts that they may act for. */
export interface AccountPerson {
  user_id: string;
  account_id: string;
}

/** What somebody might do for an account before it was changed first, and the more that they may do since it was changed last. */
export interface RoleChange extends AccountPerson {
  before: CustomerRole;
  after: CustomerRole;
  /** Of the rows of the log that tell of the first change, and of the last. */
  seq_first: bigint;
  seq_last: bigint;
}

/** What was done at numbers: ids of holdings, and of offers to hand a number over. */
export interface NumberTraces {
  forwards: ReadonlySet<string>;
  text_routes: ReadonlySet<string>;
  transfers: ReadonlySet<string>;
  port_pins: ReadonlySet<string>;
}

/** What whoever came in by somebody's sign-in, and whomever they let in, have left behind. */
export interface Traces extends NumberTraces {
  api_keys: ReadonlySet<string>;
  invitations: ReadonlySet<string>;
  /** Who came by those invitations. */
  joined: readonly AccountPerson[];
  /** Who may do more. */
  roles: readonly RoleChange[];
  /** The system_ids whose passwords were renewed. */
  esmes: ReadonlySet<string>;
  devices: ReadonlySet<string>;
  webhooks: ReadonlySet<string>;
}

/** Who acted, since when: the user for whichever account; a key, and somebody who was let in or raised, for that account alone. */
interface Suspect {
  actor_id: string;
  account_id: string | null;
  since: Date;
}

interface Act {
  seq: string;
  at: Date;
  action: string;
  account_id: string;
  id: string;
  /** Of a role. Null in rows that a former version of ours wrote. */
  before: CustomerRole | null;
  after: CustomerRole | null;
}

/** By these acts something comes to be, or comes to be known to whoever acts, that works without being signed in. */
const LEAVES = {
  'api_key.make': 'api_keys',
  'member.invite': 'invitations',
  'device.make': 'devices',
  'device.renew_credentials': 'devices',
  'webhook.make': 'webhooks',
  'webhook.change': 'webhooks',
  'webhook.rotate_secret': 'webhooks',
  'esme.renew_password': 'esmes',
  'number.forward': 'forwards',
  'number.route_texts': 'text_routes',
  'number.offer_transfer': 'transfers',
  'number.make_port_pin': 'port_pins',
} as const;

const ACTIONS = [...Object.keys(LEAVES), 'member.change'];

/** Follows the log of who did what: it has everything of it, and nobody can take a row out. */
export async function findTraces(db: Queryable, user_id: string, since: Date): Promise<Traces> {
  const left = {
    ...{ api_keys: new Set<string>(), invitations: new Set<string>(), esmes: new Set<string>() },
    ...{ devices: new Set<string>(), webhooks: new Set<string>() },
    ...{ forwards: new Set<string>(), text_routes: new Set<string>() },
    ...{ transfers: new Set<string>(), port_pins: new Set<string>() },
  };
  const joined: AccountPerson[] = [];
  const roles = new Map<string, RoleChange>();
  const suspects: Suspect[] = [{ actor_id: user_id, account_id: null, since }];
  const suspect = (actor_id: string, { account_id, at }: Act): void => {
    const is_known = suspects.some((one) => one.actor_id === actor_id && [null, account_id].includes(one.account_id));
    if (!is_known) suspects.push({ actor_id, account_id, since: at });
  };
  // Grows while it is gone through: a key may have made a phone, and somebody who was invited may have invited others.
  for (const who of suspects) {
    for (const act of await selectActs(db, who)) {
      const { action, account_id, id } = act;
      if (action === 'member.change') {
        noteRole(roles, act);
        if (isRaised(act)) suspect(id, act);
        continue;
      }
      const ids = left[LEAVES[action as keyof typeof LEAVES]];
      if (ids.has(id)) continue;
      ids.add(id);
      if (action === 'api_key.make') suspect(id, act);
      if (action !== 'member.invite') continue;
      for (const guest_id of await selectJoined(db, account_id, id)) {
        if (guest_id === user_id || joined.some((one) => one.user_id === guest_id && one.account_id === account_id)) {
          continue;
        }
        joined.push({ user_id: guest_id, account_id });
        suspect(guest_id, act);
      }
    }
  }
  return { ...left, joined, roles: [...roles.values()].filter(isRaised) };
}

/** The more somebody may do, the later. */
const RANKS: readonly CustomerRole[] = ['member', 'billing', 'owner'];

const isRaised = ({ before, after }: Pick<Act, 'before' | 'after'>): boolean =>
  before !== null && after !== null && RANKS.indexOf(after) > RANKS.indexOf(before);

function noteRole(roles: Map<string, RoleChange>, { seq, account_id, id: user_id, before, after }: Act): void {
  if (before === null || after === null) return;
  const [key, at] = [`${account_id} ${user_id}`, BigInt(seq)];
  const known = roles.get(key) ?? { account_id, user_id, before, after, seq_first: at, seq_last: at };
  const first = at < known.seq_first ? { before, seq_first: at } : {};
  const last = at > known.seq_last ? { after, seq_last: at } : {};
  roles.set(key, { ...known, ...first, ...last });
}

async function selectActs(db: Queryable, { actor_id, account_id, since }: Suspect): Promise<Act[]> {
  const { rows } = await db.query<Act>(
    `select seq, at, action, account_id, split_part(subject, ':', 2) as id, detail ->> 'before' as before, detail ->> 'role' as after
       from audit_log
      where actor_id = $1 and actor_kind in ('customer', 'api_key') and at >= $2 and action = any($3)
        and account_id is not null and ($4::uuid is null or account_id = $4)
      order by seq`,
    [actor_id, since, ACTIONS, account_id],
  );
  return rows;
}

/** Who accepted it with an account that they had, or registered by it. */
async function selectJoined(db: Queryable, account_id: string, invitation_id: string): Promise<string[]> {
  const { rows } = await db.query<{ user_id: string }>(
    `select l.actor_id::uuid as user_id from invitation i
       join audit_log l on l.account_id = i.account_id and l.action = 'member.join' and l.subject = 'invitation:' || i.id
      where i.id = $2 and i.account_id = $1 and i.accepted_at is not null
     union
     select f.user_id from invitation i join registration_flow f on f.invitation_id = i.id and f.state = 'done'
      where i.id = $2 and i.account_id = $1 and i.accepted_at is not null`,
    [account_id, invitation_id],
  );
  return rows.map(({ user_id }) => user_id);
}
