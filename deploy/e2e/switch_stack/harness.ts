import { join } from 'node:path';
import { AsteriskSwitch } from '../../../controller/switch/asterisk/asterisk_switch.ts';
import { RecordTail } from '../../../controller/switch/asterisk/record_tail.ts';
import type { Caller, Harness } from '../../../controller/switch/conformance.ts';
import type { SwitchEvent } from '../../../controller/switch/switch.ts';
import { DigitEar } from '../../sip/spoken_digits.ts';
import { BreakableLink } from './breakable.ts';
import { LagMeter } from '../../world/lag_meter.ts';
import { People, StackCaller, TARGETS } from './people.ts';
import type { SwitchStack } from './stack.ts';
import type { Witness } from './witness.ts';

const LOOK_EVERY_MS = 10;
const LEFT_WITHIN_MS = 2_000;

/** The suite's people around a real Asterisk. */
export class StackHarness implements Harness {
  readonly port: AsteriskSwitch;
  readonly events: SwitchEvent[] = [];
  readonly device = 'alice';
  readonly targets = TARGETS;
  /** Two processes and a scheduler that is shared with them lie between the clocks. */
  readonly tolerance_ms = 80;
  readonly problems: Error[] = [];
  readonly #stack: SwitchStack;
  readonly #people: People;
  readonly #witness: Witness;
  readonly #callers: StackCaller[] = [];
  readonly #lag = new LagMeter();
  readonly #links: readonly BreakableLink[];

  private constructor(stack: SwitchStack, people: People, witness: Witness, ari: BreakableLink, ami: BreakableLink) {
    this.#stack = stack;
    this.#people = people;
    this.#witness = witness;
    this.#links = [ari, ami];
    const { adapter, addresses } = stack;
    const options = {
      ...adapter,
      ari: { ...adapter.ari, url: `http://${addresses.switch}:${ari.port}` },
      ami: { ...adapter.ami, port: ami.port },
      problem: (error: Error) => this.problems.push(error),
    };
    this.port = new AsteriskSwitch(options, () => false);
    this.port.onEvent((event) => this.events.push(event));
  }

  static async open(stack: SwitchStack, people: People, witness: Witness): Promise<StackHarness> {
    const host = stack.addresses.switch;
    const ari = await BreakableLink.open(host, stack.options.http.port);
    const ami = await BreakableLink.open(host, stack.options.ami.port);
    const harness = new StackHarness(stack, people, witness, ari, ami);
    await harness.port.connect(null);
    return harness;
  }

  dial(dialled: string): Promise<Caller> {
    const caller = new StackCaller(this.#people.alice.call(dialled), this.#lag);
    this.#callers.push(caller);
    return Promise.resolve(caller);
  }

  hangUpCallee(): Promise<void> {
    return this.#people.hangUpCallee();
  }

  digitsHeard(): string {
    return new DigitEar(join(this.#stack.options.directories.data, 'sounds/en')).digitsIn(this.#people.carrierHears);
  }

  warningsHeard(): number {
    return this.#callers.filter((caller) => caller.call.isLive && (caller.call.rtp?.tone_ms ?? 0) > 0).length;
  }

  async until<T>(what: string, look: () => T | null | undefined | false, within_ms: number): Promise<T> {
    const deadline_ms = performance.now() + within_ms;
    for (;;) {
      const found = look();
      if (found !== null && found !== undefined && found !== false) return found;
      if (performance.now() > deadline_ms) {
        const told = this.events.map((event) => JSON.stringify(event, plain)).join('\n');
        throw new Error(`${what} did not come within ${within_ms} ms. Told so far:\n${told}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  cut(): Promise<void> {
    for (const link of this.#links) link.tear();
    return Promise.resolve();
  }

  /** By the adapter's reader alone: a second port would take the application away from the first. */
  async replay(position: string | null): Promise<readonly SwitchEvent[]> {
    const events: SwitchEvent[] = [];
    const tail = new RecordTail(this.#stack.adapter.cdr_file, position, {
      record: (record) => events.push({ type: 'recorded', record }),
      problem: (error) => this.problems.push(error),
    });
    await tail.start();
    await tail.stop();
    return events;
  }

  async close(): Promise<void> {
    await this.#people.hangUpAll();
    for (const { channel_id } of await this.port.list()) await this.port.hangUp(channel_id, 16);
    await this.#expectNothingLeft();
    await this.port.close();
    this.#lag.stop();
    for (const link of this.#links) await link.close();
    if (this.problems.length > 0) throw new AggregateError(this.problems, 'The adapter met problems.');
  }

  async #expectNothingLeft(): Promise<void> {
    const deadline_ms = performance.now() + LEFT_WITHIN_MS;
    for (;;) {
      const left = await this.#witness.remains();
      if (Object.values(left).every((list: string[]) => list.length === 0)) return;
      if (performance.now() > deadline_ms) throw new Error(`The switch still holds ${JSON.stringify(left)}.`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
