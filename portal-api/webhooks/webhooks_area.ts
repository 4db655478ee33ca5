import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { Area, PortalContext } from '../context.ts';
import { instantOut, uuid } from '../http/fields.ts';
import { keyOfAnotherAccount } from '../http/idempotency.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { Identity } from '../identity/identity.ts';
import { OWNER } from '../identity/policy.ts';
import { accountOf } from '../identity/whose.ts';
import { changeWebhook, deleteWebhook, insertWebhook, listWebhooks, replaceSecret } from './webhook_rows.ts';
import { newSecret, WEBHOOK_KINDS, WEBHOOKS_MAX } from './webhook_rows.ts';
import type { ChangedWebhook, Inserted } from './webhook_rows.ts';

/** Where the customer's own servers are told of texts. The gateway sends, and signs with the secret. */
export function webhooksArea(context: PortalContext): Area {
  return { routes: [list(context), make(context), change(context), rotate(context), remove(context)], tasks: [] };
}

const policy = { customer: OWNER, api_key: 'texts' } as const;
/** Codes that come by text go wherever a webhook points to, as forwarded calls do: it is asked anew who it is. */
const pointing = { ...policy, step_up: true } as const;
const tag = 'webhooks';
const params = z.object({ webhook_id: uuid });
const URL_LENGTH_MAX = 2_000;

/** In its one spelling. What leads into a network of ours is refused where it is sent, as a name may lead elsewhere by then. */
const urlField = z
  .url({ protocol: /^https?$/u })
  .max(URL_LENGTH_MAX)
  .transform((text) => new URL(text))
  .refine(
    ({ username, password }) => username === '' && password === '',
    'has a password in it; what is sent is signed',
  )
  .refine(({ href }) => href.length <= URL_LENGTH_MAX, `is longer than ${URL_LENGTH_MAX}`)
  .transform(({ href }) => href);
const kindsField = z
  .array(z.enum(WEBHOOK_KINDS))
  .min(1)
  .max(WEBHOOK_KINDS.length)
  .refine((kinds) => new Set(kinds).size === kinds.length, 'has one twice');

const webhookShape = z
  .object({
    webhook_id: uuid,
    url: z.string(),
    /** receipt: what became of a text you sent; text: one that came. */
    kinds: z.array(z.enum(WEBHOOK_KINDS)),
    /** Switched off by us too, where your server answers 410. */
    enabled: z.boolean(),
    created_at: instantOut,
    /** To be sent as If-Match with a change. */
    version: z.int(),
  })
  .meta({ id: 'Webhook' });

const withSecret = webhookShape.extend({
  /** What you verify signatures with, as Standard Webhooks describes. */
  secret: z.string(),
});

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/webhooks',
      operation_id: 'list_webhooks',
      summary: 'Where your servers are told of texts, without the secrets.',
      tag,
      policy,
      answers: { 200: { description: 'The first one first.', json: z.object({ items: z.array(webhookShape) }) } },
    },
    async ({ identity }) => ({ status: 200, body: { items: await listWebhooks(pool, accountOf(identity)) } }),
  );
}

function make({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/webhooks',
      operation_id: 'make_webhook',
      summary: 'Have a server of yours told what becomes of texts, and which came.',
      tag,
      policy: pointing,
      idempotent: true,
      secret_answer: { found_at: '/v1/webhooks', new_secret_at: '/v1/webhooks/{operation_id}/secret' },
      body: z.object({ url: urlField, kinds: kindsField.default([...WEBHOOK_KINDS]) }),
      answers: { 201: { description: 'The secret is shown this once.', json: withSecret } },
      problems: ['conflict'],
    },
    async ({ identity, body, operation_id, now }) => {
      const secret = newSecret();
      const wish = { ...body, webhook_id: operation_id, account_id: accountOf(identity), secret, created_at: now };
      const made = await inTransaction(pool, async (tx) => {
        const inserted = await insertWebhook(tx, wish);
        if (inserted.kind !== 'inserted') throw notMade(inserted.kind);
        await audit(tx, identity, now, 'webhook.make', operation_id, { kinds: inserted.webhook.kinds });
        return inserted.webhook;
      });
      return { status: 201, body: { ...made, secret }, version: made.version };
    },
  );
}

