import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { makeAdmin } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { Heard } from './heard.ts';

export interface Carrier {
  carrier_id: number;
  code: string;
  name: string;
  version: number;
}

export interface Trunk {
  trunk_id: string;
  version: number;
}

export interface Refused {
  type: string;
  detail: string;
  errors?: { path: string; message: string }[];
}

/** A portal, somebody who runs its carriers, somebody who only counts their money, and what the services hear of it. */
export class CarrierDesk {
  readonly world: PortalWorld;
  readonly operations: PortalClient;
  readonly finance: PortalClient;
  readonly heard: Heard;
  #carriers = 0;

  private constructor(world: PortalWorld, operations: PortalClient, finance: PortalClient, heard: Heard) {
    this.world = world;
    this.operations = operations;
    this.finance = finance;
    this.heard = heard;
  }

  static async begin(): Promise<CarrierDesk> {
    const world = await PortalWorld.begin();
    const operations = await (await makeAdmin(world, ['operations'])).signIn();
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    return new CarrierDesk(world, operations, finance, await Heard.on(world.pool, ['rates', 'device', 'gateway']));
  }

  async newCarrier(): Promise<Carrier> {
    this.#carriers += 1;
    const names = { code: `carrier-${this.#carriers}`, name: `Carrier ${this.#carriers}` };
    const made = await this.operations.post<Carrier>('/v1/admin/carriers', { ...names, currency: 'EUR' });
    expect(made).toMatchObject({ status: 201 });
    return made.body;
  }

  /** Of a carrier of its own, unless told of whose. */
  async newTrunk(wishes: Record<string, unknown> = {}, carrier_id?: number): Promise<Trunk> {
    const id = carrier_id ?? (await this.newCarrier()).carrier_id;
    const made = await this.operations.post<Trunk>(`/v1/admin/carriers/${id}/trunks`, {
      ...{ trunk_id: `trunk-${randomUUID().slice(0, 8)}`, host: 'sip.example.net' },
      ...wishes,
    });
    expect(made).toMatchObject({ status: 201 });
    return made.body;
  }

  patch<T = unknown>(path: string, version: number, body: unknown, client = this.operations): Promise<Reply<T>> {
    return client.ask<T>('PATCH', path, { body, version });
  }

  async logged(subject: string): Promise<{ action: string; detail: Record<string, unknown> }[]> {
    const { rows } = await this.world.pool.query<{ action: string; detail: Record<string, unknown> }>(
      'select action, detail from audit_log where subject = $1 order by seq',
      [subject],
    );
    return rows;
  }

  /** It is in no answer, neither in the log of who did what nor in ours. */
  async keeps(secret: string): Promise<void> {
    const { body } = await this.operations.get('/v1/admin/carriers');
    const { rows } = await this.world.pool.query<{ log: string; kept: string }>(
      `select (select string_agg(to_jsonb(a)::text, ' ') from audit_log a) as log,
              (select string_agg(to_jsonb(r)::text, ' ') from idempotent_request r) as kept`,
    );
    for (const told of [JSON.stringify(body), rows[0]?.log, rows[0]?.kept, JSON.stringify(this.world.logged)]) {
      expect(told).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  }

  async end(): Promise<void> {
    this.heard.end();
    await this.world.end();
  }
}

/** A problem of that name, in such words. */
export const refusal = (word: string, detail: RegExp | string): object => ({
  body: { type: `urn:letsdial:problem:${word}`, detail: expect.stringMatching(detail) as unknown },
});
