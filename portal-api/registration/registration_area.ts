import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { knownCountry } from '../../domain/numbers/calling_codes.ts';
import { blindIndex, emailSpelling } from '../../domain/privacy/sealing.ts';
import { askForCall, newestCall, phoneCallShape } from '../codes/ask_for_call.ts';
import { queueCodeMail } from '../codes/code_mail.ts';
import type { WantedCode } from '../codes/issue_code.ts';
import { recordRefusedRequest, typedNumber } from '../codes/code_request.ts';
import { issueOrRefuse } from '../codes/issue_or_refuse.ts';
import { PHONE_WORDS, reachablePhone } from '../codes/reachable_phone.ts';
import { sendCodeText } from '../codes/send_code_text.ts';
import type { Area, PortalContext } from '../context.ts';
import { country, instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { task } from '../jobs/task.ts';
import { findUsableInvitation } from '../profile/invitations.ts';
import { abandonFlows, findFlow, forgetFlows, insertFlow } from './flow.ts';
import type { Flow } from './flow.ts';
import { proveFlow } from './prove_flow.ts';
import { kindsMissing } from './terms_port.ts';
import type { TermsPort } from './terms_port.ts';

/** How people become customers: what they say about themselves, then the codes that prove it. */
export function registrationArea(context: PortalContext, terms: TermsPort): Area {
  return {
    routes: [
      beginRegistration(context, terms),
      resumeRegistration(context),
      resendCode(context),
      proveFlow(context, terms),
    ],
    tasks: [endRegistrations(context), forgetRegistrations(context)],
  };
}

/** Kept by whoever registers; in a body and not in an address, as addresses are written down on their way. */
export const registrationToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/u);

const zones = new Set(['UTC', ...Intl.supportedValuesOf('timeZone')]);

const wishesShape = z
  .object({
    email: z.email().max(254),
    /** As it is dialled in the home country, or with + and the calling code. */
    phone: line(30),
    name: line(100),
    party: z.enum(['person', 'business']),
    business_name: line(150).optional(),
    home_country: country.refine((code) => knownCountry(code) !== null, 'is no country'),
    time_zone: z
      .string()
      .max(60)
      .refine((zone) => zones.has(zone), 'is no time zone')
      .default('UTC'),
    locale: z
      .string()
      .regex(/^[a-z]{2}(-[A-Z]{2})?$/u)
      .default('en'),
    /** The legal documents that are agreed to. */
    document_ids: z.array(uuid).max(20),
    invitation_token: registrationToken.optional(),
  })
  .refine(({ party, business_name }) => party === 'person' || business_name !== undefined, {
    path: ['business_name'],
    message: 'a business has a name',
  });

const begun = z.object({ registration_token: z.string(), expires_at: instantOut });

function beginRegistration(context: PortalContext, terms: TermsPort): Route {
  return route(
    {
      method: 'post',
      path: '/v1/registration',
      operation_id: 'begin_registration',
      summary: 'First step: who you are. Codes go to the address and to the number.',
      tag: 'registration',
      policy: { anyone: true },
      pace: 'guess',
      body: wishesShape,
      answers: {
        201: {
          description: 'Codes are on their way. The same whether the address has an account or not.',
          json: begun,
        },
      },
      problems: ['terms_required', 'too_many'],
    },
    async ({ body, now, address }) => {
      const phone = await reachablePhone(context.pool, body.phone, body.home_country);
      if (phone.kind === 'refused') {
        const target = typedNumber(body.phone, body.home_country);
        recordRefusedRequest(context, now, { purpose: 'registration_phone', target, address }, 'number_refused');
        throw wrongField('phone', PHONE_WORDS[phone.why]);
      }
      const token = randomBytes(32).toString('base64url');
      const expires_at = await inTransaction(context.pool, async (tx) => {
        await requireTerms(tx, terms, body.document_ids);
        const { ring, keys } = context;
        const email_index = blindIndex(ring, 'email', emailSpelling(body.email));
        const invitation_id = await invitationOf(tx, now, body.invitation_token, email_index);
        const { email, name, party, home_country, time_zone, locale, document_ids } = body;
        const flow = {
          ...{ id: randomUUID(), token, data_key: await keys.make(tx, now), party, home_country, time_zone, locale },
          ...{ document_ids, invitation_id, email_index },
          wishes: {
            ...{ email, name, phone: phone.number },
            business_name: party === 'business' ? (body.business_name ?? null) : null,
          },
        };
        const inserted = await insertFlow(tx, now, flow);
        await sendEmailCode(context, tx, now, flow, address);
        await sendPhoneCode(context, tx, now, flow, address);
        return inserted.expires_at;
      });
      return { status: 201, body: { registration_token: token, expires_at } };
    },
  );
}

const stateShape = z.object({
  email: z.string(),
  phone: z.string(),
  name: z.string(),
  party: z.enum(['person', 'business']),
  home_country: country,
  email_is_proven: z.boolean(),
  phone_is_proven: z.boolean(),
  /** The newest call with a code, where one was asked for. */
  phone_call: phoneCallShape,
  expires_at: instantOut,
});

