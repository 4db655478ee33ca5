import type { Effect, Event, Machine, State, TimerName, TimerSettings } from './transaction_machine.ts';

type Outward = Exclude<Effect, { kind: 'start_timer' } | { kind: 'stop_timer' }>;

/** Runs one machine: owns its timers, hands every other effect to `perform`. */
export class MachineRunner {
  private readonly machine: Machine;
  private readonly settings: TimerSettings;
  private readonly perform: (effect: Outward) => void;
  private readonly timers = new Map<TimerName, NodeJS.Timeout>();
  private state: State;

  constructor(machine: Machine, settings: TimerSettings, perform: (effect: Outward) => void) {
    this.machine = machine;
    this.settings = settings;
    this.perform = perform;
    this.state = { phase: 'proceeding', interval_ms: settings.t1_ms };
  }

  get phase(): State['phase'] {
    return this.state.phase;
  }

  step(event: Event): void {
    const { state, effects } = this.machine(this.state, event, this.settings);
    this.state = state;
    for (const effect of effects) this.run(effect);
  }

  close(): void {
    for (const timer of this.timers.values()) clearTimeout(timer);
    this.timers.clear();
  }

  private run(effect: Effect): void {
    if (effect.kind === 'start_timer') {
      clearTimeout(this.timers.get(effect.timer));
      const { timer, after_ms } = effect;
      this.timers.set(
        timer,
        setTimeout(() => this.step({ kind: 'timer', timer }), after_ms),
      );
    } else if (effect.kind === 'stop_timer') {
      clearTimeout(this.timers.get(effect.timer));
      this.timers.delete(effect.timer);
    } else {
      if (effect.kind === 'forget') this.close();
      this.perform(effect);
    }
  }
}
