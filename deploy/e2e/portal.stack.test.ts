import { afterAll, beforeAll, expect, it } from 'vitest';
import { microsOf, wordsOf } from '../../portal-api/invoices/testing/pdf_words.ts';
import { Authenticator } from '../../portal-api/testing/authenticator.ts';
import type { Asked } from '../../portal-api/testing/authenticator.ts';
import type { PortalClient } from '../../portal-api/testing/portal_client.ts';
import { becomeKnown } from '../../portal-api/kyc/testing/kyc_steps.ts';
import { codeInMail } from '../../portal-api/testing/registering.ts';
import { putInStock } from '../../portal-api/numbers/testing/stock.ts';
import { Phone } from '../sip/phone.ts';
import { factsOf } from '../smsc/read_log.ts';
import { payloadOf } from '../smsc/submitted_text.ts';
import type { SubmitFact } from '../smsc/fact.ts';
import { PortalStack } from '../world/portal_stack.ts';
import { talk } from '../world/talk.ts';
import { TextClient } from '../world/text_client.ts';
import { booksAreRight, eventually, settledCalls } from '../world/verdict.ts';

const NUMBER = '+4930555000111';
/** Whom the first is handed to buys it himself. */
const SECOND = '+4930555000112';
const FRIEND = '+447700900123';

let stack: PortalStack;

beforeAll(async () => {
  stack = await PortalStack.begin();
  await putInStock(stack.calls.pool, [NUMBER, SECOND], { provider: 'partner' });
  await stack.calls.pool.query('update did set inbound_rate_micros_per_minute = 60000 where number = $1', [NUMBER]);
}, 120_000);

afterAll(() => stack.end());

/** What somebody's phone was sent, by the carrier's own log. */
async function textTo(phone: string): Promise<string> {
  return eventually(`a text to ${phone}`, 20_000, async () => {
    const submits = await factsOf(stack.texts.carrier('omega').log_file, 'submit');
    const found = submits.findLast((submit: SubmitFact) => `+${submit.to}` === phone && submit.status === 0);
    return found === undefined ? null : payloadOf(found).text;
  });
}

interface SignedUp {
  client: PortalClient;
  account_id: string;
}

/** The way of somebody who is new: what is typed, the code of the mail, the code of the text, a passkey. */
async function signUp(name: string, email: string, phone: string): Promise<SignedUp> {
  const client = stack.client();
  const { body: terms } = await client.get<{ items: { document_id: string }[] }>('/v1/legal');
  const begun = await client.post<{ registration_token: string }>('/v1/registration', {
    ...{ name, email, phone, party: 'person', home_country: 'DE', time_zone: 'Europe/Berlin', locale: 'en' },
    document_ids: terms.items.map(({ document_id }) => document_id),
  });
  expect(begun).toMatchObject({ status: 201 });
  const [phone_code] = /\d{6}/u.exec(await textTo(phone)) ?? [];
  const proven = await client.post<{ account_id: string }>('/v1/registration/proof', {
    ...{ registration_token: begun.body.registration_token, phone_code },
    email_code: await codeInMail(stack.mail, email),
  });
  expect(proven).toMatchObject({ status: 201, body: { kind: 'signed_in' } });
  const authenticator = new Authenticator(stack.portal.url);
  const asked = await client.post<Asked>('/v1/credentials/passkeys/options');
  const passkey = { name: 'my phone', ...authenticator.create(asked.body) };
  expect(await client.post('/v1/credentials/passkeys', passkey)).toMatchObject({ status: 201 });
  const again = stack.client();
  const challenge = await again.post<Asked>('/v1/sign-in/passkey/options');
  expect(await again.post('/v1/sign-in/passkey', authenticator.get(challenge.body))).toMatchObject({ status: 200 });
  return { client: again, account_id: proven.body.account_id };
}

async function payIn(client: PortalClient, amount_micros: string): Promise<void> {
  const card = stack.payments.book.tokenise('4242424242424242', 12, 2040);
  const method = await client.post<{ method_id: string }>('/v1/payment-methods', { token: card?.token });
  expect(method).toMatchObject({ status: 201 });
  const { method_id } = method.body;
  const begun = await client.post<{ payment_id: string }>('/v1/top-ups', { amount_micros, method_id });
  expect(begun).toMatchObject({ status: 201 });
  await eventually('the payment', 20_000, async () => {
    const { body } = await client.get<{ state: string }>(`/v1/payments/${begun.body.payment_id}`);
    return body.state === 'succeeded' ? true : null;
  });
}

const freeMicros = async (client: PortalClient): Promise<bigint> => {
  const { body } = await client.get<{ balance_micros: string }>('/v1/wallet');
  return BigInt(body.balance_micros);
};

