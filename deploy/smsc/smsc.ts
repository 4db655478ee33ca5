import type { Socket } from 'node:net';
import { Account } from './account.ts';
import { Agenda } from './agenda.ts';
import type { Behaviour } from './behaviour.ts';
import { Dice } from './dice.ts';
import type { Counts, BindFact } from './fact.ts';
import { FactLog } from './fact_log.ts';
import { Intake } from './intake.ts';
import { Link } from './link.ts';
import { Listener } from './listener.ts';
import { MessageIds } from './message_ids.ts';
import { RememberedMessages } from './message.ts';
import { MoSender } from './mo_sender.ts';
import type { MoOrder, MoResult } from './mo_order.ts';
import { Operations } from './operations.ts';
import { Outbox } from './outbox.ts';
import { Session } from './session.ts';
import type { SessionParts } from './session.ts';
import type { SmscSettings } from './settings.ts';
import { Turn } from './turn.ts';

const REMEMBERED_MESSAGES = 10_000;
const STOP_PATIENCE_MS = 500;

/** For a person who looks; a verdict comes from the log. */
export interface SmscState {
  listening: boolean;
  reading: boolean;
  sessions: {
    conn: number;
    peer: string;
    bound: { system_id: string; role: BindFact['role']; unanswered: number; unacknowledged: number } | null;
  }[];
  /** Texts that were accepted and have not come to their end: their receipts are still to be made. */
  unfinished: number;
  /** Receipts and MOs that were not sent yet, or are to be sent again. */
  waiting: Record<string, number>;
  counts: Counts;
}

/** The simulated carrier: its port, its connections, and all that it has promised. */
export class Smsc {
  readonly #log: FactLog;
  readonly #turn: Turn;
  readonly #agenda = new Agenda();
  readonly #intake: Intake;
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #sessions = new Set<Session>();
  readonly #session_parts: SessionParts;
  readonly #listener: Listener;
  readonly #mo: MoSender;
  #conn = 0;
  #reading = true;
  /** Ends the round of disconnections of the behaviour before. */
  #rounds = 0;
  #onAlone: () => void = () => undefined;

  constructor(settings: SmscSettings) {
    const { behaviour, accounts } = settings;
    const log = new FactLog(settings.log_file, settings.log);
    const dice = new Dice(settings.seed);
    const first = settings.first_message_number;
    const ids = first === null ? MessageIds.ofClock(Date.now()) : new MessageIds(first);
    const messages = new RememberedMessages(REMEMBERED_MESSAGES);
    this.#log = log;
    this.#turn = new Turn(log);
    this.#intake = new Intake({ log, agenda: this.#agenda, dice, ids, messages }, behaviour);
    this.#accounts = new Map(
      accounts.map(({ system_id, password }) => [
        system_id,
        new Account(system_id, password, new Outbox(log, this.#agenda, behaviour.deliveries)),
      ]),
    );
    this.#session_parts = {
      log,
      intake: this.#intake,
      operations: new Operations(log, messages),
      accounts: this.#accounts,
      onClosed: (session) => {
        this.#sessions.delete(session);
        if (this.#sessions.size === 0) this.#onAlone();
      },
    };
    this.#listener = new Listener(settings.address, settings.port, (socket) => this.#onSocket(socket));
    this.#mo = new MoSender(this.#accounts, this.#agenda, dice);
  }

  get port(): number {
    return this.#listener.port;
  }

  get behaviour(): Behaviour {
    return this.#intake.behaviour;
  }

  get counts(): Counts {
    return this.#log.counts;
  }

  get state(): SmscState {
    return {
      listening: this.#listener.is_open,
      reading: this.#reading,
      sessions: Array.from(this.#sessions, ({ conn, peer, bound }) => ({ conn, peer, bound })),
      unfinished: this.#intake.unfinished,
      waiting: Object.fromEntries(Array.from(this.#accounts, ([name, { outbox }]) => [name, outbox.waiting])),
      counts: this.counts,
    };
  }

  async start(): Promise<void> {
    await this.#listener.open();
    this.#log.started(this.port);
    this.behave(this.#intake.behaviour);
  }

  /** From the next text on; texts that were accepted keep to what they met. */
  behave(behaviour: Behaviour): void {
    this.#intake.behaviour = behaviour;
    this.#log.rare({ t: 'behaviour', behaviour });
    for (const { outbox, throttle } of this.#accounts.values()) {
      throttle.refill();
      outbox.behave(behaviour.deliveries);
    }
    this.#rounds += 1;
    if (behaviour.disconnect_every_ms !== null) this.#dropAgain(behaviour.disconnect_every_ms, this.#rounds);
  }

  /** Resets all connections; how many there were. */
  disconnect(): number {
    const sessions = [...this.#sessions];
    for (const { link } of sessions) link.drop();
    return sessions.length;
  }

  /** Off: the port is closed and every connection reset, as of a carrier that is down. */
  async listen(on: boolean): Promise<void> {
    if (on) {
      await this.#listener.open();
    } else {
      this.#listener.close();
      this.disconnect();
    }
    this.#log.rare({ t: 'listen', on });
  }

  /** Off: nothing is read of any connection, so that what ESMEs send piles up in their sockets. */
  read(on: boolean): void {
    this.#reading = on;
    for (const { link } of this.#sessions) link.hold(!on);
  }

  /** Null where nobody has that system_id. */
  sendMo(order: MoOrder): Promise<MoResult> | null {
    return this.#mo.send(order);
  }

  /** Before anybody is told over another way than a connection: nobody may know of something that is not in the log. */
  writeLog(): void {
    this.#log.flush();
  }

  /** Ends every connection in good order, those of peers that do not answer by force, and closes the log. */
  async stop(): Promise<void> {
    this.#listener.close();
    this.#agenda.close();
    for (const { link } of this.#sessions) link.end('stopped');
    await this.#untilAlone(STOP_PATIENCE_MS);
    this.disconnect();
    await this.#untilAlone(STOP_PATIENCE_MS);
    this.#turn.run();
    this.#log.close();
  }

  /** Resolves when no connection is left, or the time is over. */
  async #untilAlone(patience_ms: number): Promise<void> {
    if (this.#sessions.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patience_ms);
      this.#onAlone = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #dropAgain(every_ms: number, round: number): void {
    this.#agenda.after(every_ms, () => {
      if (round !== this.#rounds) return;
      this.disconnect();
      this.#dropAgain(every_ms, round);
    });
  }

  #onSocket(socket: Socket): void {
    this.#conn += 1;
    const peer = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    const session = new Session(this.#conn, peer, new Link(socket, this.#turn, this.#log), this.#session_parts);
    this.#sessions.add(session);
    if (!this.#reading) session.link.hold(true);
  }
}