function notMade(why: Exclude<Inserted['kind'], 'inserted'>): Problem {
  if (why === 'of_another_account') return keyOfAnotherAccount();
  return new Problem('conflict', `An account has at most ${WEBHOOKS_MAX} webhooks. Delete one first.`);
}

function change({ pool }: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/webhooks/{webhook_id}',
      operation_id: 'change_webhook',
      summary: 'Another address or other kinds of news, or switch it on or off.',
      tag,
      policy: pointing,
      versioned: true,
      params,
      body: z.object({ url: urlField.optional(), kinds: kindsField.optional(), enabled: z.boolean().optional() }),
      answers: { 200: { description: 'From the next delivery on.', json: webhookShape } },
      problems: ['not_found'],
    },
    async ({ identity, params: { webhook_id }, body, version, now }) => {
      const webhook = await inTransaction(pool, async (tx) => {
        const changed = await changeWebhook(tx, { webhook_id, account_id: accountOf(identity), version }, body);
        if (changed.kind !== 'changed') throw notChanged(changed.kind);
        await audit(tx, identity, now, 'webhook.change', webhook_id, { fields: Object.keys(body) });
        return changed.webhook;
      });
      return { status: 200, body: webhook, version: webhook.version };
    },
  );
}

function notChanged(why: Exclude<ChangedWebhook['kind'], 'changed'>): Problem {
  if (why === 'not_found') return new Problem('not_found');
  return new Problem('version_conflict', 'Read it again, and decide on what it is now.');
}

function rotate({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/webhooks/{webhook_id}/secret',
      operation_id: 'rotate_webhook_secret',
      summary: 'Another secret. What is sent from now on is signed with it, and for a day by the one before as well.',
      tag,
      policy: pointing,
      idempotent: true,
      secret_answer: { found_at: '/v1/webhooks', new_secret_at: '/v1/webhooks/{webhook_id}/secret' },
      params,
      answers: { 201: { description: 'The secret is shown this once.', json: withSecret } },
      problems: ['not_found'],
    },
    async ({ identity, params: { webhook_id }, now }) => {
      const secret = newSecret();
      const changed = await inTransaction(pool, async (tx) => {
        const webhook = await replaceSecret(tx, { webhook_id, account_id: accountOf(identity) }, secret);
        if (webhook === null) throw new Problem('not_found');
        await audit(tx, identity, now, 'webhook.rotate_secret', webhook_id);
        return webhook;
      });
      return { status: 201, body: { ...changed, secret }, version: changed.version };
    },
  );
}

function remove({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/webhooks/{webhook_id}',
      operation_id: 'delete_webhook',
      summary: 'Nothing is sent there any more, what waits included.',
      tag,
      policy,
      params,
      answers: { 204: { description: 'Deleted, and of no number’s choice any more.', empty: true } },
      problems: ['not_found'],
    },
    async ({ identity, params: { webhook_id }, now }) => {
      await inTransaction(pool, async (tx) => {
        if (!(await deleteWebhook(tx, { webhook_id, account_id: accountOf(identity) }))) throw new Problem('not_found');
        await audit(tx, identity, now, 'webhook.delete', webhook_id);
      });
      return { status: 204 };
    },
  );
}

/** Texts hold codes and secrets, so that it is on record who had them sent where. */
function audit(
  tx: Transaction,
  identity: Identity,
  at: Date,
  action: string,
  webhook_id: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  if (identity.kind !== 'customer' && identity.kind !== 'api_key') throw new Error('Webhooks are of customers.');
  const id = identity.kind === 'customer' ? identity.user_id : identity.key_id;
  const { account_id } = identity;
  return appendAudit(tx, {
    ...{ at, actor: { kind: identity.kind, id }, action, account_id, subject: `webhook:${webhook_id}`, detail },
  });
}
