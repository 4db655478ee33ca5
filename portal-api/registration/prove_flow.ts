import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { consumeCode, tryCode } from '../codes/try_code.ts';
import type { RightCode } from '../codes/try_code.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { beginSession, signedInShape } from '../sign_in/begin_session.ts';
import type { Visitor } from '../sign_in/login_events.ts';
import { findFlow, markProven } from './flow.ts';
import { makeCustomer } from './make_customer.ts';
import type { MadeCustomer } from './make_customer.ts';
import type { TermsPort } from './terms_port.ts';

export const codeField = z.string().regex(/^\d{6}$/u);

const proven = z.object({
  kind: z.literal('proving'),
  email_is_proven: z.boolean(),
  phone_is_proven: z.boolean(),
});

type Channel = 'email' | 'phone';
type Right = Readonly<Partial<Record<Channel, RightCode>>>;

/** Not under an idempotency key: the answer signs somebody in, and what is remembered of answers is no place for that. */
export function proveFlow(context: PortalContext, terms: TermsPort): Route {
  return route(
    {
      method: 'post',
      path: '/v1/registration/proof',
      operation_id: 'prove_registration',
      summary: 'Second step: the codes, both at once or one after the other. With both right you have an account.',
      tag: 'registration',
      policy: { anyone: true },
      pace: 'guess',
      body: z.object({
        registration_token: z.string().regex(/^[A-Za-z0-9_-]{43}$/u),
        email_code: codeField.optional(),
        phone_code: codeField.optional(),
      }),
      answers: {
        200: { description: 'Right so far; the other code is awaited.', json: proven },
        201: { description: 'You have an account, and are signed in.', json: signedInShape },
      },
      problems: ['not_found', 'code_wrong', 'conflict'],
    },
    async ({ body, now, address, user_agent }) => {
      const visitor = { address, user_agent };
      const flow = await findFlow(context.pool, context.keys, now, body.registration_token, { lock: false });
      if (flow === null) throw new Problem('not_found', 'It has ended. Begin anew.');
      const right = await tryBoth(context, now, flow.id, body);
      const step = await inTransaction(context.pool, (tx) =>
        carryOn(context, terms, tx, now, body.registration_token, right, visitor),
      );
      if (step.kind === 'made') {
        const { user_id, account_id, role } = step;
        const signed_in = await beginSession(context, { kind: 'customer', user_id, account_id, role }, visitor);
        return { status: 201, ...signed_in };
      }
      const wrong = (['email', 'phone'] as const).filter(
        (channel) => body[`${channel}_code`] !== undefined && !step[`${channel}_is_proven`],
      );
      if (wrong.length > 0) throw wrongCodes(wrong);
      return { status: 200, body: step };
    },
  );
}

async function tryBoth(
  { pool, ring }: PortalContext,
  now: Date,
  flow_id: string,
  body: { email_code?: string | undefined; phone_code?: string | undefined },
): Promise<Right> {
  const right: { -readonly [C in Channel]?: RightCode } = {};
  for (const channel of ['email', 'phone'] as const) {
    const code = body[`${channel}_code`];
    if (code === undefined) continue;
    const tried = await tryCode(pool, ring, now, { purpose: `registration_${channel}`, subject_id: flow_id, code });
    if (tried !== null) right[channel] = tried;
  }
  return right;
}

type Step = z.infer<typeof proven> | Extract<MadeCustomer, { kind: 'made' }>;

async function carryOn(
  context: PortalContext,
  terms: TermsPort,
  tx: Transaction,
  now: Date,
  token: string,
  right: Right,
  visitor: Visitor,
): Promise<Step> {
  const flow = await findFlow(tx, context.keys, now, token, { lock: true });
  if (flow === null) throw new Problem('not_found', 'It has ended. Begin anew.');
  const proves = async (channel: Channel, proven_at: Date | null): Promise<boolean> => {
    const code = right[channel];
    if (code === undefined || !(await consumeCode(tx, now, code))) return proven_at !== null;
    await markProven(tx, flow.id, channel, now);
    return true;
  };
  const email_is_proven = await proves('email', flow.email_verified_at);
  const phone_is_proven = await proves('phone', flow.phone_verified_at);
  if (!email_is_proven || !phone_is_proven) return { kind: 'proving', email_is_proven, phone_is_proven };
  const made = await makeCustomer(context, terms, tx, now, flow, visitor);
  switch (made.kind) {
    case 'made':
      return made;
    case 'taken':
      throw new Problem('conflict', 'That address has an account by now. Sign in with it.');
    case 'not_invited':
      throw new Problem('conflict', 'The invitation is not open any more. Ask for a new one, or begin without it.');
  }
}

function wrongCodes(channels: readonly Channel[]): Problem {
  return new Problem('code_wrong', 'Type the newest code that came, within ten minutes, or ask for another one.', {
    errors: channels.map((channel) => ({ path: `body.${channel}_code`, message: 'is wrong, used or too old' })),
  });
}
