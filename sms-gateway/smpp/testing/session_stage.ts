import type { CloseReason } from '../close_reason.ts';
import type { BindBody, Header, PduBody } from '../pdu.ts';
import { Session } from '../session.ts';
import type { BindAnswer, Bound, Respond, ServedPdu } from '../session_owner.ts';
import { SESSION_DEFAULTS } from '../session_settings.ts';
import type { SessionSettings } from '../session_settings.ts';
import type { BindMode, Role } from '../session_state.ts';
import { NO_TLVS } from '../tlv.ts';
import type { RequestOutcome, Requester } from '../window.ts';
import { FakeClock } from './fake_clock.ts';
import { FakeWire } from './fake_wire.ts';
import { sampleBind } from './sample.ts';

const BIND = { tx: 'bind_transmitter', rx: 'bind_receiver', trx: 'bind_transceiver' } as const;
const BIND_RESP = { tx: 'bind_transmitter_resp', rx: 'bind_receiver_resp', trx: 'bind_transceiver_resp' } as const;

/** A session whose connection and clock are the test's. */
export interface SessionStage {
  session: Session;
  wire: FakeWire;
  clock: FakeClock;
  settings: SessionSettings;
  binds: { pdu: BindBody & Header; answer: (answer: BindAnswer) => void }[];
  bounds: Bound[];
  requests: { pdu: ServedPdu; respond: Respond }[];
  alerts: string[];
  closes: CloseReason[];
  invitations: number;
}

export function sessionStage(role: Role, changes: Partial<SessionSettings> = {}): SessionStage {
  const settings = { ...SESSION_DEFAULTS, ...changes };
  const clock = new FakeClock();
  const told = { binds: [], bounds: [], requests: [], alerts: [], closes: [], invitations: 0 } as Pick<
    SessionStage,
    'binds' | 'bounds' | 'requests' | 'alerts' | 'closes' | 'invitations'
  >;
  const wires: FakeWire[] = [];
  const session = new Session({
    role,
    settings,
    clock,
    owner: {
      onBindRequest: (pdu, answer) => told.binds.push({ pdu, answer }),
      onBound: (bound) => told.bounds.push(bound),
      onRequest: (pdu, respond) => told.requests.push({ pdu, respond }),
      onAlert: (pdu) => told.alerts.push(pdu.source_addr),
      onCanSend: () => (told.invitations += 1),
      onClosed: (reason) => told.closes.push(reason),
    },
    openWire: (listener) => {
      const wire = new FakeWire(listener, clock);
      wires.push(wire);
      return wire;
    },
  });
  const [wire] = wires;
  if (wire === undefined) throw new Error('The session did not open its wire.');
  return Object.assign(told, { session, wire, clock, settings });
}

/** The same, bound. */
export function boundStage(role: Role, mode: BindMode, changes: Partial<SessionSettings> = {}): SessionStage {
  const stage = sessionStage(role, changes);
  const { session, wire } = stage;
  if (role === 'smsc') {
    wire.hear(sampleBind({ command: BIND[mode] }), 1);
    stage.binds[0]?.answer({ kind: 'accepted', system_id: 'letsdial' });
  } else {
    session.bind(sampleBind({ command: BIND[mode] }));
    const response: PduBody = { command: BIND_RESP[mode], system_id: 'carrier', tlvs: NO_TLVS };
    wire.hear(response, wire.last?.sequence_number ?? 0);
  }
  wire.written.length = 0;
  return stage;
}

/** Writes down how a request ended. */
export class RecordingRequester implements Requester {
  readonly outcomes: RequestOutcome[] = [];
  readonly late: string[] = [];

  onOutcome(outcome: RequestOutcome): void {
    this.outcomes.push(outcome);
  }

  onLateResponse(pdu: { command: string; message_id?: string | null }): void {
    this.late.push(pdu.message_id ?? pdu.command);
  }
}
