import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Caller, TargetName } from '../../../controller/switch/conformance.ts';
import type { BridgeTarget } from '../../../controller/switch/switch.ts';
import type { IncomingCall } from '../../sip/incoming_call.ts';
import type { OutgoingCall } from '../../sip/outgoing_call.ts';
import { Phone } from '../../sip/phone.ts';
import type { HeardPacket } from '../../sip/rtp.ts';
import type { StackAddresses } from './addresses.ts';
import type { LagMeter, Talked } from '../../world/lag_meter.ts';
import { TEST_PASSWORD } from './seed.ts';

export const DEVICES = ['alice', 'bob-desk', 'bob-mobile', 'carol-away'] as const;

/** The last three digits of a called number say what the carrier does with the call. */
const NUMBERS = { answers: '200', rings: '180', busy: '486', unavailable: '503', not_found: '404' } as const;

function number(suffix: string): string {
  return `+44163296${suffix}`;
}

export const TARGETS: Readonly<Record<TargetName, BridgeTarget>> = {
  answers: { kind: 'trunk', trunk: 'trunk-carrier', number: number(NUMBERS.answers) },
  rings: { kind: 'trunk', trunk: 'trunk-carrier', number: number(NUMBERS.rings) },
  busy: { kind: 'trunk', trunk: 'trunk-carrier', number: number(NUMBERS.busy) },
  unavailable: { kind: 'trunk', trunk: 'trunk-carrier', number: number(NUMBERS.unavailable) },
  not_found: { kind: 'trunk', trunk: 'trunk-carrier', number: number(NUMBERS.not_found) },
  silent: { kind: 'trunk', trunk: 'trunk-silent', number: number('000') },
  unreachable: { kind: 'devices', devices: ['carol-away'] },
  devices: { kind: 'devices', devices: ['bob-desk', 'bob-mobile', 'carol-away'] },
  mailbox: { kind: 'voicemail', greeting: null },
};

function behave(call: IncomingCall, answered: () => void): void {
  const status = Number(call.number.slice(-3));
  if (status >= 300) call.reject(status);
  else if (status === 200) {
    call.ring();
    setTimeout(() => void call.answer().then(answered), 100);
  } else call.ring();
}

/** A call of ours as a `Caller` of the suite. */
export class StackCaller implements Caller {
  readonly call: OutgoingCall;
  readonly #lag: LagMeter;

  constructor(call: OutgoingCall, lag: LagMeter) {
    this.call = call;
    this.#lag = lag;
  }

  hangUp(): void {
    void this.call.hangUp();
  }

  get ringing(): boolean {
    return this.call.record.ringing_at_ms !== undefined;
  }

  get early_media(): boolean {
    return this.call.record.early_media_at_ms !== undefined;
  }

  get answered(): boolean {
    return this.call.record.answered_at_ms !== undefined;
  }

  get ended(): { refused_with: number | null } | null {
    const ended = this.call.record.ended;
    return ended === undefined ? null : { refused_with: ended.status ?? null };
  }

  get talked(): Talked | null {
    return this.call.record.talked_ms === undefined ? null : this.#lag.talked(this.call.record);
  }
}

/** A caller, two phones of a callee, a carrier, and somebody who never says anything. */
export class People {
  readonly alice: Phone;
  readonly #others: readonly Phone[];
  readonly #silent: Socket;
  /** What the carrier's party that answered last hears. */
  #heard: readonly HeardPacket[] = [];

  private constructor(alice: Phone, others: readonly Phone[], silent: Socket) {
    this.alice = alice;
    this.#others = others;
    this.#silent = silent;
  }

  static async gather(addresses: StackAddresses, server: { address: string; port: number }): Promise<People> {
    const phone = (username: string): Promise<Phone> =>
      Phone.open({ username, password: TEST_PASSWORD, address: addresses.phones, server, sound: { kind: 'silence' } });
    const [alice, desk, mobile] = await Promise.all([phone('alice'), phone('bob-desk'), phone('bob-mobile')]);
    const sound = { kind: 'silence' } as const;
    const carrier = await Phone.open({ username: 'carrier', address: addresses.carrier, port: 5060, server, sound });
    mobile.onIncoming((call) => {
      call.ring();
      setTimeout(() => void call.answer(), 100);
    });
    for (const one of [alice, desk, mobile]) {
      const registration = await one.register();
      if (registration.kind !== 'registered')
        throw new Error(`A phone could not register: ${JSON.stringify(registration)}.`);
    }
    const silent = createSocket('udp4').bind(5060, addresses.silent);
    await once(silent, 'listening');
    const people = new People(alice, [desk, mobile, carrier], silent);
    carrier.onIncoming((call) => people.#behave(call));
    return people;
  }

  get carrierHears(): readonly HeardPacket[] {
    return this.#heard;
  }

  #behave(call: IncomingCall): void {
    behave(call, () => {
      this.#heard = call.recordSound();
    });
  }

  /** The party that answered last and still talks. */
  async hangUpCallee(): Promise<void> {
    const calls = this.#others.flatMap((phone) => phone.liveCalls);
    await calls.findLast((call) => call.record.answered_at_ms !== undefined)?.bye();
  }

  async hangUpAll(): Promise<void> {
    await Promise.all([this.alice, ...this.#others].map((phone) => phone.hangUpAll()));
  }

  async leave(): Promise<void> {
    await this.hangUpAll();
    await Promise.all([this.alice, ...this.#others].map((phone) => phone.close()));
    this.#silent.close();
    await once(this.#silent, 'close');
  }
}
