import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceDigests } from '../../domain/devices/credentials.ts';
import { Phone } from '../sip/phone.ts';
import type { PhoneOptions } from '../sip/phone.ts';
import { Scanner } from '../sip/scanner.ts';
import type { SecureServer } from '../sip/secure_wire.ts';
import type { Customer } from '../world/people.ts';
import { killed } from '../world/processes.ts';
import { talk } from '../world/talk.ts';
import { testWorld } from '../world/test_world.ts';
import { booksAreRight, eventually, settledCalls, walletOf } from '../world/verdict.ts';
import type { World } from '../world/world.ts';

const AT_ONCE_MS = 2_000;

let world: World;
let end: () => Promise<void>;
let hosts = 100;

beforeAll(async () => {
  // Whoever waits for a change here fails to log in on purpose; that this is throttled is tested elsewhere.
  ({ world, end } = await testWorld({ settings: { AUTH_FAILURES_MAX: '1000', AUTH_UNIDENTIFIED_MAX: '10000' } }));
}, 120_000);

afterAll(async () => {
  try {
    await booksAreRight(world.pool);
  } finally {
    await end();
  }
});

function nextAddress(): string {
  hosts += 1;
  return `${world.network}.${hosts}`;
}

/** A phone with these credentials on an address of its own, for the length of `use`. */
async function withPhone<T>(options: Partial<PhoneOptions> & { username: string }, use: (phone: Phone) => Promise<T>) {
  const phone = await Phone.open({ address: nextAddress(), server: world.sip, ...options });
  try {
    return await use(phone);
  } finally {
    await phone.close();
  }
}

/** What a registration with these credentials comes to, each time from another address unless told otherwise. */
function registers(device: Customer['device'], address?: string): Promise<string> {
  return withPhone({ ...device, ...(address === undefined ? {} : { address }) }, async (phone) => {
    const registration = await phone.register();
    return registration.kind === 'refused' ? `refused ${registration.status}` : registration.kind;
  });
}

async function becomes(verdict: string, device: Customer['device']): Promise<void> {
  await eventually(`${device.username} to be ${verdict}`, AT_ONCE_MS, async () =>
    (await registers(device)) === verdict ? true : null,
  );
}

async function rowOf(customer: Customer, device: Customer['device']): Promise<void> {
  const { ha1_md5, ha1_sha256 } = deviceDigests(device.username, device.password);
  await world.pool.query(
    'insert into sip_device (id, account_id, username, ha1_md5, ha1_sha256, caller_number) values ($1, $2, $3, $4, $5, $6)',
    [randomUUID(), customer.account_id, device.username, ha1_md5, ha1_sha256, customer.number],
  );
}

