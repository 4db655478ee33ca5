import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { PortalContext } from '../../context.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';
import { changedNames, insertRow, lockRowAt, toldOf, updateRow } from '../stored_row.ts';
import { bindColumns, bindEdit, bindId, bindShape, newBind, requireSense } from './bind_shapes.ts';
import type { BindTold } from './bind_shapes.ts';
import { isCarrier, readBind } from './carrier_rows.ts';
import { carrierParams } from './carrier_shapes.ts';

const params = z.object({ bind_id: bindId });

export function bindRoutes(context: PortalContext): Route[] {
  return [read(context), create(context), edit(context)];
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/carrier-binds/{bind_id}',
      operation_id: 'admin_read_carrier_bind',
      summary: 'One bind of a carrier, with all that is set of it.',
      tag: 'admin carriers',
      policy: WHO_LOOKS,
      params,
      answers: { 200: { description: 'The bind, and its ETag.', json: bindShape } },
    },
    async ({ params: { bind_id } }) => answerOf(await readBind(pool, bind_id)),
  );
}

function create({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/carriers/{carrier_id}/binds',
      operation_id: 'admin_create_carrier_bind',
      summary: 'Add a bind to the SMSC of a carrier. What is not said is as most carriers want it.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      idempotent: true,
      params: carrierParams,
      body: newBind,
      answers: { 201: { description: 'The gateway binds at once where it is enabled.', json: bindShape } },
      problems: ['conflict'],
    },
    async ({ params: { carrier_id }, body: { bind_id, ...settings }, identity, operation_id, now }) => {
      requireSense(settings);
      const columns = { id: bind_id, carrier_id, ...bindColumns(settings) };
      const made = await inTransaction(pool, async (tx) => {
        if (!(await isCarrier(tx, carrier_id))) throw new Problem('not_found');
        const row = await insertRow(tx, { table: 'carrier_bind', columns, operation_id });
        if (row === null) throw new Problem('conflict', `There is a bind ${bind_id} already. Choose another name.`);
        const bind = await readBind(tx, row.id);
        if (row.is_new) {
          await appendAudit(tx, {
            ...{ at: now, actor: adminActor(identity), action: 'carrier_bind.create', account_id: null },
            ...{ subject: `carrier_bind:${bind_id}`, detail: toldOf(columns) },
          });
        }
        return bind;
      });
      return { ...answerOf(made), status: 201 };
    },
  );
}

function edit({ pool }: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/admin/carrier-binds/{bind_id}',
      operation_id: 'admin_edit_carrier_bind',
      summary: 'Use a bind, or do not; say anew how it is reached and what it wants. The gateway binds anew.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params,
      versioned: true,
      body: bindEdit,
      answers: { 200: { description: 'Heard by the gateway, at once.', json: bindShape } },
    },
    async ({ params: { bind_id: id }, body, version, identity, now }) => {
      const changed = changedNames(body);
      const columns = bindColumns(body);
      const edited = await inTransaction(pool, async (tx) => {
        const before = await lockRowAt(tx, { table: 'carrier_bind', id, version, columns });
        const known = await readBind(tx, id);
        requireSense({ ...known, ...body });
        await updateRow(tx, { table: 'carrier_bind', id, columns });
        const bind = await readBind(tx, id);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'carrier_bind.edit', account_id: null },
          ...{ subject: `carrier_bind:${id}`, detail: { changed, before, after: toldOf(columns) } },
        });
        return bind;
      });
      return answerOf(edited);
    },
  );
}

function answerOf(bind: BindTold | null): { status: 200; body: BindTold; version: number } {
  if (bind === null) throw new Problem('not_found');
  return { status: 200, body: bind, version: bind.version };
}
