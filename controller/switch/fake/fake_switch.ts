import type {
  BridgePlan,
  CallArrival,
  CallSource,
  LiveCall,
  Reach,
  Refusal,
  SpokenCall,
  Switch,
  SwitchEvent,
  SwitchRecord,
} from '../switch.ts';
import type { BehaviourOf } from './behaviour.ts';
import { FakeCall } from './fake_call.ts';
import { VirtualClock } from './virtual_clock.ts';

export interface FakeMachineOptions {
  clock?: VirtualClock;
  behaviour: BehaviourOf;
}

/**
 * The switch as a machine of its own: it goes on when the controller dies, and keeps its records. Several controllers,
 * each with a `FakeSwitch`, may connect to it one after the other.
 */
export class FakeMachine {
  readonly clock: VirtualClock;
  behaviour: BehaviourOf;
  readonly calls = new Map<string, FakeCall>();
  readonly records: SwitchRecord[] = [];
  /** Devices it was told to forget; null for all of them. */
  readonly forgotten: (string | null)[] = [];
  known_trunks: readonly string[] = [];
  readonly #ports = new Set<FakeSwitch>();
  #channel = 0;

  constructor({ clock, behaviour }: FakeMachineOptions) {
    this.clock = clock ?? new VirtualClock(1_800_000_000_000);
    this.behaviour = behaviour;
  }

  attach(port: FakeSwitch): void {
    this.#ports.add(port);
  }

  detach(port: FakeSwitch): void {
    this.#ports.delete(port);
  }

