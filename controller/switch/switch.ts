/**
 * The port behind which every media node stands: Asterisk, FreeSWITCH, and a fake in memory.
 *
 * A plain call lives in the fast lane: the controller authorises it and names the B-leg, the switch itself bridges it and
 * ends it at the deadline it was armed with, whether or not a controller is alive. All times are the switch's own clock.
 * No type of ARI, AMI, ESL or SIP crosses this border.
 */

/** Where a call came from, as the switch authenticated it: a device by digest, a trunk by its address. */
export type CallSource = { kind: 'device'; device: string } | { kind: 'trunk'; trunk: string };

/** A call that waits in the switch for our decision. The A-leg is neither answered nor billed by anybody. */
export interface CallArrival {
  channel_id: string;
  source: CallSource;
  /** Exactly what was dialled, not yet normalised. */
  dialled: string;
  /** What the caller claims as its number; null when withheld. Never trusted. */
  claimed_caller: string | null;
  arrived_at_ms: number;
}

/** Whom the B-leg rings. Devices ring all at once, with all their registered contacts. */
export type BridgeTarget =
  | { kind: 'trunk'; trunk: string; number: string }
  | { kind: 'devices'; devices: readonly string[] }
  /** The switch answers by itself, greets, and keeps what the caller says under the call's id. Null greets as for everybody. */
  | { kind: 'voicemail'; greeting: string | null };

/** One attempt at the B-leg of a call. */
export interface BridgePlan {
  call_id: string;
  /** Counts from 1; each failover has its own. */
  attempt: number;
  target: BridgeTarget;
  /** Shown to the callee; null withholds the number. */
  caller_number: string | null;
  ring_timeout_ms: number;
  /** Counts from the answer; the switch ends the call by itself when it has passed. */
  limit_ms: number;
  /**
   * The emergency number that was dialled; null for any other call. The switch keeps it with the call and tells it again, since such a
   * call may go out though nothing of it could be stored.
   */
  help_code: string | null;
}

/** What the switch knows by itself of a call for help. */
export interface HelpCall {
  code: string;
  device: string;
  /** To the second at least. */
  arrived_at_ms: number;
}

/** A call that the switch makes by itself, to tell somebody digits: they are spoken one by one, twice, and the call is over. */
export interface SpokenCall {
  /** Ours to choose; no two calls have the same. */
  channel_id: string;
  call_id: string;
  trunk: string;
  number: string;
  /** Shown to who is called; null withholds the number. */
  caller_number: string | null;
  ring_timeout_ms: number;
  /** Counts from the answer; the switch ends the call by itself when it has passed. */
  limit_ms: number;
  digits: string;
  /** ISO 639-1; another one is spoken where the switch has no sounds of it. */
  language: string;
}

/** What a refused caller hears (as early media, never billed), and the cause the signalling carries. */
export interface Refusal {
  call_id: string;
  /** Null ends the call without a word: strangers learn nothing. */
  prompt: Prompt | null;
  /** Q.850 cause code. */
  cause: number;
}

export type Prompt =
  | 'no_money'
  | 'unknown_destination'
  | 'blocked'
  | 'routes_failed'
  | 'caller_id_not_allowed'
  | 'limit_reached'
  | 'spent_this_hour'
  | 'spent_today'
  | 'emergency_unavailable'
  | 'not_available'
  | 'try_later';

/** Why an attempt at the B-leg did not end in an answer. Who is to blame is decided by the call logic, not here. */
export interface AttemptFailure {
  /** Q.850 cause of the B-leg; 0 when the switch has none. */
  cause: number;
  /** Final SIP status of the B-leg; null when no final response came. */
  sip_status: number | null;
  /** Any response at all, a 100 included: without one the INVITE cannot have reached anybody. */
  responded: boolean;
  /** No contact to ring (no device registered, or no such trunk). */
  unreachable: boolean;
  /** The ringing timeout of the plan has passed. */
  timed_out: boolean;
}