async function deviceOf(client: PortalClient, more: { caller_number?: string } = {}): Promise<Phone> {
  const device = await client.post<{ credentials: { username: string; password: string } }>('/v1/devices', {
    ...{ label: 'on the desk', ...more },
  });
  expect(device).toMatchObject({ status: 201 });
  const { username, password } = device.body.credentials;
  const phone = await Phone.open({ username, password, server: stack.calls.sip, address: `${stack.calls.network}.40` });
  expect(await phone.register()).toMatchObject({ kind: 'registered' });
  return phone;
}

const pathOf = (number: string): string => `/v1/numbers/${encodeURIComponent(number)}`;
const PATH = pathOf(NUMBER);

/** For such a number it has to be known who somebody is; then it is ordered. */
async function buyFirst(client: PortalClient, desk: PortalClient): Promise<void> {
  const refused = await client.post('/v1/number-orders', { number: NUMBER });
  expect(refused).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:kyc_required' } });
  await becomeKnown(client, desk);
  await buyNumber(client, NUMBER);
}

/** Ordered, supplied and seen to work. */
async function buyNumber(client: PortalClient, number: string): Promise<void> {
  const order = await client.post<{ order_id: string }>('/v1/number-orders', { number });
  expect(order).toMatchObject({ status: 201 });
  await eventually('the number', 30_000, async () => {
    const { body } = await client.get<{ state: string }>(`/v1/number-orders/${order.body.order_id}`);
    return body.state === 'active' ? true : null;
  });
}

/** Until the friend hangs up. */
async function rings(phone: Phone, account_id: string): Promise<void> {
  const call = stack.calls.carrier('alpha').callIn(NUMBER, FRIEND);
  const incoming = await phone.nextIncoming();
  await incoming.answer();
  await talk(call, 1_300);
  await call.hangUp();
  const [cdr] = await settledCalls(stack.calls.pool, account_id, 1);
  expect(cdr).toMatchObject({ direction: 'inbound', result: 'answered', seconds_billed: 2, net_micros: 2_000n });
}

/** Once until the friend hangs up, and once until the operator does. */
async function isCalled({ client, account_id }: SignedUp, desk: PortalClient): Promise<void> {
  const phone = await deviceOf(client);
  await rings(phone, account_id);
  const again = stack.calls.carrier('alpha').callIn(NUMBER, FRIEND);
  await (await phone.nextIncoming()).answer();
  await again.answered();
  await endCallOf(account_id, desk);
  expect((await again.ended(3_000)).by).toBe('remote');
  await settledCalls(stack.calls.pool, account_id, 2);
  await phone.close();
}

async function endCallOf(account_id: string, desk: PortalClient): Promise<void> {
  const { body } = await desk.get<{ items: { leg_id: string; account_id: string }[] }>(
    '/v1/admin/live-calls?purpose=complaint',
  );
  const live = body.items.find((call) => call.account_id === account_id);
  const reason = 'Reported as a nuisance.';
  const asked = await desk.post<{ command_id: string }>(`/v1/admin/live-calls/${live?.leg_id ?? ''}/hang-up`, {
    reason,
  });
  expect(asked).toMatchObject({ status: 202, body: { reason } });
  await eventually('the end of the call', 5_000, async () => {
    const told = await desk.get<{ done_at: string | null }>(`/v1/admin/call-commands/${asked.body.command_id}`);
    return told.body.done_at;
  });
}

async function textsBothWays(client: PortalClient, says: string, hears: string): Promise<void> {
  expect(await client.post('/v1/messages', { sender: NUMBER, recipient: FRIEND, text: says })).toMatchObject({
    status: 202,
  });
  await eventually('the text', 20_000, async () => ((await textTo(FRIEND)) === says ? true : null));
  await stack.texts.carrier('omega').carrier.sendMo({ from: FRIEND, to: NUMBER, text: hears });
  await eventually('the answer', 20_000, async () => {
    const { body } = await client.get<{ items: { direction: string; text: string }[] }>('/v1/messages');
    return body.items.some(({ direction, text }) => direction === 'mo' && text === hears) ? true : null;
  });
}

