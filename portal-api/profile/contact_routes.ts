import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { blindIndex, unseal } from '../../domain/privacy/sealing.ts';
import { askForCall, newestCall, phoneCallShape } from '../codes/ask_for_call.ts';
import { queueCodeMail } from '../codes/code_mail.ts';
import { recordRefusedRequest, typedNumber } from '../codes/code_request.ts';
import { issueOrRefuse } from '../codes/issue_or_refuse.ts';
import { PHONE_WORDS, reachablePhone } from '../codes/reachable_phone.ts';
import { sendCodeText } from '../codes/send_code_text.ts';
import { consumeCode, tryCode } from '../codes/try_code.ts';
import type { PortalContext } from '../context.ts';
import { line } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { emailIndexOf } from '../sign_in/users.ts';
import { PROVEN, SIGNED_IN } from '../sign_in/who_is_signed_in.ts';
import { setEmail, setPhone } from './contact_changes.ts';
import type { ContactChange } from './contact_changes.ts';
import { readProfile } from './read_profile.ts';
import type { OpenProfile } from './read_profile.ts';
import { signedInOf } from '../identity/whose.ts';
import type { SignedInIdentity } from '../identity/whose.ts';

/** Another address or number: it counts once a code that was sent there came back. */
export function contactRoutes(context: PortalContext): Route[] {
  return [
    ...[beginEmail(context), confirm(context, 'email'), beginPhone(context), confirm(context, 'phone')],
    ...[callPhone(context), readPhoneCall(context)],
  ];
}

const sent = { 202: { description: 'A code is on its way there. Nothing has changed yet.', empty: true } } as const;

function beginEmail(context: PortalContext): Route {
  const { pool, ring } = context;
  return route(
    {
      method: 'post',
      path: '/v1/profile/email',
      operation_id: 'begin_email_change',
      summary: 'Another address for mail. Answers alike whether it has an account already or not.',
      tag: 'profile',
      policy: PROVEN,
      pace: 'guess',
      body: z.object({ email: z.email().max(254) }),
      answers: sent,
      problems: ['too_many'],
    },
    async ({ identity, body, now, address }) => {
      const { user_id } = signedInOf(identity);
      await inTransaction(pool, async (tx) => {
        const { data_key_id, key } = await readProfile(context, tx, user_id, { lock: true });
        const { code_id } = await issueOrRefuse(context, tx, now, {
          ...{ purpose: 'email_change', subject_id: user_id, data_key: { id: data_key_id, key }, address },
          ...{ target: body.email, target_index: emailIndexOf(ring, body.email) },
        });
        await queueCodeMail(tx, code_id);
      });
      return { status: 202 };
    },
  );
}

function beginPhone(context: PortalContext): Route {
  const { pool, ring, settings } = context;
  return route(
    {
      method: 'post',
      path: '/v1/profile/phone',
      operation_id: 'begin_phone_change',
      summary: 'Another phone number.',
      tag: 'profile',
      policy: PROVEN,
      pace: 'guess',
      body: z.object({ phone: line(30) }),
      answers: sent,
      problems: ['invalid', 'too_many'],
    },
    async ({ identity, body, now, address }) => {
      const signed_in = signedInOf(identity);
      const { user_id } = signed_in;
      const home = await homeOf(context, signed_in);
      const phone = await reachablePhone(pool, body.phone, home);
      if (phone.kind === 'refused') {
        const target = typedNumber(body.phone, home);
        recordRefusedRequest(context, now, { purpose: 'phone_change', target, address }, 'number_refused');
        const message = PHONE_WORDS[phone.why];
        throw new Problem('invalid', `The phone ${message}.`, { errors: [{ path: 'body.phone', message }] });
      }
      await inTransaction(pool, async (tx) => {
        const { data_key_id, key } = await readProfile(context, tx, user_id, { lock: true });
        const { code } = await issueOrRefuse(context, tx, now, {
          ...{ purpose: 'phone_change', subject_id: user_id, data_key: { id: data_key_id, key }, address },
          ...{ target: phone.number, target_index: blindIndex(ring, 'phone', phone.number) },
        });
        const { BRAND: brand, CURRENCY: currency } = settings;
        const locale = await localeOf(tx, user_id);
        await sendCodeText(tx, now, { recipient: phone.number, code, brand, currency, locale });
      });
      return { status: 202 };
    },
  );
}

/** To the number that a text was sent to before; it is read from that code, so that nobody is called whom no text was sent to. */
function callPhone(context: PortalContext): Route {
  const { pool } = context;
  return route(
    {
      method: 'post',
      path: '/v1/profile/phone/call',
      operation_id: 'call_new_phone',
      summary: 'A call with a new code, to a number that the text did not reach.',
      tag: 'profile',
      policy: PROVEN,
      pace: 'guess',
      answers: { 202: { description: 'We call. The code before is worth nothing any more.', empty: true } },
      problems: ['invalid', 'too_many', 'conflict', 'unavailable'],
    },
    async ({ identity, now, address }) => {
      const { user_id } = signedInOf(identity);
      await inTransaction(pool, async (tx) => {
        const { data_key_id, key } = await readProfile(context, tx, user_id, { lock: true });
        const { rows } = await tx.query<{ id: string; target_index: Buffer }>(
          `select id, target_index from verification_code where purpose = 'phone_change' and subject_id = $1
            order by created_at desc limit 1`,
          [user_id],
        );
        const newest = rows[0];
        if (newest === undefined)
          throw new Problem(
            'conflict',
            'Say first which number is yours now. Where our text does not come, we call you.',
          );
        const wanted = {
          ...{ purpose: 'phone_change' as const, subject_id: user_id, data_key: { id: data_key_id, key }, address },
          ...{ target: await targetOf(tx, key, newest.id), target_index: newest.target_index },
        };
        await askForCall(context, tx, now, wanted, await localeOf(tx, user_id));
      });
      return { status: 202 };
    },
  );
}