function resumeRegistration({ pool, keys }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/registration/resume',
      operation_id: 'resume_registration',
      summary: 'Where a registration stands that was begun within the last hour.',
      tag: 'registration',
      policy: { anyone: true },
      pace: 'guess',
      body: z.object({ registration_token: registrationToken }),
      answers: { 200: { description: 'What was typed and what is proven.', json: stateShape } },
      problems: ['not_found'],
    },
    async ({ body, now }) => {
      const flow = await findFlow(pool, keys, now, body.registration_token, { lock: false });
      if (flow === null) throw new Problem('not_found', 'It has ended. Begin anew.');
      const { wishes, party, home_country, expires_at } = flow;
      return {
        status: 200,
        body: {
          ...{ email: wishes.email, phone: wishes.phone, name: wishes.name, party, home_country, expires_at },
          email_is_proven: flow.email_verified_at !== null,
          phone_is_proven: flow.phone_verified_at !== null,
          phone_call: await newestCall(pool, 'registration_phone', flow.id),
        },
      };
    },
  );
}

function resendCode(context: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/registration/codes',
      operation_id: 'resend_registration_code',
      summary:
        'Another code, instead of one that did not come: by mail, by text or, where texts do not come, by a call.',
      tag: 'registration',
      policy: { anyone: true },
      pace: 'guess',
      body: z.object({ registration_token: registrationToken, channel: z.enum(['email', 'phone', 'phone_call']) }),
      answers: { 202: { description: 'It is on its way; the one before is worth nothing any more.', empty: true } },
      problems: ['not_found', 'too_many', 'conflict', 'unavailable'],
    },
    async ({ body, now, address }) => {
      await inTransaction(context.pool, async (tx) => {
        const flow = await findFlow(tx, context.keys, now, body.registration_token, { lock: true });
        if (flow === null) throw new Problem('not_found', 'It has ended. Begin anew.');
        if (body.channel === 'email') await sendEmailCode(context, tx, now, flow, address);
        else if (body.channel === 'phone') await sendPhoneCode(context, tx, now, flow, address);
        else await askForCall(context, tx, now, phoneCodeOf(context, flow, address), flow.locale);
      });
      return { status: 202 };
    },
  );
}

/** Every ten minutes: what nobody came back to is forgotten. */
function endRegistrations({ pool, keys, now }: PortalContext) {
  return task(
    'end_registrations',
    z.object({}),
    async () => {
      for (;;) {
        const ended = await inTransaction(pool, (tx) => abandonFlows(tx, keys, now(), 200));
        if (ended < 200) return;
      }
    },
    '*/10 * * * *',
  );
}

const FORGOTTEN_AFTER_MS = 7 * 86_400_000;

/** Each night. */
function forgetRegistrations({ pool, now }: PortalContext) {
  const forget = (): Promise<void> => forgetFlows(pool, new Date(now().getTime() - FORGOTTEN_AFTER_MS));
  return task('forget_registrations', z.object({}), forget, '19 3 * * *');
}

type SendsCodes = Pick<Flow, 'id' | 'data_key' | 'wishes' | 'email_index' | 'locale'>;

async function sendEmailCode(
  context: PortalContext,
  tx: Transaction,
  now: Date,
  { id, data_key, wishes, email_index }: SendsCodes,
  address: string,
): Promise<void> {
  const { code_id } = await issueOrRefuse(context, tx, now, {
    ...{ purpose: 'registration_email', subject_id: id, data_key, target: wishes.email, target_index: email_index },
    address,
  });
  await queueCodeMail(tx, code_id);
}

async function sendPhoneCode(
  context: PortalContext,
  tx: Transaction,
  now: Date,
  flow: SendsCodes,
  address: string,
): Promise<void> {
  const { settings } = context;
  const { code } = await issueOrRefuse(context, tx, now, phoneCodeOf(context, flow, address));
  const { BRAND: brand, CURRENCY: currency } = settings;
  await sendCodeText(tx, now, { recipient: flow.wishes.phone, code, brand, currency, locale: flow.locale });
}

function phoneCodeOf(
  { ring }: PortalContext,
  { id, data_key, wishes }: Pick<Flow, 'id' | 'data_key' | 'wishes'>,
  address: string,
): WantedCode {
  return {
    ...{ purpose: 'registration_phone', subject_id: id, data_key, target: wishes.phone, address },
    target_index: blindIndex(ring, 'phone', wishes.phone),
  };
}

async function requireTerms(tx: Transaction, terms: TermsPort, document_ids: readonly string[]): Promise<void> {
  const missing = kindsMissing(await terms.termsInForce(tx), document_ids);
  if (missing.length > 0) {
    throw new Problem('terms_required', 'Agree to the documents below, in the version that is in force.', { missing });
  }
}

async function invitationOf(
  tx: Transaction,
  now: Date,
  token: string | undefined,
  email_index: Buffer,
): Promise<string | null> {
  if (token === undefined) return null;
  const invitation = await findUsableInvitation(tx, now, token, email_index);
  if (invitation === null) {
    throw wrongField('invitation_token', 'is used up, withdrawn, too old or for another address; ask for a new one');
  }
  return invitation.id;
}

function wrongField(name: string, message: string): Problem {
  return new Problem('invalid', `The ${name.replaceAll('_', ' ')} ${message}.`, {
    errors: [{ path: `body.${name}`, message }],
  });
}
