import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { SIP_REALM } from '../../domain/devices/credentials.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { Area, PortalContext } from '../context.ts';
import { e164, instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { Identity } from '../identity/identity.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { accountOf } from '../identity/whose.ts';
import {
  addDevice,
  changeDevice,
  DEVICES_MAX,
  listDevices,
  newCredentials,
  removeDevice,
  selectDevice,
} from './device_rows.ts';
import type { Device } from './device_rows.ts';

/** The customer's phones. */
export function devicesArea(context: PortalContext): Area {
  return {
    routes: [
      ...[addRoute(context), listRoute(context), readRoute(context)],
      ...[changeRoute(context), credentialsRoute(context), removeRoute(context)],
    ],
    tasks: [],
  };
}

const writes = { customer: EVERY_CUSTOMER, api_key: 'devices:write' } as const;
/** Whoever has credentials of a phone calls at the account's expense, and is not signed out. */
const givesCredentials = { ...writes, step_up: true } as const;
const deviceParams = z.object({ device_id: uuid });

const deviceShape = z
  .object({
    device_id: uuid,
    label: z.string().nullable(),
    username: z.string(),
    enabled: z.boolean(),
    /** Shown to whom it calls; null: none, and calls that need one are refused. */
    caller_number: e164.nullable(),
    created_at: instantOut,
  })
  .meta({ id: 'Device' });

const withCredentials = deviceShape.extend({
  credentials: z.object({ username: z.string(), password: z.string(), realm: z.string() }),
});

function deviceAnswer(device: Device): z.input<typeof deviceShape> {
  const { id, label, username, enabled, caller_number, created_at } = device;
  return { device_id: id, label, username, enabled, caller_number, created_at };
}

const tooMany = (): Problem => new Problem('conflict', `You have ${DEVICES_MAX} devices. Remove one first.`);
const notYours = (): Problem =>
  new Problem('conflict', 'Only a number that you hold, or have verified to be yours, is shown to others.');

function addRoute({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/devices',
      operation_id: 'add_device',
      summary: 'Credentials for another SIP phone.',
      tag: 'devices',
      policy: givesCredentials,
      idempotent: true,
      secret_answer: { found_at: '/v1/devices', new_secret_at: '/v1/devices/{operation_id}/credentials' },
      body: z.object({ label: line(60), caller_number: e164.nullable().default(null) }),
      answers: { 201: { description: 'The password is shown this once.', json: withCredentials } },
      problems: ['conflict'],
    },
    async ({ body, identity, operation_id, now }) => {
      const wish = { ...body, device_id: operation_id, account_id: accountOf(identity) };
      const { device, credentials } = await inTransaction(pool, async (tx) => {
        const added = await addDevice(tx, wish);
        if (added.kind !== 'added') throw added.kind === 'too_many' ? tooMany() : notYours();
        await audit(tx, identity, now, 'device.make', operation_id);
        return added;
      });
      const body_out = { ...deviceAnswer(device), credentials: { ...credentials, realm: SIP_REALM } };
      return { status: 201, body: body_out, version: device.version };
    },
  );
}

function listRoute({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/devices',
      operation_id: 'list_devices',
      summary: 'Your SIP phones.',
      tag: 'devices',
      policy: writes,
      answers: { 200: { description: 'The first one first.', json: z.object({ items: z.array(deviceShape) }) } },
    },
    async ({ identity }) => ({
      status: 200,
      body: { items: (await listDevices(pool, accountOf(identity))).map(deviceAnswer) },
    }),
  );
}

function readRoute({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/devices/{device_id}',
      operation_id: 'read_device',
      summary: 'One of your SIP phones.',
      tag: 'devices',
      policy: writes,
      params: deviceParams,
      answers: { 200: { description: 'The device.', json: deviceShape } },
    },
    async ({ params, identity }) => {
      const device = await selectDevice(pool, params.device_id, accountOf(identity));
      if (device === null) throw new Problem('not_found');
      return { status: 200, body: deviceAnswer(device), version: device.version };
    },
  );
}

function changeRoute({ pool }: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/devices/{device_id}',
      operation_id: 'change_device',
      summary: 'Rename a phone, switch it on or off, or choose what it shows.',
      tag: 'devices',
      policy: writes,
      versioned: true,
      params: deviceParams,
      body: z.object({
        label: line(60).optional(),
        enabled: z.boolean().optional(),
        caller_number: e164.nullable().optional(),
      }),
      answers: { 200: { description: 'From the next call on.', json: deviceShape } },
      problems: ['conflict'],
    },
    async ({ params, body, identity, version }) => {
      const which = { id: params.device_id, account_id: accountOf(identity), version: version ?? 0 };
      const changed = await inTransaction(pool, (tx) => changeDevice(tx, which, body));
      switch (changed.kind) {
        case 'changed':
          return { status: 200, body: deviceAnswer(changed.device), version: changed.device.version };
        case 'not_found':
          throw new Problem('not_found');
        case 'not_your_number':
          throw notYours();
        case 'changed_meanwhile':
          throw new Problem('version_conflict', 'Read it again, and decide on what it is now.');
      }
    },
  );
}

function credentialsRoute({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/devices/{device_id}/credentials',
      operation_id: 'renew_device_credentials',
      summary: 'A new password for a phone; the one before is worth nothing any more.',
      tag: 'devices',
      policy: givesCredentials,
      idempotent: true,
      secret_answer: { found_at: '/v1/devices', new_secret_at: '/v1/devices/{device_id}/credentials' },
      params: deviceParams,
      answers: { 201: { description: 'Shown this once.', json: withCredentials } },
    },
    async ({ params: { device_id }, identity, now }) => {
      const { device, credentials } = await inTransaction(pool, async (tx) => {
        const made = await newCredentials(tx, device_id, accountOf(identity));
        if (made === null) throw new Problem('not_found');
        await audit(tx, identity, now, 'device.renew_credentials', device_id);
        return made;
      });
      const body = { ...deviceAnswer(device), credentials: { ...credentials, realm: SIP_REALM } };
      return { status: 201, body, version: device.version };
    },
  );
}

function removeRoute({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/devices/{device_id}',
      operation_id: 'remove_device',
      summary: 'Take a phone’s credentials away.',
      tag: 'devices',
      policy: writes,
      params: deviceParams,
      answers: { 204: { description: 'It cannot register any more.', empty: true } },
    },
    async ({ params: { device_id }, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        if (!(await removeDevice(tx, device_id, accountOf(identity)))) throw new Problem('not_found');
        await audit(tx, identity, now, 'device.remove', device_id);
      });
      return { status: 204 };
    },
  );
}

/** Who has whose credentials made is on record, so that those of a sign-in that is disowned are found. */
function audit(tx: Transaction, identity: Identity, at: Date, action: string, device_id: string): Promise<void> {
  if (identity.kind !== 'customer' && identity.kind !== 'api_key') throw new Error('Phones are of customers.');
  const id = identity.kind === 'customer' ? identity.user_id : identity.key_id;
  const { account_id } = identity;
  return appendAudit(tx, {
    at,
    actor: { kind: identity.kind, id },
    action,
    account_id,
    subject: `device:${device_id}`,
  });
}
