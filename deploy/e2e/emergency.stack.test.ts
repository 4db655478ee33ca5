import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { answer } from '../sip/carrier_script.ts';
import type { OutgoingCall } from '../sip/outgoing_call.ts';
import type { Customer } from '../world/people.ts';
import { OwnServers } from '../world/own_servers.ts';
import { killed, signals, untilHealth } from '../world/processes.ts';
import { talk } from '../world/talk.ts';
import { booksAreRight, eventually, settledCalls, walletOf } from '../world/verdict.ts';
import type { CdrVerdict } from '../world/verdict.ts';
import { World } from '../world/world.ts';
import { Talkers } from './bad_days/talkers.ts';

const GRANT_SECONDS = 3;
/** Beyond the grant that any other call would have needed a renewal for. */
const BEYOND_GRANT_MS = GRANT_SECONDS * 1000 + 1_500;
/** Two reconciliations and what they wait before they act. */
const RECONCILED_MS = 5_500;

let servers: OwnServers;
let world: World;
let is_stopped = false;

beforeAll(async () => {
  const programs = inject('programs');
  servers = await OwnServers.begin(programs);
  world = await World.begin({
    programs,
    database_url: servers.postgres.url,
    redis_url: servers.valkey.url,
    carriers: ['alpha', 'help'],
    settings: { GRANT_SECONDS: String(GRANT_SECONDS) },
  });
  world.carrier('alpha').play(answer());
  world.carrier('help').play(answer());
  const loads = await timesLoaded();
  await world.pool.query("insert into emergency_route (country, trunk_id) values ('DE', 'trunk-help')");
  await eventually('the new route in force', 10_000, async () => ((await timesLoaded()) > loads ? true : null));
}, 120_000);

// A server that stays away would hold up every end.
afterEach(async () => {
  servers.thawPostgres();
  if (is_stopped) await stopped.end();
});

afterAll(async () => {
  await world.end();
  await servers.end();
});

async function logOf(name: string): Promise<string> {
  return readFile(join(world.home, 'log', name), 'utf8');
}

async function timesLoaded(): Promise<number> {
  return (await logOf('controller.log')).split('"msg":"rates loaded"').length;
}

/** Nothing but a record is left of the call: no money moved, and none is held. */
async function expectFreeOfCharge(customer: Customer, balance_micros: bigint): Promise<CdrVerdict | undefined> {
  const cdr = (await settledCalls(world.pool, customer.account_id, 1)).at(-1);
  expect(cdr).toMatchObject({
    direction: 'emergency',
    result: 'answered',
    duration_source: 'record',
    callee: '112',
    net_micros: 0n,
    tax_micros: 0n,
    operator_loss_micros: 0n,
    attempts: [{ trunk_id: 'trunk-help' }],
  });
  expect(await walletOf(world.pool, customer.wallet_id)).toEqual({ balance_micros, held_micros: 0n, open_calls: 0 });
  await booksAreRight(world.pool);
  return cdr;
}

describe('a call for help', () => {
  it.each<[string, Parameters<World['customer']>[0], string | null]>([
    ['has no money', { balance_micros: 0n }, null],
    ['is restricted', { balance_micros: 0n }, 'all'],
    [
      'has reached every limit',
      {
        balance_micros: 5_000_000n,
        limits: {
          ...{ concurrent_calls_max: 0, calls_per_second_max: 0 },
          ...{ spend_micros_per_hour_max: 0n, spend_micros_per_day_max: 0n },
        },
      },
      null,
    ],
  ])(
    'of a customer who %s is answered, and charged to nobody',
    async (_, wishes, scope) => {
      const customer = await world.customer(wishes);
      if (scope !== null)
        await world.pool.query(
          "insert into restriction (id, account_id, scope, reason, starts_at) values ($1, $2, $3, 'test', now() - interval '1 hour')",
          [randomUUID(), customer.account_id, scope],
        );
      const call = (await world.phone(customer)).call('112');
      await talk(call, BEYOND_GRANT_MS);
      expect(call.isLive).toBe(true);
      expect(await walletOf(world.pool, customer.wallet_id)).toMatchObject({ held_micros: 0n });
      const far = await world.carrier('help').nextCall();
      expect(far.record).toMatchObject({ number: '112', identities: { from_user: customer.number } });
      await call.bye();
      const cdr = await expectFreeOfCharge(customer, wishes.balance_micros);
      expect(world.beyond(cdr?.duration_ms, call)).toBeLessThan(150);
    },
    40_000,
  );

  it('is put through by a controller that takes no other call any more', async () => {
    await world.stopControllers();
    const draining = await world.startController({ settings: { DRAIN_MS: '4000' }, log: 'draining.log' });
    const talkers = new Talkers(world);
    const keeps_it_up = await talkers.talker(1_000_000n);
    const customer = await world.customer({ balance_micros: 0n });
    const phone = await world.phone(customer);
    const late_phone = await world.phone(await world.customer({ balance_micros: 1_000_000n }));
    signals.askToStop(draining.pid);
    await eventually('the drain', 5_000, async () =>
      (await logOf('draining.log')).includes('"msg":"draining"') ? true : null,
    );
    const call = phone.call('112');
    await talk(call, 500);
    expect(call.isLive).toBe(true);
    const late = late_phone.call('+442071838750');
    expect(await late.ended(15_000)).toMatchObject({ by: 'remote', status: 503 });
    // The time to drain is over: who talks is hung up, and who asks for help is not.
    expect((await draining.died).message).toContain('ended with code 0');
    expect((await keeps_it_up.call.ended(5_000)).by).toBe('remote');
    expect(call.isLive).toBe(true);
    await world.startController();
    await talk(call, 1_000);
    expect(call.isLive).toBe(true);
    await call.bye();
    await expectFreeOfCharge(customer, 0n);
  }, 60_000);
});

