import { z } from 'zod';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { currency, e164, instantOut, microsOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import type { Identity } from '../../identity/identity.ts';
import { EVERY_CUSTOMER, WHO_PAYS } from '../../identity/policy.ts';
import { accountOf, customerOf } from '../../identity/whose.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { numberParams } from '../offers/offer_routes.ts';
import { DEVICES_MAX } from '../../devices/device_rows.ts';
import { pendingCancellation } from './cancel_number.ts';
import { heldBy, ownHolding } from './holding_rows.ts';
import type { Holding } from './holding_rows.ts';
import { graceEnd, suspensionEnd } from './holding_state.ts';
import { renewNumber } from './renew.ts';
import { selectRouting, setRouting } from './routing.ts';
import type { Routed, RoutingWisher } from './routing.ts';

export function holdingRoutes(desk: NumbersDesk): Route[] {
  return [listRoute(desk), readRoute(desk), payRoute(desk), proofRoute(desk), ...routingRoutes(desk)];
}

const holdingShape = z
  .object({
    number: e164,
    state: z.enum(['active', 'grace', 'suspended']),
    held_from: instantOut,
    currency,
    /** Net of tax. */
    monthly_micros: microsOut,
    paid_until: instantOut,
    /** When it is suspended or no longer yours, unless it is paid for before; null where it is paid. */
    ends_at: instantOut.nullable(),
  })
  .meta({ id: 'Number' });

function holdingAnswer(holding: Holding): z.input<typeof holdingShape> {
  const { number, state, state_since, held_from, monthly_micros, paid_until } = holding;
  if (state === 'ended') throw new Error(`Holding ${holding.id} has ended and is told as if it had not.`);
  const ends_at = { active: null, grace: graceEnd(state_since), suspended: suspensionEnd(state_since) }[state];
  return { number, state, held_from, currency: holding.currency, monthly_micros, paid_until, ends_at };
}

const reads = { customer: EVERY_CUSTOMER, api_key: 'numbers:read' } as const;

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/numbers',
      operation_id: 'list_numbers',
      summary: 'The numbers that you hold.',
      tag: 'numbers',
      policy: reads,
      query: pageQuery,
      answers: { 200: { description: 'In the order of their digits.', json: pageOf(holdingShape) } },
    },
    async ({ query, identity }) => {
      const after = decodeCursor(query.cursor, z.tuple([e164]))?.[0] ?? null;
      const rows = await heldBy(pool, accountOf(identity), after, query.limit + 1);
      return {
        status: 200,
        body: page(rows, query.limit, { key: ({ number }) => [number], item: holdingAnswer }),
      };
    },
  );
}

function readRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/numbers/{number}',
      operation_id: 'read_number',
      summary: 'A number that you hold.',
      tag: 'numbers',
      policy: reads,
      params: numberParams,
      answers: { 200: { description: 'How it stands.', json: holdingShape } },
    },
    async ({ params, identity }) => {
      const holding = await ownHolding(pool, params.number, accountOf(identity));
      if (holding === null) throw new Problem('not_found');
      return { status: 200, body: holdingAnswer(holding) };
    },
  );
}

function payRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/numbers/{number}/renewal',
      operation_id: 'renew_number',
      summary: 'Pay for a number now that was not paid for.',
      tag: 'numbers',
      policy: { customer: WHO_PAYS, api_key: 'numbers:write' },
      idempotent: true,
      params: numberParams,
      answers: { 200: { description: 'It is paid for.', json: holdingShape } },
      problems: ['no_money', 'conflict'],
    },
    async ({ params: { number }, identity, now }) => {
      const account_id = accountOf(identity);
      const before = await ownHolding(pool, number, account_id);
      if (before === null) throw new Problem('not_found');
      if (before.paid_until > now)
        throw new Problem('conflict', 'It is paid for, and is renewed by itself when its month ends.');
      await inTransaction(pool, (tx) => renewNumber(tx, number, now));
      const holding = await ownHolding(pool, number, account_id);
      if (holding === null) throw new Problem('not_found');
      if (holding.paid_until <= now) {
        if ((await pendingCancellation(pool, holding.id)) !== null) {
          throw new Problem(
            'conflict',
            'It is cancelled, and ends once another operator has it, or once we know whose it is. Undo that first.',
          );
        }
        throw new Problem('no_money', 'Your wallet holds less than a month of this number. Top it up and ask again.');
      }
      return { status: 200, body: holdingAnswer(holding) };
    },
  );
}