/** The bill says what the ledger says. */
async function isBilled({ client, account_id }: SignedUp, desk: PortalClient): Promise<void> {
  const bill = await desk.post<{ invoice_id: string }>(`/v1/admin/accounts/${account_id}/invoices`);
  expect(bill).toMatchObject({ status: 201 });
  const path = `/v1/invoices/${bill.body.invoice_id}`;
  const { body: lines } = await client.get<{ items: { kind: string; net_micros: string; tax_micros: string }[] }>(
    `${path}/lines`,
  );
  expect(lines.items.map(({ kind }) => kind).toSorted()).toEqual(['call', 'call', 'purchase', 'text']);
  const billed = lines.items.reduce((sum, line) => sum + BigInt(line.net_micros) + BigInt(line.tax_micros), 0n);
  expect(billed).toBe(await chargedTo(account_id));
  const pdf = await client.get<Buffer>(`${path}/pdf`);
  expect(pdf.headers.get('content-type')).toBe('application/pdf');
  expect(pdf.body.subarray(0, 5).toString()).toBe('%PDF-');
  // What a person reads there is what the ledger says, to the micro.
  const amounts = [...wordsOf(pdf.body).matchAll(/(-?\d+\.\d+) EUR \+ (-?\d+\.\d+) EUR/gu)];
  expect(amounts).toHaveLength(lines.items.length);
  expect(amounts.reduce((sum, [, net = '', tax = '']) => sum + microsOf(net) + microsOf(tax), 0n)).toBe(billed);
}

/** Both agree, and of the new holder it has to be known as well who that is. */
async function handsOver(from: PortalClient, to: PortalClient, desk: PortalClient): Promise<void> {
  const offer = await from.post<{ code: string }>(`${PATH}/transfer`);
  expect(offer).toMatchObject({ status: 201 });
  const take = () => to.post('/v1/number-transfers/accept', { code: offer.body.code, consent: true });
  expect(await take()).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:kyc_required' } });
  expect(await from.get(PATH)).toMatchObject({ status: 200 });
  await becomeKnown(to, desk);
  expect(await take()).toMatchObject({ status: 201, body: { state: 'done' } });
  expect((await from.get<{ items: unknown[] }>('/v1/numbers')).body.items).toEqual([]);
  // What was said by it before stays with who said it.
  expect((await to.get<{ items: unknown[] }>('/v1/messages')).body.items).toEqual([]);
}

/** It rings and texts for him now, and is his alone. */
async function usesItThen({ client, account_id }: SignedUp): Promise<void> {
  const phone = await deviceOf(client);
  await rings(phone, account_id);
  await phone.close();
  await textsBothWays(client, 'It is mine now', 'So I hear');
}

/** With what the preview said, which is what comes back: into the wallet, and by the ledger as a credit note of that charge. */
async function cancels({ client, account_id }: SignedUp, number: string): Promise<bigint> {
  const preview = await client.get<{ refund_micros: string }>(`${pathOf(number)}/cancellation-preview?when=now`);
  const [before, given_before] = [await freeMicros(client), await givenBackTo(account_id)];
  const { refund_micros } = preview.body;
  const cancelled = await client.post(`${pathOf(number)}/cancellation`, { when: 'now', refund_micros });
  expect(cancelled).toMatchObject({ status: 201, body: { refund_micros } });
  const refund = BigInt(refund_micros);
  expect((await freeMicros(client)) - before).toBe(refund);
  expect((await givenBackTo(account_id)) - given_before).toBe(refund);
  const { rows } = await stack.calls.pool.query('select state, account_id from did where number = $1', [number]);
  expect(rows).toEqual([{ state: 'quarantined', account_id: null }]);
  return refund;
}

it('goes the whole way: from nobody to a number that rings and texts, to a bill, to somebody else, to the end', async () => {
  const desk = await stack.admin(['kyc', 'finance', 'owner']);
  const ada = await signUp('Ada Example', 'ada@example.org', '+447700900201');
  await payIn(ada.client, '30000000');
  expect(await freeMicros(ada.client)).toBe(30_000_000n);
  await buyFirst(ada.client, desk);
  await isCalled(ada, desk);
  await textsBothWays(ada.client, 'Here I am', 'At last');
  await isBilled(ada, desk);
  const bob = await signUp('Bob Example', 'bob@example.org', '+447700900202');
  await payIn(bob.client, '10000000');
  await handsOver(ada.client, bob.client, desk);
  await usesItThen(bob);
  expect(JSON.stringify((await ada.client.get('/v1/messages')).body)).not.toContain('It is mine now');
  // Of a month that somebody else paid for nothing comes back; of his own its days do, and the setup does not.
  expect(await cancels(bob, NUMBER)).toBe(0n);
  const before = await freeMicros(bob.client);
  await buyNumber(bob.client, SECOND);
  const paid = before - (await freeMicros(bob.client));
  const refund = await cancels(bob, SECOND);
  expect(refund).toBeGreaterThan(0n);
  expect(refund).toBeLessThan(paid);
  await booksAreRight(stack.calls.pool);
}, 120_000);