interface Outage {
  name: string;
  begin: () => Promise<void>;
  end: () => Promise<void>;
}

/** Connections stay open, and nobody answers on them. */
const frozen: Outage = {
  name: 'is frozen',
  begin: () => servers.freezePostgres(),
  end: () => {
    servers.thawPostgres();
    return Promise.resolve();
  },
};

/** Connections end, and new ones are refused. */
const stopped: Outage = {
  name: 'is stopped',
  begin: async () => {
    await servers.postgres.stop();
    is_stopped = true;
  },
  end: async () => {
    await servers.startPostgres();
    is_stopped = false;
  },
};

interface Caller {
  customer: Customer;
  call: OutgoingCall;
}

/**
 * Two who dial 112 while the database is away: one whose phone has called before, and one whose phone has but registered. Nobody has
 * called over the trunk: the switch was told to know it.
 */
async function answeredIn(outage: Outage): Promise<Caller[]> {
  const [has_called, has_not] = [
    await world.customer({ balance_micros: 0n }),
    await world.customer({ balance_micros: 0n }),
  ];
  // One that starts knows of nobody, and has the switch forget what it knows.
  await world.stopControllers();
  await world.startController();
  const callers = [];
  for (const customer of [has_called, has_not]) callers.push({ customer, phone: await world.phone(customer) });
  expect((await callers[0]?.phone.call('+442071838750').ended(15_000))?.status).toBe(403);
  await eventually('the trunk that is known before it is needed', 10_000, async () =>
    (await world.asterisk.command('sorcery memory cache dump res_pjsip/endpoint')).includes('trunk-help') ? true : null,
  );
  await outage.begin();
  await untilHealth(world.controller.url, 503, 8_000);
  const made = callers.map(({ customer, phone }) => ({ customer, call: phone.call('112') }));
  for (const { call } of made) await call.answered(8_000);
  return made;
}

async function expectRecordOfHelp(customer: Customer, call: OutgoingCall): Promise<void> {
  const cdr = await eventually('the record of the call', 20_000, async () => {
    const cdrs = await settledCalls(world.pool, customer.account_id, 1);
    return cdrs.find(({ direction }) => direction === 'emergency') ?? null;
  });
  expect(world.beyond(cdr.duration_ms, call)).toBeLessThan(150);
  await expectFreeOfCharge(customer, 0n);
}

describe('a call for help while Postgres is away', () => {
  it.each([frozen, stopped])(
    'is answered and goes on, and is recorded later, where it $name',
    async (outage) => {
      const made = await answeredIn(outage);
      for (const { call } of made) {
        await talk(call, BEYOND_GRANT_MS);
        expect(call.isLive).toBe(true);
      }
      await outage.end();
      await untilHealth(world.controller.url, 200, 10_000);
      for (const { call } of made) await talk(call, BEYOND_GRANT_MS + RECONCILED_MS);
      for (const { customer, call } of made) {
        expect(call.isLive).toBe(true);
        await call.bye();
        await expectRecordOfHelp(customer, call);
      }
    },
    90_000,
  );

  it('is taken over by the next controller, though nothing is held for it, and recorded', async () => {
    const made = await answeredIn(stopped);
    await stopped.end();
    await killed(world.controller);
    await world.startController({ log: 'next.log' });
    await eventually('the reconciliation', 10_000, async () =>
      (await logOf('next.log')).split('adopted a call for help').length > made.length ? true : null,
    );
    for (const { call } of made) await talk(call, BEYOND_GRANT_MS + RECONCILED_MS);
    for (const { customer, call } of made) {
      expect(call.isLive).toBe(true);
      await call.bye();
      await expectRecordOfHelp(customer, call);
    }
    await new Talkers(world).nothingIsLeft();
  }, 90_000);
});
