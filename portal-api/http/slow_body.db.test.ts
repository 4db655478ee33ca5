import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { BegunSession } from '../identity/sessions.ts';
import { makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';

let world: PortalWorld;
let owner: TestUser;
let begun: BegunSession;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

beforeEach(async () => {
  owner = await makeUser(world);
  begun = await world.portal.sessions.begin({
    ...{ user_id: owner.user_id, kind: 'customer', account_id: owner.account_id, role: 'owner', admin_roles: [] },
    ...{ address: '127.0.0.1', user_agent: 'a test' },
  });
});

/** Settles when the session of a request was looked for, and it is let in. */
function nextIsLetIn(): Promise<void> {
  const { sessions } = world.portal;
  const find = sessions.find.bind(sessions);
  return new Promise((resolve) => {
    sessions.find = async (token) => {
      sessions.find = find;
      const found = await find(token);
      resolve();
      return found;
    };
  });
}

/** Asks for a phone, and withholds the last byte of the wish until what happens meanwhile has happened; the answer's first lines. */
async function askSlowly(meanwhile: () => Promise<unknown>): Promise<string> {
  const body = JSON.stringify({ label: 'slow' });
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1');
  const answer = new Promise<string>((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString()));
    socket.on('error', reject);
  });
  const is_let_in = nextIsLetIn();
  const head = [
    ...['POST /v1/devices HTTP/1.1', 'Host: localhost', 'Connection: close', 'Content-Type: application/json'],
    ...[`Content-Length: ${body.length}`, `Idempotency-Key: ${randomUUID()}`],
    ...[`Cookie: letsdial_session=${begun.token}`, `X-CSRF-Token: ${begun.csrf_token}`],
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body.slice(0, -1)}`);
  await is_let_in;
  await meanwhile();
  socket.write(body.slice(-1));
  return answer;
}

async function phones(): Promise<number> {
  const { rows } = await world.pool.query('select 1 from sip_device where account_id = $1', [owner.account_id]);
  return rows.length;
}

it('does nothing for whoever was signed out before all of it was here', async () => {
  const there = await owner.signIn();
  const answer = await askSlowly(async () => {
    expect(await there.ask('DELETE', `/v1/sessions/${begun.session_id}`)).toMatchObject({ status: 204 });
  });
  expect(answer).toMatch(/^HTTP\/1\.1 401 [\s\S]*urn:letsdial:problem:sign_in_required/u);
  expect(await phones()).toBe(0);
});

it('asks for a proof that is fresh when all of it is here', async () => {
  const there = await owner.signIn();
  const answer = await askSlowly(async () => {
    // What was asked of Redis before this is answered before it.
    expect(await there.get('/v1/session')).toMatchObject({ status: 200 });
    world.advance(6 * 60_000);
  });
  expect(answer).toMatch(/^HTTP\/1\.1 403 [\s\S]*urn:letsdial:problem:step_up_required/u);
  expect(await phones()).toBe(0);
});

it('is answered as any other where nothing has changed meanwhile', async () => {
  expect(await askSlowly(() => Promise.resolve())).toMatch(/^HTTP\/1\.1 201 /u);
  expect(await phones()).toBe(1);
});
