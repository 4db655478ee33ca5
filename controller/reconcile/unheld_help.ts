import type { Logger } from 'pino';
import { recordedCalls } from '../../domain/calls/settled_calls.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { firstGrant } from '../call/holding.ts';
import type { CallPlan } from '../call/plan.ts';
import type { CallSettings } from '../call/state.ts';
import type { CallArrival, HelpCall, SwitchRecord } from '../switch/switch.ts';
import { foundForHelp } from './adopt.ts';
import type { FoundCall } from './adopt.ts';

export interface UnheldHelpOptions {
  db: Queryable;
  /** What is decided about such a call; null where the device or the route is there no more. */
  planOf: (arrival: CallArrival, device: string) => Promise<CallPlan | null>;
  settings: CallSettings;
  onFinding: (finding: 'help_without_hold') => void;
  log: Logger;
}

/**
 * Calls for help that went out while nothing could be stored, and whose controller is gone. What the switch kept with them, and what is
 * known of the device, makes them calls like any other again, so that they end in a record.
 */
export class UnheldHelp {
  readonly #options: UnheldHelpOptions;
  /** Those that were found and could not be made calls of ours, each told once. */
  readonly #left_alone = new Set<string>();

  constructor(options: UnheldHelpOptions) {
    this.#options = options;
  }

  /** Null: nothing is known of it any more, and it is left alone. The switch ends it at its deadline. */
  async find(call: { call_id: string; channel_id: string; help: HelpCall }): Promise<FoundCall | null> {
    const { planOf, settings, onFinding, log } = this.#options;
    const { call_id, channel_id, help } = call;
    const { code, device, arrived_at_ms } = help;
    if (this.#left_alone.has(call_id)) return null;
    const arrival = {
      ...{ channel_id, dialled: code, claimed_caller: null, arrived_at_ms },
      source: { kind: 'device', device },
    } as const;
    const plan = await planOf(arrival, device);
    const held = plan === null ? null : firstGrant(plan, settings, null);
    onFinding('help_without_hold');
    if (plan === null || held === null) {
      this.#left_alone.add(call_id);
      log.warn({ call_id, device }, 'a call for help has no record: its phone or its route is there no more');
      return null;
    }
    log.info({ call_id }, 'adopted a call for help, for which nothing is held');
    return foundForHelp({ call_id, channel_id, plan }, held);
  }

  async unrecorded(records: readonly SwitchRecord[]): Promise<readonly SwitchRecord[]> {
    if (records.length === 0) return [];
    const recorded = await recordedCalls(
      this.#options.db,
      records.map(({ call_id }) => call_id),
    );
    return records.filter(({ call_id }) => !recorded.has(call_id));
  }
}