function readPhoneCall({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/profile/phone/call',
      operation_id: 'read_phone_call',
      summary: 'What became of the newest call with a code.',
      tag: 'profile',
      policy: SIGNED_IN,
      answers: { 200: { description: 'Whether somebody answered.', json: z.object({ call: phoneCallShape }) } },
    },
    async ({ identity }) => {
      const { user_id } = signedInOf(identity);
      return { status: 200, body: { call: await newestCall(pool, 'phone_change', user_id) } };
    },
  );
}

async function localeOf(tx: Transaction, user_id: string): Promise<string> {
  const { rows } = await tx.query<{ locale: string }>('select locale from portal_user where id = $1', [user_id]);
  return rows[0]?.locale ?? 'en';
}

/** Where a number without a calling code is read as one of; an admin writes it with one. */
async function homeOf({ pool }: PortalContext, signed_in: SignedInIdentity): Promise<string> {
  if (signed_in.kind === 'admin') return '';
  const { rows } = await pool.query<{ home_country: string }>('select home_country from account where id = $1', [
    signed_in.account_id,
  ]);
  return rows[0]?.home_country ?? '';
}

function confirm(context: PortalContext, what: 'email' | 'phone'): Route {
  const { pool, ring } = context;
  return route(
    {
      method: 'post',
      path: `/v1/profile/${what}/confirmation`,
      operation_id: `confirm_${what}_change`,
      summary: what === 'email' ? 'The code that was mailed to the new address.' : 'The code that came by text.',
      tag: 'profile',
      policy: SIGNED_IN,
      pace: 'guess',
      body: z.object({ code: z.string().regex(/^\d{6}$/u) }),
      answers: { 204: { description: 'Changed. Where you were reached before is told.', empty: true } },
      problems: ['code_wrong', 'conflict'],
    },
    async ({ identity, body, now, address }) => {
      const signed_in = signedInOf(identity);
      const { user_id } = signed_in;
      const right = await tryCode(pool, ring, now, {
        ...{ purpose: `${what}_change`, subject_id: user_id, code: body.code },
      });
      if (right === null) throw wrongCode();
      await inTransaction(pool, async (tx) => {
        if (!(await consumeCode(tx, now, right))) throw wrongCode();
        const profile = await readProfile(context, tx, user_id, { lock: true });
        const target = await targetOf(tx, profile.key, right.code_id);
        // Whoever disowned a sign-in at this moment has had them set back.
        if (await isResetDue(tx, user_id)) throw new Problem('sign_in_required');
        const change = { target, verified_at: now, address };
        if (what === 'email') await changeEmail(context, tx, now, profile, change);
        else await changePhone(context, tx, now, profile, change);
        if (signed_in.kind !== 'admin') return;
        const subject = `portal_user:${user_id}`;
        const actor = { kind: 'admin', id: user_id } as const;
        await appendAudit(tx, { at: now, actor, action: `profile.${what}`, account_id: null, subject });
      });
      return { status: 204 };
    },
  );
}

function wrongCode(): Problem {
  return new Problem('code_wrong', 'Type the newest code that came, within ten minutes, or ask for another one.');
}

async function targetOf(tx: Transaction, key: Buffer, code_id: string): Promise<string> {
  const { rows } = await tx.query<{ target_sealed: Buffer }>(
    'select target_sealed from verification_code where id = $1',
    [code_id],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`The code ${code_id} is not there.`);
  return unseal(key, `verification_code.target:${code_id}`, row.target_sealed).toString();
}

async function isResetDue(tx: Transaction, user_id: string): Promise<boolean> {
  const { rows } = await tx.query('select 1 from reset_due where user_id = $1', [user_id]);
  return rows.length > 0;
}

async function changeEmail(
  context: PortalContext,
  tx: Transaction,
  now: Date,
  profile: OpenProfile,
  change: ContactChange<string>,
): Promise<void> {
  const done = await setEmail(context, tx, now, profile, change);
  if (done === 'taken') throw new Problem('conflict', 'That address has an account of its own by now.');
}

async function changePhone(
  context: PortalContext,
  tx: Transaction,
  now: Date,
  profile: OpenProfile,
  change: ContactChange<string>,
): Promise<void> {
  await setPhone(context, tx, now, profile, change);
  const facts = { at: now.toISOString() };
  await queueNotice(tx, { to: { user_id: profile.user_id }, template: 'phone_changed', facts });
}
