import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { explainCall } from '../../controller/explain/explain_call.ts';
import { OPERATOR_ACCOUNT_ID } from '../../domain/accounts/operator_account.ts';
import { codeInMail } from '../../portal-api/testing/registering.ts';
import type { PortalClient } from '../../portal-api/testing/portal_client.ts';
import { answer, refuse, ring } from '../sip/carrier_script.ts';
import { DigitEar } from '../sip/spoken_digits.ts';
import { PortalStack } from '../world/portal_stack.ts';
import { booksAreRight, eventually, settledCalls } from '../world/verdict.ts';

let stack: PortalStack;
let ear: DigitEar;

beforeAll(async () => {
  stack = await PortalStack.begin({ carriers: ['alpha', 'beta'] });
  ear = new DigitEar(join(stack.calls.options.programs.asterisk.data, 'sounds/en'));
  await eventually('a speaker', 20_000, async () => {
    const { rowCount } = await stack.calls.pool.query('select 1 from speaker');
    return rowCount === 1 ? true : null;
  });
}, 120_000);

afterAll(() => stack.end());

interface Begun {
  client: PortalClient;
  token: string;
  email: string;
}

async function begin(phone: string): Promise<Begun> {
  const client = stack.client();
  const email = `${phone.slice(-3)}@example.org`;
  const { body: terms } = await client.get<{ items: { document_id: string }[] }>('/v1/legal');
  const begun = await client.post<{ registration_token: string }>('/v1/registration', {
    ...{ name: 'Ada Example', email, phone, party: 'person', home_country: 'GB', time_zone: 'UTC', locale: 'en-GB' },
    document_ids: terms.items.map(({ document_id }) => document_id),
  });
  expect(begun).toMatchObject({ status: 201 });
  // Half a minute passes in which no text comes.
  await stack.calls.pool.query(
    `update verification_code set created_at = created_at - interval '1 minute', expires_at = expires_at - interval '1 minute'`,
  );
  return { client, token: begun.body.registration_token, email };
}

async function stateOf({ client, token }: Begun): Promise<unknown> {
  const { body } = await client.post<{ phone_call: unknown }>('/v1/registration/resume', { registration_token: token });
  return body.phone_call;
}

const askForCall = ({ client, token }: Begun) =>
  client.post('/v1/registration/codes', { registration_token: token, channel: 'phone_call' });

/** Where the newest call stands, by the database; a person asks less often. */
async function untilCall(state: string, within_ms: number): Promise<void> {
  await eventually(`the call to be ${state}`, within_ms, async () => {
    const { rows } = await stack.calls.pool.query<{ state: string }>(
      'select state from spoken_code order by asked_at desc limit 1',
    );
    return rows[0]?.state === state ? true : null;
  });
}

/** What the table still has of what is to be spoken. */
async function boxes(): Promise<number> {
  const { rows } = await stack.calls.pool.query<{ boxes: number }>('select count(box)::int as boxes from spoken_code');
  return rows[0]?.boxes ?? 0;
}

it('a code is spoken to whoever answers, who proves the number with what he heard; the operator bears what it cost', async () => {
  const phone = '+447700900311';
  const ada = await begin(phone);
  expect(await stateOf(ada)).toBeNull();
  const carrier = stack.calls.carrier('alpha');
  carrier.play(answer({ answer_after_ms: 100 }), phone);
  expect(await askForCall(ada)).toMatchObject({ status: 202 });
  const call = await carrier.nextCall();
  expect(call.number).toBe(phone);
  await call.answered();
  const heard = call.recordSound();
  await untilCall('spoken', 5_000);
  expect(await stateOf(ada)).toEqual({ state: 'spoken', failure: null });
  expect(await boxes()).toBe(0);
  await call.ended(60_000);
  const digits = ear.digitsIn(heard);
  expect(digits).toMatch(/^(\d{6})\1$/u);
  const proven = await ada.client.post('/v1/registration/proof', {
    ...{ registration_token: ada.token, phone_code: digits.slice(0, 6) },
    email_code: await codeInMail(stack.mail, ada.email),
  });
  expect(proven).toMatchObject({ status: 201, body: { kind: 'signed_in' } });
  const [cdr] = await settledCalls(stack.calls.pool, OPERATOR_ACCOUNT_ID, 1);
  expect(cdr).toMatchObject({ direction: 'outbound', result: 'answered', net_micros: 0n, callee: phone });
  expect(stack.calls.beyond(cdr?.duration_ms, call)).toBeLessThan(150);
  const { rows } = await stack.calls.pool.query('select cost_micros > 0 as has_cost from cdr where account_id = $1', [
    OPERATOR_ACCOUNT_ID,
  ]);
  expect(rows).toEqual([{ has_cost: true }]);
  const explained = await explainCall(stack.calls.pool, cdr?.call_id ?? '', Date.now());
  expect(explained).toMatchObject({ kind: 'told', stories: [{ charged_micros: 0n, contradictions: [] }] });
  await booksAreRight(stack.calls.pool);
}, 90_000);

it('who is busy is told so, and nobody is called again; other routes are tried where the carrier is to blame', async () => {
  const phone = '+447700900312';
  const bob = await begin(phone);
  const [alpha, beta] = [stack.calls.carrier('alpha'), stack.calls.carrier('beta')];
  const before = [alpha.records.length, beta.records.length] as const;
  alpha.play(refuse(503), phone);
  beta.play(refuse(486), phone);
  expect(await askForCall(bob)).toMatchObject({ status: 202 });
  await Promise.all([alpha.nextCall(), beta.nextCall()]);
  await untilCall('failed', 10_000);
  expect(await stateOf(bob)).toEqual({ state: 'failed', failure: 'busy' });
  expect([alpha.records.length - before[0], beta.records.length - before[1]]).toEqual([1, 1]);
  expect(await boxes()).toBe(0);
  await booksAreRight(stack.calls.pool);
}, 60_000);

it('a controller that is killed while it rings calls nobody again, and whoever waits is told', async () => {
  const phone = '+447700900313';
  const eve = await begin(phone);
  const carrier = stack.calls.carrier('alpha');
  const before = carrier.records.length;
  carrier.play(ring(), phone);
  expect(await askForCall(eve)).toMatchObject({ status: 202 });
  await carrier.nextCall();
  stack.calls.controller.kill();
  await stack.calls.startController();
  await untilCall('failed', 30_000);
  expect(await stateOf(eve)).toEqual({ state: 'failed', failure: 'interrupted' });
  expect(carrier.records.length - before).toBe(1);
}, 90_000);
