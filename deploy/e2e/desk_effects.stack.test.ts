import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PortalClient, Reply } from '../../portal-api/testing/portal_client.ts';
import { STATUS } from '../../sms-gateway/smpp/status.ts';
import { NpmEsme } from '../../sms-gateway/smsc/testing/npm_esme.ts';
import { CarrierPeer } from '../sip/carrier.ts';
import type { Phone } from '../sip/phone.ts';
import type { Customer } from '../world/people.ts';
import { PortalStack } from '../world/portal_stack.ts';
import { TextClient } from '../world/text_client.ts';
import { booksAreRight, eventually, settledCalls } from '../world/verdict.ts';
import type { CdrVerdict } from '../world/verdict.ts';

/** What is done at the desk, and what the very next call or text makes of it: by the far end's own records, and by SQL. */

const FRIEND = '+442071838750';
const MOBILE = '+447700900123';
/** With what the switch would read as the end of it, and as another character. */
const SECRET = 'semi;colon^3Band-more';
/** A second on a machine with nothing else to do; on any sooner than services look by themselves, every ten seconds. */
const SOON_MS = 5_000;

let stack: PortalStack;
let owner: PortalClient;
let approver: PortalClient;
let customer: Customer;
let phone: Phone;
let beta: CarrierPeer;
/** Calls of the customer so far, each of which has a record in the end. */
let calls = 0;

beforeAll(async () => {
  stack = await PortalStack.begin();
  owner = await stack.admin(['owner']);
  approver = await stack.admin(['finance']);
  customer = await stack.calls.customer({ balance_micros: 50_000_000n });
  phone = await stack.calls.phone(customer);
  beta = await CarrierPeer.open({
    ...{ address: `${stack.calls.network}.15`, port: 5060, server: stack.calls.sip },
    challenge: { username: 'letsdial', password: SECRET, realm: 'beta.example' },
  });
}, 60_000);

afterAll(async () => {
  await beta.close();
  await booksAreRight(stack.calls.pool);
  await stack.end();
});

async function done<T>(status: number, reply: Promise<Reply<T>>): Promise<T> {
  const { status: is, body } = await reply;
  expect({ status: is, body }).toMatchObject({ status });
  return body;
}

/** Calls until one goes out over that carrier, and says how long after now it was dialled. */
async function dialledOver(peer: CarrierPeer, number = FRIEND): Promise<number> {
  const since_ms = performance.now();
  return eventually(`a call to ${number} over another carrier`, 10_000, async () => {
    const before = peer.records.length;
    const dialled_ms = performance.now() - since_ms;
    const call = phone.call(number);
    calls += 1;
    // A refusal is spoken before it is one.
    await Promise.race([call.answered(), call.earlyMedia()]);
    if (call.record.answered_at_ms === undefined) call.cancel();
    else await call.bye();
    await call.ended();
    return peer.records.length > before ? dialled_ms : null;
  });
}

async function lastRecord(): Promise<CdrVerdict | undefined> {
  return (await settledCalls(stack.calls.pool, customer.account_id, calls)).at(-1);
}

/** Why the next call is refused. */
async function refusalOfNextCall(): Promise<string | null | undefined> {
  const call = phone.call(FRIEND);
  calls += 1;
  await call.earlyMedia(5_000);
  call.cancel();
  await call.ended();
  return (await lastRecord())?.refusal;
}

async function accountVersion(): Promise<number> {
  const { rows } = await stack.calls.pool.query<{ version: number }>('select version from account where id = $1', [
    customer.account_id,
  ]);
  return rows[0]?.version ?? 0;
}

