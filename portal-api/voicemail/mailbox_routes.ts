import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { Identity } from '../identity/identity.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { accountOf, customerOf } from '../identity/whose.ts';
import { numberParams } from '../numbers/offers/offer_routes.ts';
import { selectMailbox, setMailbox, writeGreeting } from './mailbox.ts';
import type { MailboxWisher, Voicemail } from './mailbox.ts';
import type { VoicemailParts } from './voicemail_parts.ts';
import { readWav } from './wav.ts';
import type { WavRefusal } from './wav.ts';

const GREETING_SECONDS_MAX = 60;
const GREETING_BYTES_MAX = 2 * 1024 * 1024;

const mailboxShape = z.object({
  /** Null: nobody takes messages. `own`: the greeting that was sent; `standard`: the one that everybody has. */
  voicemail: z.object({ greeting: z.enum(['standard', 'own']) }).nullable(),
});

/** Whether a number takes messages where no phone answers, and how it greets. */
export function mailboxRoutes(parts: VoicemailParts): Route[] {
  return [readMailbox(parts), writeMailbox(parts), putGreeting(parts)];
}

function readMailbox({ pool }: VoicemailParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/numbers/{number}/voicemail',
      operation_id: 'read_voicemail',
      summary: 'Whether a number takes messages, and who greets.',
      tag: 'voicemail',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:read' },
      params: numberParams,
      answers: { 200: { description: 'As it is.', json: mailboxShape } },
    },
    async ({ params, identity }) => {
      const mailbox = await selectMailbox(pool, params.number, accountOf(identity));
      if (mailbox === null) throw new Problem('not_found');
      return { status: 200, body: mailbox };
    },
  );
}

function writeMailbox(parts: VoicemailParts): Route {
  return route(
    {
      method: 'put',
      path: '/v1/numbers/{number}/voicemail',
      operation_id: 'set_voicemail',
      summary: 'Have messages taken where no phone answers, from the next call on. Forwarding goes before it.',
      tag: 'voicemail',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:write' },
      params: numberParams,
      body: mailboxShape,
      answers: { 200: { description: 'As it is now.', json: mailboxShape } },
      problems: ['conflict', 'not_available', 'step_up_required'],
    },
    async ({ params, body, identity, now }) => {
      if (body.voicemail !== null) requireSpool(parts);
      await set(parts, params.number, body.voicemail, wisherOf(identity, now, parts.settings.STEP_UP_MS));
      return { status: 200, body };
    },
  );
}

const WORDS: Readonly<Record<WavRefusal, string>> = {
  no_wav: 'The file is no WAV. Record or save it as one.',
  not_plain: 'Only plain WAV is taken: one channel, 16 bits, 8,000 or 16,000 samples a second. Save it as that.',
  too_long: `A greeting has ${GREETING_SECONDS_MAX} seconds at most. Cut it shorter.`,
  empty: 'The file holds no sound.',
};

function putGreeting(parts: VoicemailParts): Route {
  return route(
    {
      method: 'put',
      path: '/v1/numbers/{number}/voicemail/greeting',
      operation_id: 'set_voicemail_greeting',
      summary: 'A greeting of your own: a WAV of one channel, 16 bits, 8 or 16 kHz, and a minute at most.',
      tag: 'voicemail',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:write' },
      pace: 'costly',
      params: numberParams,
      upload: { bytes_max: GREETING_BYTES_MAX, fields: z.object({}) },
      answers: { 200: { description: 'It greets from the next call on.', json: mailboxShape } },
      problems: ['invalid', 'not_available', 'step_up_required'],
    },
    async ({ params, upload, identity, now }) => {
      const { greetings } = requireSpool(parts);
      const recording = readWav(upload.bytes, GREETING_SECONDS_MAX);
      if (typeof recording === 'string') throw new Problem('invalid', WORDS[recording]);
      // What is not of his own is not written for him.
      if ((await selectMailbox(parts.pool, params.number, accountOf(identity))) === null)
        throw new Problem('not_found');
      const greeting_id = await writeGreeting(greetings, recording);
      await set(parts, params.number, { greeting_id }, wisherOf(identity, now, parts.settings.STEP_UP_MS));
      return { status: 200, body: { voicemail: { greeting: 'own' as const } } };
    },
  );
}

async function set(
  { pool }: VoicemailParts,
  number: string,
  wanted: Voicemail | { greeting_id: string },
  wisher: MailboxWisher,
): Promise<void> {
  const done = await inTransaction(pool, (tx) => setMailbox(tx, number, wanted, wisher));
  if (done === 'not_found') throw new Problem('not_found');
  if (done === 'unproven')
    throw new Problem('step_up_required', 'Prove again who you are, and then ask again to have messages taken.');
  if (done === 'no_greeting') throw new Problem('conflict', 'There is no greeting of your own. Send one first.');
}

function requireSpool({ spool }: VoicemailParts): { greetings: string } {
  if (spool === null) throw new Problem('not_available', 'This operator takes no voice messages.');
  return spool;
}

/** A program has proven with its key all that it can prove. */
function wisherOf(identity: Identity, now: Date, step_up_ms: number): MailboxWisher {
  const account_id = accountOf(identity);
  if (identity.kind === 'api_key')
    return { account_id, actor: { kind: 'api_key', id: identity.key_id }, is_proven: true, now };
  const { user_id, proven_at_ms } = customerOf(identity);
  const is_proven = now.getTime() - proven_at_ms <= step_up_ms;
  return { account_id, actor: { kind: 'customer', id: user_id }, is_proven, now };
}
