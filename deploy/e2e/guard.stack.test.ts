import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Phone } from '../sip/phone.ts';
import { Scanner } from '../sip/scanner.ts';
import { testWorld } from '../world/test_world.ts';
import type { Customer } from '../world/people.ts';
import { eventually } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

const FAILURES_MAX = 5;
const UNIDENTIFIED_MAX = 60;
const BLOCK_SECONDS = 12;

let world: World;
let end: () => Promise<void>;

beforeAll(async () => {
  const settings = {
    AUTH_FAILURES_MAX: String(FAILURES_MAX),
    AUTH_UNIDENTIFIED_MAX: String(UNIDENTIFIED_MAX),
    AUTH_WINDOW_SECONDS: '60',
    AUTH_BLOCK_SECONDS: String(BLOCK_SECONDS),
  };
  ({ world, end } = await testWorld({ settings }));
}, 120_000);

afterAll(() => end());

/** One registration with credentials, from an address of its own; undefined when nothing came back. */
async function registers(host: number, customer: Customer, password = customer.device.password): Promise<string> {
  const server = world.sip;
  const phone = await Phone.open({ ...customer.device, password, address: `${world.network}.${host}`, server });
  const registration = await phone.register();
  await phone.close();
  return registration.kind === 'refused' ? `refused ${registration.status}` : registration.kind;
}

async function failsUntilShutOut(host: number, customer: Customer): Promise<number> {
  let failures = 0;
  await eventually('the block', 5_000, async () => {
    const verdict = await registers(host, customer, 'wrong');
    if (verdict === 'refused 403') return true;
    expect(verdict).toBe('refused 401');
    failures += 1;
    return null;
  });
  return failures;
}

async function refusedTotal(why: string): Promise<number> {
  const text = await (await fetch(`${world.controller.url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`letsdial_refused_addresses_total{why="${why}"}`));
  return Number(line?.split(' ')[1] ?? '0');
}

describe.concurrent('an address that fails to log in again and again', () => {
  it('is shut out for a while, and the account is not', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    const failures = await failsUntilShutOut(101, customer);
    // Some more may be on their way while the switch is told.
    expect(failures).toBeGreaterThanOrEqual(FAILURES_MAX);
    expect(failures).toBeLessThan(FAILURES_MAX + 20);
    expect(await registers(101, customer)).toBe('refused 403');
    expect(await registers(102, customer)).toBe('registered');
    expect(await refusedTotal('blocked')).toBeGreaterThan(0);
    await eventually('the end of the block', (BLOCK_SECONDS + 4) * 1000, async () =>
      (await registers(101, customer)) === 'registered' ? true : null,
    );
  });

  it('is not shut out below the limit', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    for (let failure = 1; failure < FAILURES_MAX; failure += 1) {
      expect(await registers(111, customer, 'wrong')).toBe('refused 401');
    }
    expect(await registers(111, customer)).toBe('registered');
  });

  it('is spared when it logged in before, as its failures may be forged', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    expect(await registers(121, customer)).toBe('registered');
    const before = await refusedTotal('spared');
    for (let failure = 0; failure < FAILURES_MAX + 2; failure += 1) {
      expect(await registers(121, customer, 'wrong')).toBe('refused 401');
    }
    await eventually('that it was spared', 5_000, async () => ((await refusedTotal('spared')) > before ? true : null));
    expect(await registers(121, customer)).toBe('registered');
  });

  it('is spared when it is that of a trunk', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    // Switched off, or the switch would take it for the trunk and not even ask for a digest.
    await world.pool.query(
      `insert into trunk (id, carrier_id, host, enabled) select 'trunk-resting', carrier_id, host, false from trunk where id = 'trunk-alpha'`,
    );
    await world.pool.query(`insert into trunk_address (trunk_id, address) values ('trunk-resting', $1)`, [
      `${world.network}.128/29`,
    ]);
    const before = await refusedTotal('spared');
    for (let failure = 0; failure < FAILURES_MAX + 2; failure += 1) {
      expect(await registers(131, customer, 'wrong')).toBe('refused 401');
    }
    await eventually('that it was spared', 5_000, async () => ((await refusedTotal('spared')) > before ? true : null));
    expect(await registers(131, customer)).toBe('registered');
  });
});

describe('requests without credentials', () => {
  it('count, and shut nobody out while they are few', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    const before = await refusedTotal('unidentified');
    const target = world.sip;
    const scanner = await Scanner.open({ address: `${world.network}.141`, target });
    for (let probe = 0; probe < 40; probe += 1) {
      expect((await scanner.probe('REGISTER', `nobody${probe}`)).status).toBe(401);
    }
    await scanner.close();
    await eventually('that they were counted', 5_000, async () =>
      (await refusedTotal('unidentified')) > before ? true : null,
    );
    expect(await registers(141, customer)).toBe('registered');
  });

  it('get the same 401 whatever they ask for, tell nothing, and shut their address out when they are many', async () => {
    const holder = await world.customer({ balance_micros: 0n });
    const scanner = await Scanner.open({ address: `${world.network}.161`, target: world.sip });
    const before = await refusedTotal('blocked');
    // A number that somebody holds, asked for by who is no trunk, is like one that nobody holds.
    for (const number of [holder.number, '+4930999999']) {
      expect(await scanner.probe('INVITE', number)).toMatchObject({ status: 401, tells: ['Letsdial'] });
    }
    let asked = 2;
    await eventually('the block', 20_000, async () => {
      asked += 1;
      return (await scanner.probe('INVITE', `${asked}`)).status === 403 ? true : null;
    });
    expect(asked).toBeGreaterThanOrEqual(UNIDENTIFIED_MAX / 2);
    expect(await refusedTotal('blocked')).toBeGreaterThan(before);
    await scanner.close();
    // One that guesses besides is shut out sooner.
    const guesser = await Scanner.open({ address: `${world.network}.163`, target: world.sip });
    let guesses = 0;
    await eventually('the block of who guesses', 20_000, async () => {
      guesses += 1;
      const credentials = { username: `${100 + guesses}`, password: 'guessed' };
      return (await guesser.probe('REGISTER', credentials.username, { credentials })).status === 403 ? true : null;
    });
    expect(guesses).toBeGreaterThan(FAILURES_MAX);
    // Each guess is two requests, so that as many without credentials would have been twice as many.
    expect(guesses).toBeLessThan(UNIDENTIFIED_MAX / 2);
    await guesser.close();
    // Nobody else hears of it, and no call came of any of this.
    expect(await registers(162, holder)).toBe('registered');
    const { rows } = await world.pool.query('select 1 from cdr');
    expect(rows).toEqual([]);
  }, 60_000);
});

describe('a switch that was restarted', () => {
  it('is told again whom to shut out', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    await failsUntilShutOut(151, customer);
    await world.asterisk.stop();
    await world.startAsterisk();
    await eventually('the block after the restart', BLOCK_SECONDS * 1000 - 1000, async () =>
      (await registers(151, customer)) === 'refused 403' ? true : null,
    );
  }, 60_000);
});