/** In force at once, as no operator does without a reason. */
async function publishNewTerms(desk: PortalClient): Promise<string> {
  const words = { kind: 'terms', locale: 'en', title: 'Terms', body: 'words', change_note: 'A new rule.' };
  const draft = await desk.post<{ document_id: string }>('/v1/admin/legal', { ...words, is_material: true });
  expect(draft).toMatchObject({ status: 201 });
  const { document_id } = draft.body;
  const why = new URLSearchParams({ without_notice_because: 'a court ordered it' }).toString();
  expect(await desk.post(`/v1/admin/legal/${document_id}/publish?${why}`, undefined, { version: 1 })).toMatchObject({
    status: 200,
  });
  return document_id;
}

it('serves nobody who has yet to agree to the terms in force, but calls for help, and then at once', async () => {
  const desk = await stack.admin(['owner']);
  const { client, account_id } = await signUp('Eve Example', 'eve@example.org', '+447700900203');
  await payIn(client, '10000000');
  await stack.calls.pool.query(`insert into text_sender (account_id, sender) values ($1, 'EVE')`, [account_id]);
  // She calls faster here than a new account may.
  await stack.calls.pool.query('update call_limit set calls_per_second_max = 100 where account_id = $1', [account_id]);
  const route = { body: { trunk_id: 'trunk-alpha' }, version: 0 };
  expect(await desk.ask('PUT', '/v1/admin/emergency-routes/DE', route)).toMatchObject({ status: 200 });
  const key = await client.post<{ secret: string }>('/v1/api-keys', { name: 'a shop', scopes: ['texts'] });
  const texts = new TextClient(stack.texts.gateway.url, key.body.secret);
  const text = () => texts.send({ from: 'EVE', to: FRIEND, text: 'Hello' });
  const phone = await deviceOf(client, { caller_number: '+447700900203' });
  let calls = 0;
  const callTo = async (number: string) => {
    const call = phone.call(number);
    calls += 1;
    // A refusal is spoken before it is one.
    await Promise.any([call.answered(), call.earlyMedia(), call.ended()]);
    if (call.record.answered_at_ms !== undefined) await call.bye();
    else if (call.isLive) call.cancel();
    await call.ended();
    return (await settledCalls(stack.calls.pool, account_id, calls)).at(-1);
  };
  expect(await callTo(FRIEND)).toMatchObject({ result: 'answered', refusal: null });
  expect(await text()).toMatchObject({ status: 202 });

  const document_id = await publishNewTerms(desk);
  expect(await callTo(FRIEND)).toMatchObject({ result: 'refused', refusal: 'terms_required' });
  expect(await text()).toMatchObject({ status: 403, type: 'urn:letsdial:problem:terms_required' });
  const help = await eventually('the new route in force', 10_000, async () => {
    const call = await callTo('112');
    return call?.refusal === 'emergency_unavailable' ? null : call;
  });
  expect(help).toMatchObject({ direction: 'emergency', result: 'answered' });

  const agreed = await client.post('/v1/legal/acceptances', { document_ids: [document_id] });
  expect(agreed).toMatchObject({ status: 200, body: { terms_accepted: true } });
  expect(await callTo(FRIEND)).toMatchObject({ result: 'answered', refusal: null });
  expect(await text()).toMatchObject({ status: 202 });
  await phone.close();
  await booksAreRight(stack.calls.pool);
}, 60_000);

/** What came back into the wallet, by the postings alone. */
async function givenBackTo(account_id: string): Promise<bigint> {
  const { rows } = await stack.calls.pool.query<{ micros: string }>(
    `select coalesce(sum(p.amount_micros), 0) as micros
       from posting p join ledger_tx t on t.id = p.tx_id join ledger_account a on a.id = p.account_id join wallet w on w.id = a.wallet_id
      where w.account_id = $1 and t.kind = 'credit_note' and a.kind in ('wallet_cash', 'wallet_promo')`,
    [account_id],
  );
  return BigInt(rows[0]?.micros ?? 0);
}

/** What went out of the wallet for service, by the postings alone. */
async function chargedTo(account_id: string): Promise<bigint> {
  const { rows } = await stack.calls.pool.query<{ micros: string }>(
    `select -coalesce(sum(p.amount_micros), 0) as micros
       from posting p join ledger_tx t on t.id = p.tx_id join ledger_account a on a.id = p.account_id join wallet w on w.id = a.wallet_id
      where w.account_id = $1 and t.kind not in ('topup', 'promo') and a.kind in ('wallet_cash', 'wallet_promo')
        and not exists (select 1 from posting r join ledger_account x on x.id = r.account_id
                         where r.tx_id = t.id and x.kind = 'rounding')`,
    [account_id],
  );
  return BigInt(rows[0]?.micros ?? 0);
}
