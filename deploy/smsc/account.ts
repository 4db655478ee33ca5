import type { Outbox } from './outbox.ts';
import { Throttle } from './throttle.ts';

/** Who may bind, and what the carrier keeps for him over his connections. */
export class Account {
  readonly system_id: string;
  readonly password: string;
  readonly outbox: Outbox;
  readonly throttle = new Throttle();

  constructor(system_id: string, password: string, outbox: Outbox) {
    this.system_id = system_id;
    this.password = password;
    this.outbox = outbox;
  }
}