  #add(source: CallSource, spoken: SpokenCall | null): FakeCall {
    const call = new FakeCall(
      {
        clock: this.clock,
        behaviour: (plan) => this.behaviour(plan),
        emit: (event) => this.#emit(event),
        record: (record) => this.#record(record),
        nextChannelId: () => `fake-${++this.#channel}`,
        forget: ({ channel_id }) => this.calls.delete(channel_id),
      },
      source,
      spoken,
    );
    this.calls.set(call.channel_id, call);
    return call;
  }

  /** Calls that it was told to make by itself, oldest first. */
  readonly spoken: FakeCall[] = [];

  speak(spoken: SpokenCall): void {
    const call = this.#add({ kind: 'trunk', trunk: spoken.trunk }, spoken);
    this.spoken.push(call);
    call.speak(spoken);
  }

  arrive(source: CallSource, dialled: string, claimed_caller: string | null = null): FakeCall {
    const call = this.#add(source, null);
    const arrival: CallArrival = {
      channel_id: call.channel_id,
      source,
      dialled,
      claimed_caller,
      arrived_at_ms: this.clock.now_ms,
    };
    // Nobody can authorise a call while no controller listens: the switch answers 503.
    if ([...this.#ports].some((port) => port.healthy))
      this.clock.after(0, () => this.#emit({ type: 'arrived', arrival }));
    else this.clock.after(0, () => call.end(42));
    return call;
  }

  /** All ports lose their connection; `restore` brings them back. */
  cut(reason: string): void {
    for (const port of this.#ports) port.lose(reason);
  }

  restore(): void {
    for (const port of this.#ports) port.restore();
  }

  /** The switch's process is killed: channels are gone and were never recorded. */
  kill(): void {
    this.cut('the switch died');
    for (const call of this.calls.values()) call.vanish();
    this.calls.clear();
  }

  #emit(event: SwitchEvent): void {
    for (const port of this.#ports) port.deliver(event);
  }

  #record(record: Omit<SwitchRecord, 'position'>): void {
    this.records.push({ ...record, position: String(this.records.length + 1) });
    for (const port of this.#ports) port.readRecords();
  }
}

/** One controller's connection to a `FakeMachine`. */
export class FakeSwitch implements Switch {
  readonly #machine: FakeMachine;
  readonly #listeners: ((event: SwitchEvent) => void)[] = [];
  #connected = false;
  #position = 0;

  constructor(machine: FakeMachine) {
    this.#machine = machine;
  }

  get healthy(): boolean {
    return this.#connected;
  }

  connect(record_position: string | null): Promise<void> {
    this.#position = Number(record_position ?? '0');
    this.#machine.attach(this);
    this.restore();
    return Promise.resolve();
  }

  onEvent(listener: (event: SwitchEvent) => void): void {
    this.#listeners.push(listener);
  }

  bridge(channel_id: string, plan: BridgePlan): Promise<Reach> {
    return this.#command(channel_id, (call) => {
      if (!call.waiting) return 'gone';
      call.bridge(plan);
      return 'done';
    });
  }

  refuse(channel_id: string, { call_id, prompt, cause }: Refusal): Promise<Reach> {
    return this.#command(channel_id, (call) => {
      if (!call.waiting) return 'gone';
      if (prompt === null) call.end(cause);
      else call.refuse(call_id, prompt, cause);
      return 'done';
    });
  }

  async speak(call: SpokenCall): Promise<void> {
    this.#check();
    await Promise.resolve();
    this.#machine.speak(call);
  }

  armDeadline(channel_id: string, b_channel_id: string, remaining_ms: number): Promise<Reach> {
    return this.#command(channel_id, (call) => {
      if (call.attempt?.b_channel_id !== b_channel_id) return 'gone';
      call.armDeadline(remaining_ms);
      return 'done';
    });
  }

  warn(channel_id: string): Promise<Reach> {
    return this.#command(channel_id, (call) => {
      call.warnings += 1;
      return 'done';
    });
  }

  hangUp(channel_id: string, cause: number): Promise<Reach> {
    return this.#command(channel_id, (call) => {
      call.end(cause);
      return 'done';
    });
  }

  async list(): Promise<readonly LiveCall[]> {
    this.#check();
    await Promise.resolve();
    return [...this.#machine.calls.values()].map((call) => ({
      channel_id: call.channel_id,
      call_id: call.attempt?.plan.call_id ?? call.refusing_call_id,
      attempt: call.attempt?.plan.attempt ?? null,
      b_channel_id: call.attempt?.b_channel_id ?? null,
      answered_at_ms: call.attempt?.answered_at_ms ?? null,
      waiting: call.waiting,
      help: call.help,
    }));
  }

  async forgetDevice(username: string | null): Promise<void> {
    this.#check();
    await Promise.resolve();
    this.#machine.forgotten.push(username);
  }

  async knowTrunks(trunks: readonly string[]): Promise<void> {
    this.#check();
    await Promise.resolve();
    this.#machine.known_trunks = trunks;
  }

  async clock(): Promise<{ now_ms: number }> {
    this.#check();
    await Promise.resolve();
    return { now_ms: this.#machine.clock.now_ms };
  }

  close(): Promise<void> {
    this.#connected = false;
    this.#machine.detach(this);
    return Promise.resolve();
  }

  deliver(event: SwitchEvent): void {
    if (!this.#connected) return;
    for (const listener of this.#listeners) listener(event);
  }

  lose(reason: string): void {
    if (!this.#connected) return;
    this.deliver({ type: 'disconnected', reason });
    this.#connected = false;
  }

  restore(): void {
    if (this.#connected) return;
    this.#connected = true;
    this.readRecords();
    this.deliver({ type: 'connected' });
  }

  readRecords(): void {
    while (this.#connected) {
      const record = this.#machine.records[this.#position];
      if (record === undefined) return;
      this.#position += 1;
      this.deliver({ type: 'recorded', record });
    }
  }

  async #command(channel_id: string, run: (call: FakeCall) => Reach): Promise<Reach> {
    this.#check();
    // A command takes a moment: what it causes is never seen before it was awaited.
    await Promise.resolve();
    const call = this.#machine.calls.get(channel_id);
    return call === undefined ? 'gone' : run(call);
  }

  #check(): void {
    if (!this.#connected) throw new Error('The switch is not connected.');
  }
}
