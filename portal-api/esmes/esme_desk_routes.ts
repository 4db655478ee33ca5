import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { viewOnRecord } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { WHO_EDITS, WHO_LOOKS } from '../desk/operations_policy.ts';
import { line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { editEsme, ESMES_MAX, esmesOf, lockEsme, makeEsme, renewPassword, selectEsme } from './esme_rows.ts';
import type { Made } from './esme_rows.ts';
import { esmeSettings, esmeShape, systemId, withPassword } from './esme_shapes.ts';
import type { EsmeSettings, EsmeTold } from './esme_shapes.ts';

const ofAccount = z.object({ account_id: uuid });
const ofEsme = z.object({ system_id: systemId });

/** By which customers with much traffic bind to our SMSC. */
export function esmeDeskRoutes(context: PortalContext): Route[] {
  return [list(context), create(context), read(context), edit(context), renew(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/customers/{account_id}/esmes',
      operation_id: 'admin_list_esmes',
      summary: 'By which an account binds over SMPP, and what each may do. That you saw it is on record.',
      tag: 'admin texts',
      policy: WHO_LOOKS,
      params: ofAccount,
      query: z.object({ purpose: line(500) }),
      answers: { 200: { description: 'The first one first.', json: z.object({ items: z.array(esmeShape) }) } },
    },
    async ({ params: { account_id }, query: { purpose }, identity, now }) => {
      const view = { action: 'esmes.view', account_id, subject: `account:${account_id}`, purpose };
      const items = await viewOnRecord(pool, { identity, now }, view, (tx) => esmesOf(tx, account_id));
      return { status: 200, body: { items } };
    },
  );
}

function create({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/customers/{account_id}/esmes/{system_id}',
      operation_id: 'admin_create_esme',
      summary: 'Let an account bind by this system_id. What is not said is as most customers want it.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      // A password of a bind is hashed, as slowly as it is guessed.
      pace: 'costly',
      idempotent: true,
      secret_answer: {
        found_at: '/v1/admin/customers/{account_id}/esmes',
        new_secret_at: '/v1/admin/esmes/{system_id}/password',
      },
      params: ofAccount.extend(ofEsme.shape),
      body: esmeSettings,
      answers: { 201: { description: 'It may bind at once. The password is shown this once.', json: withPassword } },
      problems: ['conflict'],
    },
    async ({ params: { account_id, system_id }, body: settings, identity, operation_id, now }) => {
      const created = await inTransaction(pool, async (tx) => {
        const made = await makeEsme(tx, { system_id, account_id, settings, operation_id, at: now });
        if (made.kind !== 'made') throw notMade(made.kind, system_id);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'esme.create', account_id },
          ...{ subject: `esme:${system_id}`, detail: settings },
        });
        return { ...(await locked(tx, system_id)), password: made.password };
      });
      return { status: 201, body: created, version: created.version };
    },
  );
}

function notMade(why: Exclude<Made['kind'], 'made'>, system_id: string): Problem {
  switch (why) {
    case 'no_account':
      return new Problem('not_found');
    case 'taken':
      return new Problem('conflict', `Somebody binds by ${system_id} already. Choose another name.`);
    case 'too_many':
      return new Problem('conflict', `An account binds by ${ESMES_MAX} names at most. Use one that it has.`);
  }
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/esmes/{system_id}',
      operation_id: 'admin_read_esme',
      summary: 'Whose system_id this is, and what binds by it may do. That you saw it is on record.',
      tag: 'admin texts',
      policy: WHO_LOOKS,
      params: ofEsme,
      query: z.object({ purpose: line(500) }),
      answers: { 200: { description: 'With its ETag.', json: esmeShape } },
    },
    async ({ params: { system_id }, query: { purpose }, identity, now }) => {
      const esme = await inTransaction(pool, async (tx) => {
        const found = await selectEsme(tx, system_id);
        if (found === null) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'esmes.view', account_id: found.account_id },
          ...{ subject: `esme:${system_id}`, purpose },
        });
        return found;
      });
      return { status: 200, body: esme, version: esme.version };
    },
  );
}

function edit({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/esmes/{system_id}',
      operation_id: 'admin_edit_esme',
      summary: 'Say anew what binds by this system_id may do. Disabled, those that are there are ended.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      params: ofEsme,
      versioned: true,
      body: esmeSettings,
      answers: { 200: { description: 'Heard by the gateway, at once.', json: esmeShape } },
    },
    async ({ params: { system_id }, body: settings, version, identity, now }) => {
      const edited = await inTransaction(pool, async (tx) => {
        const before = await locked(tx, system_id);
        if (before.version !== version) {
          throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
        }
        await editEsme(tx, system_id, settings);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'esme.edit', account_id: before.account_id },
          ...{ subject: `esme:${system_id}`, detail: { before: settingsOf(before), after: settings } },
        });
        return locked(tx, system_id);
      });
      return { status: 200, body: edited, version: edited.version };
    },
  );
}

function renew({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/esmes/{system_id}/password',
      operation_id: 'admin_renew_esme_password',
      summary: 'A new password. Whoever is bound by the one before is unbound, and the customer is told.',
      tag: 'admin texts',
      policy: WHO_EDITS,
      pace: 'costly',
      idempotent: true,
      secret_answer: {
        found_at: '/v1/admin/esmes/{system_id}',
        new_secret_at: '/v1/admin/esmes/{system_id}/password',
      },
      params: ofEsme,
      answers: { 201: { description: 'Shown this once.', json: withPassword } },
    },
    async ({ params: { system_id }, identity, now }) => {
      const renewed = await inTransaction(pool, async (tx) => {
        const { account_id } = await locked(tx, system_id);
        const password = await renewPassword(tx, system_id);
        await queueNotice(tx, { to: { account_id }, template: 'esme_password', facts: { name: system_id } });
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'esme.renew_password', account_id },
          ...{ subject: `esme:${system_id}` },
        });
        return { ...(await locked(tx, system_id)), password };
      });
      return { status: 201, body: renewed, version: renewed.version };
    },
  );
}

async function locked(tx: Transaction, system_id: string): Promise<EsmeTold> {
  const esme = await lockEsme(tx, system_id);
  if (esme === null) throw new Problem('not_found');
  return esme;
}

const settingsOf = (esme: EsmeTold): EsmeSettings => esmeSettings.strip().parse(esme);
