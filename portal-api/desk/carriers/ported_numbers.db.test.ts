import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeAdmin } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { Heard } from '../testing/heard.ts';

interface Page {
  items: { number: string; routing_number: string }[];
  next_cursor: string | null;
}

const PATH = '/v1/admin/ported-numbers';

let world: PortalWorld;
let operations: PortalClient;
let support: PortalClient;
let heard: Heard;

beforeAll(async () => {
  world = await PortalWorld.begin();
  operations = await (await makeAdmin(world, ['operations'])).signIn();
  support = await (await makeAdmin(world, ['support'])).signIn();
  heard = await Heard.on(world.pool, ['ported_number']);
});

afterAll(async () => {
  heard.end();
  await world.end();
});

const ported = (number: string, routing_number = '+447911000') => ({ number, routing_number });
const put = (...items: unknown[]) => operations.post(PATH, { items });

it('where numbers went is said by the thousand, all or none, said anew and taken back, and the gateway hears of it', async () => {
  const many = Array.from({ length: 1_000 }, (_, n) => ported(`+44770090${String(n).padStart(4, '0')}`));
  await heard.forget();
  expect(await put(...many)).toMatchObject({ status: 201, body: { numbers: 1_000 } });
  await heard.all(['ported_number: ']);
  expect(await put(...many, ported('+4915112345678'))).toMatchObject({ status: 422 });
  expect(await put(ported('+4915112345678'), ported('4915112345679'))).toMatchObject({ status: 422 });
  expect(await put(ported('+4915112345678'), ported('+4915112345678', '+49160000'))).toMatchObject({ status: 422 });
  expect(await support.get(`${PATH}?prefix=%2B49`)).toMatchObject({ body: { items: [], next_cursor: null } });

  expect(await put(ported('+447700900007', '+447400000'))).toMatchObject({ status: 201 });
  const first = await support.get<Page>(`${PATH}?prefix=%2B44770090000&limit=4`);
  expect(first.body.items.map(({ number }) => number.at(-1))).toEqual(['0', '1', '2', '3']);
  const rest = await support.get<Page>(`${PATH}?prefix=%2B44770090000&limit=25&cursor=${first.body.next_cursor ?? ''}`);
  expect(rest.body.next_cursor).toBeNull();
  expect(rest.body.items.map(({ number }) => number.at(-1))).toEqual(['4', '5', '6', '7', '8', '9']);
  expect(rest.body.items[3]).toMatchObject(ported('+447700900007', '+447400000'));

  const one = `${PATH}/${encodeURIComponent('+447700900007')}`;
  expect(await support.ask('DELETE', one)).toMatchObject({ status: 403 });
  await heard.forget();
  expect(await operations.ask('DELETE', one)).toMatchObject({ status: 204 });
  await heard.all(['ported_number: ']);
  expect(await operations.ask('DELETE', one)).toMatchObject({ status: 404 });
  const { rows } = await world.pool.query<{ action: string; detail: unknown }>(
    `select action, detail from audit_log where subject = 'ported_number' order by seq`,
  );
  expect(rows).toEqual([
    { action: 'ported_number.put', detail: { numbers: 1_000 } },
    { action: 'ported_number.put', detail: { numbers: 1 } },
    { action: 'ported_number.drop', detail: { numbers: 1 } },
  ]);
});
