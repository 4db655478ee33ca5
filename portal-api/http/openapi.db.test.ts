import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_ROLES, SCOPES } from '../identity/identity.ts';
import { fuzz } from '../testing/fuzz.ts';
import { readDocument } from '../testing/operations.ts';
import type { Operation, ReadDocument } from '../testing/operations.ts';
import { makeAdmin, makeApiKey, makeMember, makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import type { PortalWorld } from '../testing/portal_world.ts';
import { FuzzedWorld } from '../testing/fuzzed_world.ts';

let fuzzed: FuzzedWorld;
let world: PortalWorld;
let text: string;
let document: ReadDocument;

beforeAll(async () => {
  fuzzed = await FuzzedWorld.begin();
  world = fuzzed.world;
  text = JSON.stringify((await world.client().get('/openapi.json')).body);
  document = readDocument(JSON.parse(text) as Parameters<typeof readDocument>[0]);
});

afterAll(() => fuzzed.end());

describe('the OpenAPI document', () => {
  it('is one of version 3.1', async () => {
    const verdict = await new Validator().validate(JSON.parse(text) as Record<string, unknown>);
    expect(verdict).toMatchObject({ valid: true });
  });

  it('names each operation once, and its policy', () => {
    const ids = document.operations.map(({ operation_id }) => operation_id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(document.operations.filter(({ policy }) => Object.keys(policy).length === 0)).toEqual([]);
  });

  it('is a page as well', async () => {
    const page = await world.client().get<string>('/docs');
    for (const { operation_id } of document.operations) expect(page.body).toContain(`id="${operation_id}"`);
  });
});

/** Everybody who may come: in the order of the columns of who_may.txt. */
const CUSTOMER_ROLES = ['owner', 'billing', 'member'] as const;

describe('who may ask what', () => {
  it('is what was agreed in who_may.txt, where a change of it is seen', async () => {
    const rows = document.operations.map((operation) => `${operation.method} ${operation.path}: ${whoMay(operation)}`);
    await expect(`${rows.toSorted().join('\n')}\n`).toMatchFileSnapshot('./who_may.txt');
  });

  it('holds for each operation and each identity', async () => {
    const wrong: string[] = [];
    const askAll = async ([name, { client, permitted }]: [string, Identity]): Promise<void> => {
      for (const operation of document.operations) {
        const path = operation.path.replaceAll(/\{[a-z_]+\}/gu, '00000000-0000-4000-8000-000000000000');
        const reply = await client.ask<{ type?: string }>(operation.method, path, {
          body: undefined,
          idempotency_key: null,
        });
        const problem = (reply.body as { type?: string } | null)?.type?.split(':').at(-1) ?? '';
        const refused = ['sign_in_required', 'not_permitted'].includes(problem);
        // Who may come without signing in is told apart by a signature or a code, if at all.
        if (operation.policy.anyone === true) continue;
        const expected = permitted(operation);
        if (refused === expected)
          wrong.push(`${name} at ${operation.method} ${operation.path}: ${reply.status} ${problem}`);
        if (!expected && reply.status !== (name === 'nobody' ? 401 : 403))
          wrong.push(`${name} at ${operation.operation_id}: ${reply.status}`);
      }
    };
    // Each is somebody of their own, so that they need not wait for one another.
    await Promise.all([...(await everybody())].map(askAll));
    expect(wrong).toEqual([]);
  }, 120_000);
});

it('answers whatever it is asked as it promises, and fails at nothing', async () => {
  // `npm run fuzz:portal` asks far more often than there is time for in every run.
  const wished = Number(process.env['LETSDIAL_FUZZ_REQUESTS'] ?? 600);
  const seed = Number(process.env['LETSDIAL_FUZZ_SEED'] ?? 1);
  const { requests, complaints } = await fuzz(world, document, { requests: wished, seed });
  expect(complaints).toEqual([]);
  expect(requests).toBeGreaterThan(wished * 0.9);
}, 1_200_000);

function whoMay({ policy }: Operation): string {
  if (policy.anyone === true) return 'anyone';
  const parts = [
    ...(policy.customer === undefined ? [] : [`customer ${policy.customer.join(', ')}`]),
    ...(policy.admin === undefined ? [] : [`admin ${policy.admin.join(', ')}`]),
    ...(policy.api_key === undefined ? [] : [`API key ${policy.api_key}`]),
  ];
  return parts.join('; ') + (policy.step_up === true ? '; proven anew' : '');
}

interface Identity {
  client: PortalClient;
  permitted: (operation: Operation) => boolean;
}

async function everybody(): Promise<Map<string, Identity>> {
  const { account_id } = await makeUser(world);
  const found = new Map<string, Identity>();
  found.set('nobody', { client: world.client(), permitted: () => false });
  for (const role of CUSTOMER_ROLES) {
    const client = signedInAnew(await makeMember(world, account_id, role));
    found.set(`customer ${role}`, {
      client: await client,
      permitted: ({ policy }) => policy.customer?.includes(role) === true,
    });
  }
  for (const role of ADMIN_ROLES) {
    const client = signedInAnew(await makeAdmin(world, [role]));
    found.set(`admin ${role}`, {
      client: await client,
      permitted: ({ policy }) => policy.admin?.includes(role) === true,
    });
  }
  for (const scope of SCOPES) {
    const client = world.client();
    client.api_key = await makeApiKey(world, account_id, [scope]);
    found.set(`API key ${scope}`, { client, permitted: ({ policy }) => policy.api_key === scope });
  }
  return found;
}

/** Signing out is among what is asked: whoever did so signs in again and asks once more. */
async function signedInAnew({ signIn }: { signIn: () => Promise<PortalClient> }): Promise<PortalClient> {
  let inner = await signIn();
  const asking = await signIn();
  return Object.assign(asking, {
    ask: async <T>(...args: Parameters<PortalClient['ask']>) => {
      const reply = await inner.ask<T>(...args);
      if (reply.status !== 401) return reply;
      inner = await signIn();
      return inner.ask<T>(...args);
    },
  });
}
