import type { Caller, Harness, TargetName } from '../conformance.ts';
import type { BridgePlan, BridgeTarget, SwitchEvent } from '../switch.ts';
import { failsWith } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import type { FakeCall } from './fake_call.ts';
import { FakeMachine, FakeSwitch } from './fake_switch.ts';

/** Numbers whose parties do what the suite asks of them. */
const BEHAVIOUR_OF_NUMBER: Readonly<Record<string, Behaviour>> = {
  answers: { kind: 'answers', ring_after_ms: 20, answer_after_ms: 120 },
  rings: { kind: 'rings', ring_after_ms: 20 },
  busy: failsWith(486, 17),
  unavailable: failsWith(503, 34),
  not_found: failsWith(404, 1),
  silent: { kind: 'silent' },
};

/** What a phone is told for each cause of a call that was never answered. */
const STATUS_OF_CAUSE: Readonly<Record<number, number>> = { 17: 486, 21: 403, 34: 503, 42: 503 };

function behaviourOf({ target }: BridgePlan): Behaviour {
  if (target.kind === 'voicemail') return { kind: 'answers', ring_after_ms: 1, answer_after_ms: 2 };
  if (target.kind === 'trunk') return BEHAVIOUR_OF_NUMBER[target.number] ?? { kind: 'unreachable' };
  return target.devices.includes('at-home')
    ? { kind: 'answers', ring_after_ms: 20, answer_after_ms: 80 }
    : { kind: 'unreachable' };
}

function trunk(number: string): BridgeTarget {
  return { kind: 'trunk', trunk: 'trunk-one', number };
}

const TARGETS: Readonly<Record<TargetName, BridgeTarget>> = {
  answers: trunk('answers'),
  rings: trunk('rings'),
  busy: trunk('busy'),
  unavailable: trunk('unavailable'),
  not_found: trunk('not_found'),
  silent: trunk('silent'),
  unreachable: { kind: 'devices', devices: ['away'] },
  devices: { kind: 'devices', devices: ['at-home', 'away'] },
  mailbox: { kind: 'voicemail', greeting: null },
};

class FakeCaller implements Caller {
  readonly #call: FakeCall;
  #answered_at_ms: number | null = null;

  constructor(call: FakeCall) {
    this.#call = call;
  }

  hangUp(): void {
    this.#call.end(16);
  }

  get ringing(): boolean {
    return this.#call.ringing;
  }

  get early_media(): boolean {
    return this.#call.prompts.length > 0;
  }

  get answered(): boolean {
    this.#answered_at_ms = this.#call.attempt?.answered_at_ms ?? this.#answered_at_ms;
    return this.#answered_at_ms !== null;
  }

  get ended(): { refused_with: number | null } | null {
    const cause = this.#call.ended_cause;
    if (cause === null) return null;
    return { refused_with: this.answered ? null : (STATUS_OF_CAUSE[cause] ?? null) };
  }

  get talked(): { least_ms: number; most_ms: number } | null {
    const ended_at_ms = this.#call.ended_at_ms;
    if (!this.answered || ended_at_ms === null) return null;
    const talked_ms = ended_at_ms - (this.#answered_at_ms ?? 0);
    return { least_ms: talked_ms, most_ms: talked_ms };
  }
}

/** The suite's people around the fake. Time passes only inside `until`. */
export class FakeHarness implements Harness {
  readonly port: FakeSwitch;
  readonly events: SwitchEvent[] = [];
  readonly device = 'alice';
  readonly targets = TARGETS;
  readonly tolerance_ms = 0;
  readonly #machine: FakeMachine;
  readonly #calls: FakeCall[] = [];

  private constructor(machine: FakeMachine) {
    this.#machine = machine;
    this.port = new FakeSwitch(machine);
    this.port.onEvent((event) => this.events.push(event));
  }

  static async open(): Promise<FakeHarness> {
    const harness = new FakeHarness(new FakeMachine({ behaviour: behaviourOf }));
    await harness.port.connect(null);
    return harness;
  }

  dial(dialled: string): Promise<Caller> {
    const call = this.#machine.arrive({ kind: 'device', device: this.device }, dialled);
    this.#calls.push(call);
    return Promise.resolve(new FakeCaller(call));
  }

  hangUpCallee(): Promise<void> {
    this.#calls.findLast((call) => call.answered)?.end(16);
    return Promise.resolve();
  }

  digitsHeard(): string {
    return this.#machine.spoken.at(-1)?.digits_heard ?? '';
  }

  warningsHeard(): number {
    return this.#calls.reduce((sum, call) => sum + call.warnings, 0);
  }

  async until<T>(what: string, look: () => T | null | undefined | false, within_ms: number): Promise<T> {
    for (let waited_ms = 0; waited_ms <= within_ms; waited_ms += 1) {
      const found = look();
      if (found !== null && found !== undefined && found !== false) return found;
      await this.#machine.clock.advance(1);
    }
    throw new Error(`${what} did not come within ${within_ms} ms.`);
  }

  cut(): Promise<void> {
    this.#machine.cut('the connection was cut');
    this.#machine.clock.after(200, () => this.#machine.restore());
    return Promise.resolve();
  }

  async replay(position: string | null): Promise<readonly SwitchEvent[]> {
    const events: SwitchEvent[] = [];
    const port = new FakeSwitch(this.#machine);
    port.onEvent((event) => events.push(event));
    await port.connect(position);
    await port.close();
    return events;
  }

  close(): Promise<void> {
    return this.port.close();
  }
}
