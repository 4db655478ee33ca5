import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Identities } from '../sip/call_record.ts';
import { answer } from '../sip/carrier_script.ts';
import type { DialOptions } from '../sip/phone.ts';
import type { Customer } from '../world/people.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight, settledCalls } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

/** Somebody's, but not the account's. */
const STRANGER = '+442079460123';

let world: World;
let end: () => Promise<void>;
let numbers = 0;

beforeAll(async () => {
  ({ world, end } = await testWorld());
  world.carrier('alpha').play(answer());
}, 120_000);

afterAll(async () => {
  try {
    await booksAreRight(world.pool);
  } finally {
    await end();
  }
});

interface Seen {
  customer: Customer;
  /** Who calls, as the carrier got it. */
  identities: Identities;
  /** The whole INVITE, in which no other place may tell it either. */
  invite: string;
  recorded: string | null | undefined;
}

/** A call of a new customer's phone, and what the carrier is told of the caller. */
async function carrierSees(options: DialOptions, verified: readonly string[] = []): Promise<Seen> {
  const customer = await world.customer({ balance_micros: 1_000_000n });
  for (const number of verified) {
    await world.pool.query('insert into verified_caller (account_id, number) values ($1, $2)', [
      customer.account_id,
      number,
    ]);
  }
  numbers += 1;
  const phone = await world.phone(customer);
  const call = phone.call(`+4420718${60_000 + numbers}`, options);
  await talk(call, 300);
  const far = await world.carrier('alpha').nextCall();
  await call.bye();
  const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
  expect(cdr?.result).toBe('answered');
  return { customer, identities: far.record.identities, invite: JSON.stringify(far.invite), recorded: cdr?.caller };
}

/** No identity but the one in From. */
const onlyFrom = (from_user: string): Partial<Identities> => ({
  ...{ from_user, p_asserted_identity: [], p_preferred_identity: [], remote_party_id: undefined },
});

it('is the account’s own number when the phone claims a stranger’s, whatever name it gives itself', async () => {
  const seen = await carrierSees({ callerNumber: STRANGER, display_name: 'Your bank' });
  expect(seen.identities).toMatchObject({ ...onlyFrom(seen.customer.number), privacy: undefined });
  expect(seen.invite).not.toContain(STRANGER.slice(1));
  expect(seen.invite).not.toContain('bank');
  expect(seen.recorded).toBe(seen.customer.number);
});

it('is a number that the account has verified when the phone claims that one', async () => {
  const seen = await carrierSees({ callerNumber: STRANGER }, [STRANGER]);
  expect(seen.identities).toMatchObject({ ...onlyFrom(STRANGER), privacy: undefined });
  expect(seen.recorded).toBe(STRANGER);
});

it('is the account’s own number whatever identities the phone asserts, and none of them goes on', async () => {
  const identity = `<sip:${STRANGER}@${world.sip.address}>`;
  const headers = [
    { name: 'p-asserted-identity', value: identity },
    { name: 'p-preferred-identity', value: identity },
    { name: 'remote-party-id', value: `${identity};party=calling;screen=yes` },
    { name: 'diversion', value: `${identity};reason=unconditional` },
  ];
  const seen = await carrierSees({ headers });
  expect(seen.identities).toMatchObject({ ...onlyFrom(seen.customer.number), privacy: undefined });
  expect(seen.invite).not.toContain(STRANGER.slice(1));
  expect(seen.recorded).toBe(seen.customer.number);
});

it.each(['anonymous', 'Anonymous'])(
  'is withheld from the carrier when the phone is %s, and on record',
  async (name) => {
    const { customer, identities, invite, recorded } = await carrierSees({ callerNumber: name, display_name: 'Alice' });
    expect(identities).toMatchObject(onlyFrom('anonymous'));
    expect(invite).not.toContain(customer.number.slice(1));
    expect(invite).not.toContain(customer.device.username);
    expect(invite).not.toContain('Alice');
    expect(recorded).toBe(customer.number);
  },
);