describe.concurrent('a device of the database', () => {
  it('registers and calls as soon as its row is there, though it was refused a moment before', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const device = { username: `new-${randomUUID().slice(0, 8)}`, password: 'only-for-tests' };
    expect(await registers(device)).toBe('refused 401');
    await rowOf(customer, device);
    await withPhone(device, async (phone) => {
      expect((await phone.register()).kind).toBe('registered');
      const call = phone.call('+442071838101');
      await talk(call, 300);
      await call.bye();
    });
    expect((await settledCalls(world.pool, customer.account_id, 1))[0]).toMatchObject({ net_micros: 1_000n });
  });

  it('is refused with another password, with the same answer as a name that is nobody’s', async () => {
    const { device } = await world.customer({ balance_micros: 0n });
    expect(await registers({ ...device, password: 'wrong' })).toBe('refused 401');
    expect(await registers({ username: 'nobody', password: 'wrong' })).toBe('refused 401');
    expect(await registers(device)).toBe('registered');
  });

  it('that is switched off is refused at once, calls nobody and rings no more', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    const before = world.carrier('alpha').callIn(customer.number, '+442079460000');
    await (await phone.nextIncoming()).answer();
    await before.answered();
    await before.bye();
    await world.pool.query('update sip_device set enabled = false where username = $1', [customer.device.username]);
    await becomes('refused 401', customer.device);
    const out = phone.call('+442071838102');
    expect((await out.ended()).status).toBe(401);
    const rung = phone.records.length;
    const after = world.carrier('alpha').callIn(customer.number, '+442079460000');
    expect((await after.ended(20_000)).status).toBe(480);
    expect(phone.records).toHaveLength(rung);
    await world.pool.query('update sip_device set enabled = true where username = $1', [customer.device.username]);
    await becomes('registered', customer.device);
  });

  it('takes a new password at once, and the old one no more', async () => {
    const { device } = await world.customer({ balance_micros: 0n });
    expect(await registers(device)).toBe('registered');
    const fresh = { ...device, password: 'another-one' };
    const { ha1_md5, ha1_sha256 } = deviceDigests(fresh.username, fresh.password);
    await world.pool.query('update sip_device set ha1_md5 = $2, ha1_sha256 = $3 where username = $1', [
      device.username,
      ha1_md5,
      ha1_sha256,
    ]);
    await becomes('registered', fresh);
    expect(await registers(device)).toBe('refused 401');
  });

  it('with allowed addresses is refused from all others, as if its password were wrong', async () => {
    const { device } = await world.customer({ balance_micros: 0n });
    const [home, elsewhere] = [nextAddress(), nextAddress()];
    await world.pool.query('update sip_device set allowed_address = array[$2::cidr] where username = $1', [
      device.username,
      `${home}/32`,
    ]);
    expect(await registers(device, home)).toBe('registered');
    expect(await registers(device, elsewhere)).toBe('refused 401');
    await world.pool.query('update sip_device set allowed_address = array[$2::cidr] where username = $1', [
      device.username,
      `${elsewhere}/32`,
    ]);
    await eventually('the change', AT_ONCE_MS, async () =>
      (await registers(device, elsewhere)) === 'registered' ? true : null,
    );
    expect(await registers(device, home)).toBe('refused 401');
  });
});

const UNKNOWN_CODEC = [
  ...['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0'],
  ...['m=audio 40000 RTP/AVP 99', 'a=rtpmap:99 nonsense/16000', ''],
].join('\r\n');

describe.concurrent('a phone that offers sound which the switch cannot take', () => {
  it.each([
    ['a codec that nobody has', UNKNOWN_CODEC, 488],
    ['no session at all, but bytes', 'v=zero\r\n\u0001\u0002m=audio banana\r\nc=IN IP9 nowhere\r\n', 400],
  ])('is refused, and nothing is held or left: %s', async (_what, sdp, status) => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    const number = '+442071838105';
    const call = phone.call(number, { sdp });
    expect((await call.ended()).status).toBe(status);
    expect(await walletOf(world.pool, customer.wallet_id)).toEqual({
      ...{ balance_micros: 1_000_000n, held_micros: 0n, open_calls: 0 },
    });
    expect(await world.asterisk.command('core show channels concise')).not.toContain(customer.device.username);
    // The same phone calls as ever with a session that is one, and that is the only call there ever was.
    const next = phone.call(number);
    await talk(next, 300);
    await next.bye();
    expect(await settledCalls(world.pool, customer.account_id, 1)).toMatchObject([{ net_micros: 1_000n }]);
  });
});

async function secure(kind: SecureServer['kind']): Promise<SecureServer> {
  const ca = await readFile(world.asterisk.certificate_file, 'utf8');
  return { kind, address: world.sip.address, port: kind === 'tls' ? 5061 : 8089, ca };
}