describe('what is done at the desk', () => {
  it('makes a carrier that the next call goes out over, by its secret, and that calls in', async () => {
    const { carrier_id } = await done(
      201,
      owner.post<{ carrier_id: number }>('/v1/admin/carriers', { code: 'beta', name: 'Beta', currency: 'EUR' }),
    );
    const { address, port } = beta.address;
    const trunk = {
      ...{ trunk_id: 'trunk-beta', host: address, port, addresses: [address], max_channels: 10 },
      credentials: { username: 'letsdial', secret: SECRET },
    };
    await done(201, owner.post(`/v1/admin/carriers/${carrier_id}/trunks`, trunk));
    const form = new FormData();
    const fields = { name: 'buy-beta', service: 'calls', side: 'buy', carrier_id: String(carrier_id), currency: 'EUR' };
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('file', new Blob(['prefix,destination,rate_per_minute\n44,UK,0.005\n']), 'beta.csv');
    const deck = await done(
      201,
      owner.ask<{ deck_id: number; version: number }>('POST', '/v1/admin/rate-decks', { form }),
    );
    const approval = `/v1/admin/rate-decks/${deck.deck_id}/approval`;
    await done(200, approver.post(approval, {}, { version: deck.version }));
    expect(await dialledOver(beta)).toBeLessThan(SOON_MS);
    expect(await lastRecord()).toMatchObject({
      result: 'answered',
      carrier_id,
      attempts: [{ trunk_id: 'trunk-beta' }],
    });

    // The first call that it sends is known as its own.
    const incoming = beta.callIn(customer.number, MOBILE);
    calls += 1;
    await (await phone.nextIncoming()).answer();
    await incoming.answered();
    await incoming.bye();
    expect(await lastRecord()).toMatchObject({ direction: 'inbound', result: 'answered' });
  }, 30_000);

  it('sends calls for help over the trunk that is named, and lets nobody cut them off by mistake', async () => {
    const path = '/v1/admin/emergency-routes/DE';
    await done(200, owner.ask('PUT', path, { body: { trunk_id: 'trunk-beta' }, version: 0 }));
    expect(await dialledOver(beta, '112')).toBeLessThan(SOON_MS);
    expect(await lastRecord()).toMatchObject({ direction: 'emergency', net_micros: 0n });
    const off = { body: { enabled: false }, version: 1 };
    await done(409, owner.ask('PATCH', '/v1/admin/trunks/trunk-beta', off));
    await done(204, owner.ask('DELETE', path, { version: 1 }));
  }, 30_000);

  it('takes a trunk out of use: the next call goes another way, and none comes in', async () => {
    await done(200, owner.ask('PATCH', '/v1/admin/trunks/trunk-beta', { body: { enabled: false }, version: 1 }));
    expect(await dialledOver(stack.calls.carrier('alpha'))).toBeLessThan(SOON_MS);
    const seen = beta.records.length;
    await dialledOver(stack.calls.carrier('alpha'));
    expect(await lastRecord()).toMatchObject({ result: 'answered' });
    expect((await lastRecord())?.attempts.at(-1)).toMatchObject({ trunk_id: 'trunk-alpha' });
    expect(beta.records).toHaveLength(seen);
    const incoming = beta.callIn(customer.number, MOBILE);
    expect(await incoming.ended()).toMatchObject({ by: 'remote', status: 401 });
  }, 30_000);

  it('bounds, restricts and suspends an account from its next call on', async () => {
    const limits = {
      ...{ concurrent_calls_max: 0, calls_per_second_max: 1000, rate_micros_per_minute_max: '100000000000' },
      ...{ spend_micros_per_hour_max: '100000000000', spend_micros_per_day_max: '100000000000' },
      ...{ blocked_prefixes: [], texts_per_second_max: null, texts_per_day_max: null, reason: 'a test' },
    };
    const desk = `/v1/admin/customers/${customer.account_id}`;
    await done(200, owner.ask('PUT', `${desk}/limits`, { body: limits, version: await accountVersion() }));
    expect(await refusalOfNextCall()).toBe('concurrent_calls');
    const lifted = { ...limits, concurrent_calls_max: 10 };
    await done(200, owner.ask('PUT', `${desk}/limits`, { body: lifted, version: await accountVersion() }));

    const restriction = { account_id: customer.account_id, scope: 'calls_out', reason: 'a test' };
    const set = await done(
      201,
      owner.post<{ restriction_id: string; version: number }>('/v1/admin/restrictions', restriction),
    );
    expect(await refusalOfNextCall()).toBe('restricted');
    const end = `/v1/admin/restrictions/${set.restriction_id}/end`;
    await done(200, owner.post(end, { reason: 'a test' }, { version: set.version }));

    const suspend = { event: 'suspend', reason: 'a test' };
    await done(200, owner.post(`${desk}/state`, suspend, { version: await accountVersion() }));
    expect(await refusalOfNextCall()).toBe('account_inactive');
    const reinstate = { event: 'reinstate', reason: 'a test' };
    await done(200, owner.post(`${desk}/state`, reinstate, { version: await accountVersion() }));
    expect(await dialledOver(stack.calls.carrier('alpha'))).toBeLessThan(SOON_MS);
  }, 30_000);

  it('lets a customer bind over SMPP, by the password that was told last', async () => {
    const texter = await stack.texts.texter({ balance_micros: 1_000_000n });
    const created = owner.post<{ password: string }>(`/v1/admin/customers/${texter.account_id}/esmes/acme`, {
      tls_required: false,
    });
    const { password } = await done(201, created);
    const esme = await NpmEsme.connect(stack.texts.gateway.smpp);
    expect(await esme.bind('bind_transceiver', 'acme', password)).toBe(STATUS.ESME_ROK);
    const renewed = await done(201, owner.post<{ password: string }>('/v1/admin/esmes/acme/password'));
    // Whoever has the old one is put out, and kept out.
    await esme.closed;
    const statusOf = async (said: string): Promise<number> => {
      const other = await NpmEsme.connect(stack.texts.gateway.smpp);
      const status = await other.bind('bind_transceiver', 'acme', said);
      other.close();
      await other.closed;
      return status;
    };
    expect(await statusOf(renewed.password)).toBe(STATUS.ESME_ROK);
    expect(await statusOf(password)).toBe(STATUS.ESME_RINVPASWD);
  }, 30_000);

  it('makes a bind and a rule of texts, and takes a carrier away from both', async () => {
    const { carrier_id, carrier } = stack.texts.carrier('omega');
    const [first] = (await carrier.state()).sessions;
    expect(first).toBeDefined();
    const { rows } = await stack.calls.pool.query<{ host: string; port: number }>(
      `select host, port from carrier_bind where id = 'omega-1'`,
    );
    const second = { bind_id: 'omega-2', ...rows[0], system_id: 'letsdial', password: 'secret' };
    await done(201, owner.post(`/v1/admin/carriers/${carrier_id}/binds`, second));
    const bound = async (): Promise<number> => (await carrier.state()).sessions.length;
    await eventually('the second bind', SOON_MS, async () => ((await bound()) === 2 ? true : null));

    const texter = await stack.texts.texter({ balance_micros: 1_000_000n });
    const client = new TextClient(stack.texts.gateway.url, texter.api_key);
    const text = { from: texter.number, to: MOBILE, text: 'the best casino in town' };
    expect(await client.send(text)).toMatchObject({ status: 202 });
    const rule = {
      country: 'GB',
      kind: 'word',
      pattern: 'casino',
      action: 'refuse',
      reason: 'Gambling needs a licence.',
    };
    await done(201, owner.post('/v1/admin/content-rules', rule));
    await eventually('the rule in force', SOON_MS, async () =>
      (await client.send(text)).type === 'urn:letsdial:problem:content_blocked' ? true : null,
    );

    const off = { body: { enabled: false }, version: 1 };
    await done(200, owner.ask('PATCH', `/v1/admin/carriers/${carrier_id}`, off));
    await eventually('the end of both binds', SOON_MS, async () => ((await bound()) === 0 ? true : null));
  }, 30_000);
});