export type SwitchEvent =
  | { type: 'arrived'; arrival: CallArrival }
  | { type: 'ringing'; channel_id: string; at_ms: number }
  | { type: 'answered'; channel_id: string; b_channel_id: string; at_ms: number }
  /** The B-leg failed and the A-leg waits for our next decision. */
  | {
      type: 'attempt_failed';
      channel_id: string;
      call_id: string;
      attempt: number;
      failure: AttemptFailure;
      at_ms: number;
    }
  /** The A-leg is gone. */
  | { type: 'ended'; channel_id: string; cause: number; at_ms: number }
  /**
   * The switch wrote its own record of a call that was given a plan: once a call, when its A-leg is gone, naming the last attempt;
   * also for calls that ended while nobody listened. A call that was refused has none.
   */
  | { type: 'recorded'; record: SwitchRecord }
  | { type: 'connected' }
  | { type: 'disconnected'; reason: string };

/** The switch's own record of one call (its CDR): what charging is settled from. */
export interface SwitchRecord {
  call_id: string;
  attempt: number;
  channel_id: string;
  /** When the A-leg arrived. */
  started_at_us: bigint;
  /** Null when never answered. */
  answered_at_us: bigint | null;
  ended_at_us: bigint;
  cause: number;
  /** Null for any other call. */
  help: HelpCall | null;
  /** Where the record ends in the switch's log: store it, and hand it to `connect` to go on from there. */
  position: string;
}

/** One call that is up in the switch, as reconciliation sees it. */
export interface LiveCall {
  /** The A-leg. */
  channel_id: string;
  /** Null for a channel that no plan of ours was given to. */
  call_id: string | null;
  attempt: number | null;
  b_channel_id: string | null;
  answered_at_ms: number | null;
  /** True while the A-leg waits for our decision and nothing runs in the switch. */
  waiting: boolean;
  /** Null for any other call. */
  help: HelpCall | null;
}

/** `gone`: the channel is no longer there, which is an ordinary race with a hang-up. Anything else is thrown. */
export type Reach = 'done' | 'gone';

export interface Switch {
  /**
   * Opens the connections and reads the switch's records after `record_position` (null: from the beginning).
   * Resolves when events flow; reconnects by itself with jittered backoff, telling by `disconnected` and `connected`.
   */
  connect(record_position: string | null): Promise<void>;
  onEvent(listener: (event: SwitchEvent) => void): void;
  bridge(channel_id: string, plan: BridgePlan): Promise<Reach>;
  refuse(channel_id: string, refusal: Refusal): Promise<Reach>;
  /**
   * Calls and speaks. It is followed like any call, with its one channel as both of its legs: `ringing`, `answered` and `ended`; one that
   * is not answered is told by `attempt_failed` and, as nothing waits for another attempt, by `ended`. It is made at most once: a promise
   * that rejects may have made it.
   */
  speak(call: SpokenCall): Promise<void>;
  /** Moves the deadline of an answered call: it ends `remaining_ms` after the switch takes the command. Both leg ids of `answered`. */
  armDeadline(channel_id: string, b_channel_id: string, remaining_ms: number): Promise<Reach>;
  /** Plays the warning tone to the A-leg only, beside the conversation. */
  warn(channel_id: string): Promise<Reach>;
  hangUp(channel_id: string, cause: number): Promise<Reach>;
  list(): Promise<readonly LiveCall[]>;
  /** A device or trunk was changed or revoked, or any of them when null: what the switch remembers of it counts no more. */
  forgetDevice(username: string | null): Promise<void>;
  /**
   * Has the switch read what it needs of these trunks, where it does not remember it, so that it can call over them while the
   * database is away. One that is not there is left out.
   */
  knowTrunks(trunks: readonly string[]): Promise<void>;
  /** The switch's wall clock now, for comparing with ours. Throws when it does not answer. */
  clock(): Promise<{ now_ms: number }>;
  /** True while commands can be given and events flow. */
  readonly healthy: boolean;
  close(): Promise<void>;
}