describe.concurrent.each(['tls', 'wss'] as const)('a phone over %s', (kind) => {
  it('is refused with a wrong password', async () => {
    const { device } = await world.customer({ balance_micros: 0n });
    const wrong = { username: device.username, password: 'wrong', secure: await secure(kind) };
    await withPhone(wrong, async (phone) => {
      expect(await phone.register()).toEqual({ kind: 'refused', status: 401 });
    });
  });

  it('registers by digest, calls out and is called, all over its one connection', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    await withPhone({ ...customer.device, secure: await secure(kind) }, async (phone) => {
      expect((await phone.register()).kind).toBe('registered');
      const out = phone.call('+442071838103');
      await talk(out, 1_200);
      await out.hears({ tone_hz: 1000 }, 3_000);
      await out.bye();
      const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
      expect(cdr?.net_micros).toBe(BigInt(Math.ceil((cdr?.duration_ms ?? 0) / 1000)) * 1000n);
      expect(world.beyond(cdr?.duration_ms, out)).toBeLessThan(150);
      const call = world.carrier('alpha').callIn(customer.number, '+442079460000');
      await (await phone.nextIncoming()).answer();
      await talk(call, 300);
      await call.bye();
      expect(phone.log.entries.every(({ peer }) => peer.startsWith(`${world.sip.address}:`))).toBe(true);
    });
  });
});

/** Writes `bytes` to a stream of the switch and waits until it, or we, had enough. */
async function pour(stream: NodeJS.WritableStream & { destroy: () => unknown }, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once('close', () => resolve()).on('error', () => resolve());
    stream.write(bytes, () => resolve());
  });
  stream.destroy();
}

describe('malformed messages by the hundred', () => {
  it('leave the switch answering, and a call that is up going on', async () => {
    const customer = await world.customer({ balance_micros: 1_000_000n });
    const phone = await world.phone(customer);
    const call = phone.call('+442071838104');
    await call.answered();
    const scanner = await Scanner.open({ address: nextAddress(), target: world.sip });
    let sent = 0;
    for (let seed = 1; seed <= 6; seed += 1) {
      sent += scanner.sendMalformed({ fuzzed: 80, seed });
      expect((await scanner.probe('REGISTER', 'nobody', { within_ms: 5_000 })).status).toBe(401);
    }
    expect(sent).toBeGreaterThan(500);
    const { host, ca } = { host: world.sip.address, ca: (await secure('tls')).ca };
    const noise = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 167) & 0xff));
    await pour(connect({ host, port: world.sip.port }), noise);
    await pour(connect({ host, port: 5061 }), noise);
    await pour(connectTls({ host, port: 5061, ca }), noise);
    expect((await scanner.probe('REGISTER', 'nobody', { within_ms: 5_000 })).status).toBe(401);
    await scanner.close();
    expect(call.isLive).toBe(true);
    const heard = call.rtp?.packets_received ?? 0;
    await eventually('more sound', 2_000, () => ((call.rtp?.packets_received ?? 0) > heard + 10 ? true : null));
    await call.bye();
    const [cdr] = await settledCalls(world.pool, customer.account_id, 1);
    expect(world.beyond(cdr?.duration_ms, call)).toBeLessThan(150);
    expect(await registers(customer.device)).toBe('registered');
    // The very same process: nobody restarted it.
    expect(() => process.kill(world.asterisk.pid, 0)).not.toThrow();
  });
});

describe('a switch that was killed while phones were connected to it', () => {
  it('takes them again over TLS and WSS as soon as it is back', async () => {
    const customer = await world.customer({ balance_micros: 0n });
    const kinds = ['tls', 'wss'] as const;
    const connected = await Promise.all(
      kinds.map(async (kind) =>
        Phone.open({ ...customer.device, address: nextAddress(), server: world.sip, secure: await secure(kind) }),
      ),
    );
    for (const phone of connected) expect((await phone.register()).kind).toBe('registered');
    await killed(world.asterisk);
    await world.startAsterisk();
    for (const phone of connected) await phone.close();
    for (const kind of kinds) {
      await withPhone({ ...customer.device, secure: await secure(kind) }, async (phone) => {
        expect((await phone.register()).kind).toBe('registered');
      });
    }
  }, 60_000);
});
