import type pg from 'pg';
import { expect } from 'vitest';
import type { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { blindIndex, emailSpelling } from '../../domain/privacy/sealing.ts';
import type { PortalClient, Reply } from './portal_client.ts';
import type { PortalWorld } from './portal_world.ts';

export interface SignedInBody {
  kind: string;
  user_id: string;
  account_id: string;
  role: string;
  csrf_token: string;
}

let phones = 0;

/** A number of the range that Ofcom keeps for plays and films; no two of a file are alike. */
export function somePhone(): string {
  phones += 1;
  return `+447700900${String(phones).padStart(3, '0')}`;
}

export const ada = {
  ...{ name: 'Ada Example', party: 'person', home_country: 'DE', time_zone: 'Europe/Berlin', locale: 'en' },
  document_ids: [] as string[],
};

/** The newest code that was sent to a number, read where the gateway would read it. */
export async function codeInText(pool: pg.Pool, recipient: string): Promise<string> {
  const { rows } = await pool.query<{ body: string }>(
    'select body from message where recipient = $1 order by id desc limit 1',
    [recipient],
  );
  const [code] = /\d{6}/u.exec(rows[0]?.body ?? '') ?? [];
  if (code === undefined) throw new Error(`No code was sent to ${recipient}.`);
  return code;
}

/** The newest code that was mailed to an address. */
export async function codeInMail(mail: MailCatcher, to: string, nth = 1): Promise<string> {
  const codes = (): string[] => mail.mails(to).flatMap(({ text }) => /Code: (\d{6})/u.exec(text)?.[1] ?? []);
  await expect.poll(() => codes().length, { timeout: 8_000, interval: 50 }).toBeGreaterThanOrEqual(nth);
  return codes().at(-1) ?? '';
}

/** The whole way through registration, as a browser goes it. */
export async function register(
  world: PortalWorld,
  mail: MailCatcher,
  wishes: { email: string; phone: string } & Partial<Record<string, unknown>>,
): Promise<{ client: PortalClient; reply: Reply<SignedInBody> }> {
  const client = world.client();
  const begun = await client.post<{ registration_token: string }>('/v1/registration', { ...ada, ...wishes });
  expect(begun).toMatchObject({ status: 201 });
  const { registration_token } = begun.body;
  const reply = await client.post<SignedInBody>('/v1/registration/proof', {
    registration_token,
    email_code: await codeInMail(mail, wishes.email),
    phone_code: await codeInText(world.pool, wishes.phone),
  });
  return { client, reply };
}

export const emailIndex = (world: PortalWorld, email: string): Buffer =>
  blindIndex(world.ring, 'email', emailSpelling(email));
