import { connect } from 'ari-client';
import type { Client } from 'ari-client';
import { STASIS_APP } from '../../../dialplan/asterisk/contract.ts';

/** What is left in the switch. */
export interface Remains {
  channels: string[];
  bridges: string[];
  /** Channels the application is still subscribed to one by one: they would pile up for ever. */
  subscriptions: string[];
}

/** A switch whose ARI can be asked. */
export interface Watched {
  adapter: { ari: { url: string; user: string; password: string } };
}

/** Asks the switch by a client that shares no code with the adapter under test. */
export class Witness {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  static async open({ adapter }: Watched): Promise<Witness> {
    return new Witness(await connect(adapter.ari.url, adapter.ari.user, adapter.ari.password));
  }

  /** The switch knows no application between a controller that it lost and the one that connects again. */
  async calls(): Promise<Pick<Remains, 'channels' | 'bridges'>> {
    const [channels, bridges] = await Promise.all([this.#client.channels.list(), this.#client.bridges.list()]);
    return { channels: channels.map(({ name }) => name), bridges: bridges.map(({ id }) => id) };
  }

  /** Of a switch that a controller is connected to. */
  async remains(): Promise<Remains> {
    const [calls, application] = await Promise.all([
      this.calls(),
      this.#client.applications.get({ applicationName: STASIS_APP }),
    ]);
    return {
      ...calls,
      // With a subscription to all, the list names that as one.
      subscriptions: application.channel_ids.filter((id) => id !== '__AST_CHANNEL_ALL_TOPIC'),
    };
  }
}