const proofShape = z
  .object({
    number: e164,
    holder: z.string(),
    party: z.enum(['person', 'business']),
    held_from: instantOut,
    state: z.enum(['active', 'grace', 'suspended', 'ended']),
    as_of: instantOut,
    statement: z.string(),
  })
  .meta({ id: 'ProofOfHolding' });

function proofRoute({ pool, settings }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/numbers/{number}/proof',
      operation_id: 'read_proof_of_holding',
      summary: 'What shows that a number is yours.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      params: numberParams,
      answers: { 200: { description: 'The proof, as of now.', json: proofShape } },
    },
    async ({ params, identity, now }) => {
      const account_id = accountOf(identity);
      const holding = await ownHolding(pool, params.number, account_id);
      if (holding === null) throw new Problem('not_found');
      const { rows } = await pool.query<{ name: string; party: 'person' | 'business' }>(
        'select name, party from account where id = $1',
        [account_id],
      );
      const holder = rows[0];
      if (holder === undefined) throw new Error(`There is no account ${account_id}.`);
      const { number, held_from, state } = holding;
      const statement = `${settings.BRAND} confirms that ${number} has been held by ${holder.name} since ${held_from.toISOString()}.`;
      return {
        status: 200,
        body: { number, holder: holder.name, party: holder.party, held_from, state, as_of: now, statement },
      };
    },
  );
}

const routingFields = z.object({
  /** These devices ring and no others; empty: all of yours. */
  device_ids: z.array(uuid).max(DEVICES_MAX),
  ring_timeout_seconds: z.int().min(5).max(120),
  /**
   * Where calls go on to; null: nowhere. You pay for both, the call to your number and the call to where it goes on to, and the caller's
   * place is taken by your number. `unanswered`: where no phone is there, none answers in time, or they are busy.
   */
  forward: z.object({ to: e164, when: z.enum(['always', 'unanswered']) }).nullable(),
});
/** What is not said of forwarding leaves it as it is; setting it asks to prove again who you are. */
const routingWish = routingFields.extend({ forward: routingFields.shape.forward.optional() });

function routingRoutes({ pool, settings }: NumbersDesk): Route[] {
  const read = route(
    {
      method: 'get',
      path: '/v1/numbers/{number}/routing',
      operation_id: 'read_routing',
      summary: 'What happens to calls to a number.',
      tag: 'numbers',
      policy: reads,
      params: numberParams,
      answers: { 200: { description: 'Who rings, and how long.', json: routingFields } },
    },
    async ({ params, identity }) => {
      const found = await selectRouting(pool, params.number, accountOf(identity));
      if (found === null) throw new Problem('not_found');
      const { version, ...body } = found;
      return { status: 200, body, version };
    },
  );
  const write = route(
    {
      method: 'put',
      path: '/v1/numbers/{number}/routing',
      operation_id: 'set_routing',
      summary: 'Choose what happens to calls to a number, from the next one on.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:write' },
      versioned: true,
      params: numberParams,
      body: routingWish,
      answers: { 200: { description: 'Who rings, and how long.', json: routingFields } },
      problems: ['conflict', 'step_up_required'],
    },
    async ({ params, body, identity, version, now }) => {
      const wish = { ...body, forward: body.forward, version: version ?? 0 };
      const wisher = wisherOf(identity, now, settings.STEP_UP_MS);
      const routed = await inTransaction(pool, (tx) => setRouting(tx, params.number, wish, wisher));
      if (routed.kind !== 'routed') throw routingProblem(routed);
      const { version: next, ...answer } = routed.routing;
      return { status: 200, body: answer, version: next };
    },
  );
  return [read, write];
}

/** A program has proven with its key all that it can prove. */
function wisherOf(identity: Identity, now: Date, step_up_ms: number): RoutingWisher {
  const account_id = accountOf(identity);
  if (identity.kind === 'api_key')
    return { account_id, actor: { kind: 'api_key', id: identity.key_id }, is_proven: true, now };
  const { user_id, proven_at_ms } = customerOf(identity);
  const is_proven = now.getTime() - proven_at_ms <= step_up_ms;
  return { account_id, actor: { kind: 'customer', id: user_id }, is_proven, now };
}

function routingProblem(routed: Exclude<Routed, { kind: 'routed' }>): Problem {
  switch (routed.kind) {
    case 'not_found':
      return new Problem('not_found');
    case 'changed':
      return new Problem('version_conflict', 'Read it again, and decide on what it is now.');
    case 'no_such_device':
      return new Problem('conflict', 'A device that is named is not yours.');
    case 'unproven':
      return new Problem('step_up_required', 'Prove again who you are, and then ask again to forward your calls.');
    case 'not_forwarded':
      return new Problem('conflict', routed.words);
  }
}
