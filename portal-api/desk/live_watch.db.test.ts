import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MessageIds } from '../../domain/texts/message_id.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';

let world: PortalWorld;
let user: TestUser;
let admin: { user_id: string; client: PortalClient };
let ids: MessageIds;

beforeAll(async () => {
  world = await PortalWorld.begin();
  user = await makeUser(world);
  const { user_id, signIn } = await makeAdmin(world, ['operations']);
  admin = { user_id, client: await signIn() };
  ids = new MessageIds(() => world.now().getTime());
  await world.pool.query(`insert into switch_lease (switch_id, epoch) values ('asterisk', 1)`);
});

afterAll(() => world.end());

/** What a stream tells, as it comes. */
class Ear {
  text = '';
  readonly #response: Response;

  constructor(response: Response) {
    this.#response = response;
    void this.#read();
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#response.body?.pipeThrough(new TextDecoderStream()) ?? []) this.text += chunk;
    } catch {
      // The test has ended.
    }
  }

  events(type: string): Record<string, unknown>[] {
    return [...this.text.matchAll(/event: (\w+)\ndata: (.*)\n/gu)]
      .filter(([, told]) => told === type)
      .map(([, , data]) => JSON.parse(data ?? '{}') as Record<string, unknown>);
  }

  /** Within a second, and some for a machine that is busy. */
  async first(type: string, of: string): Promise<Record<string, unknown>> {
    const found = () => this.events(type).filter((event) => Object.values(event).includes(of));
    await expect.poll(found, { timeout: 2_000, interval: 20 }).toHaveLength(1);
    return found()[0] ?? {};
  }
}

const listen = async (query = ''): Promise<Ear> => new Ear(await admin.client.stream(`/v1/admin/events${query}`));

async function beginCall(): Promise<string> {
  const leg_id = randomUUID();
  await world.pool.query(
    `insert into call_hold (leg_id, call_id, wallet_id, switch_id, channel_id, held_micros, seconds_granted, authorized_at, deadline_at, snapshot)
     values ($1, $1, $2, 'asterisk', 'c', 0, 60, now(), now() + interval '1 minute', $3)`,
    [
      ...[leg_id, user.wallet_id.toString()],
      JSON.stringify({ direction: 'outbound', device: 'dev-1', dialled: '+447700900123', destination: 'UK' }),
    ],
  );
  return leg_id;
}

const answerCall = (leg_id: string) =>
  world.pool.query('update call_hold set answered_at = now() where leg_id = $1', [leg_id]);

/** As it is settled: the hold is over and the record is there, at once. */
const endCall = (leg_id: string) =>
  world.pool.query(
    `with settled as (update call_hold set state = 's' where leg_id = $1 returning wallet_id)
     insert into cdr (leg_id, call_id, started_at, account_id, wallet_id, direction, dialled, ended_at, duration_ms, duration_source,
                      seconds_charged, seconds_billed, net_micros, tax_micros, result, cause, blame, snapshot)
     select $1, $1, now() - interval '3 seconds', $2, wallet_id, 'outbound', '+447700900123', now(), 2500, 'record', 3, 3, 0, 0, 'answered', 16,
            'nobody', '{}' from settled`,
    [leg_id, user.account_id],
  );

async function text(): Promise<string> {
  const id = ids.next();
  await world.pool.query(
    `insert into message (id, account_id, direction, accepted_at, sender, recipient, body, encoding, segments, source)
     values ($1, $2, 'mt', now(), '+493012345678', '+447700900456', 'secret words', 'gsm7', 1, 'http')`,
    [id, user.account_id],
  );
  return id;
}

describe('what calls and texts do', () => {
  it('is told within a second to who watches for a purpose, masked, and what was there before is not', async () => {
    const [before, text_before] = [await beginCall(), await text()];
    const [watching, listening] = [await listen('?purpose=an%20incident'), await listen()];
    const leg_id = await beginCall();
    expect(await watching.first('call_began', leg_id)).toMatchObject({
      ...{ call_id: leg_id, account_id: user.account_id, direction: 'outbound', device: 'dev-1' },
      ...{ dialled_masked: '+4477•••23', destination: 'UK' },
    });
    await answerCall(leg_id);
    expect(await watching.first('call_answered', leg_id)).toMatchObject({ account_id: user.account_id });
    await endCall(leg_id);
    expect(await watching.first('call_ended', leg_id)).toMatchObject({
      ...{ result: 'answered', duration_ms: 2_500, cause: 16, blame: 'nobody' },
    });
    const message_id = await text();
    expect(await watching.first('text', message_id)).toMatchObject({
      ...{ state: 'submitted', sender_masked: '+4930•••78', recipient_masked: '+4477•••56' },
    });
    await world.pool.query(
      `insert into message_event (message_id, at, kind, state) values ($1, now(), 'final', 'delivered')`,
      [message_id],
    );
    await expect
      .poll(() => watching.events('text').map(({ state }) => state), { timeout: 2_000, interval: 20 })
      .toEqual(['submitted', 'delivered']);
    // What was there is told as soon as it changes.
    await endCall(before);
    await watching.first('call_ended', before);
    expect(watching.events('call_began')).toHaveLength(1);
    expect(watching.text).not.toContain(text_before);
    expect(watching.text).not.toMatch(/7700900|secret/u);
    expect(listening.text).not.toMatch(/event: (?:call|text)/u);
    const { rows } = await world.pool.query(
      `select actor_id, purpose from audit_log where action = 'live_events.view'`,
    );
    expect(rows).toEqual([{ actor_id: admin.user_id, purpose: 'an incident' }]);
  });

  it('is bounded: of more texts than can be told the newest are, and that there were more', async () => {
    const watching = await listen('?purpose=a%20flood');
    await world.pool.query(
      `insert into message (id, account_id, direction, accepted_at, sender, recipient, encoding, segments, source)
       select (lpad(to_hex((extract(epoch from clock_timestamp()) * 1000)::bigint + 10), 12, '0') || '7' || lpad(to_hex(n), 3, '0') || '8000000000000001')::uuid,
              $1, 'mt', now(), '+493012345678', '+447700900456', 'gsm7', 1, 'http' from generate_series(1, 300) n`,
      [user.account_id],
    );
    await expect.poll(() => watching.events('text').length, { timeout: 2_000, interval: 20 }).toBe(200);
    expect(watching.events('texts_skipped')).toEqual([{ told: 200 }]);
  });
});
