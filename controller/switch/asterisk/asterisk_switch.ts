import { randomInt } from 'node:crypto';
import { REFUSAL_CONTEXT_PREFIX, STASIS_APP, WARNING_CONTEXT } from '../../../dialplan/asterisk/contract.ts';
import type { PROMPT_SOUNDS } from '../../../dialplan/asterisk/prompts.ts';
import type { BridgePlan, LiveCall, Prompt, Reach, Refusal, SpokenCall, Switch, SwitchEvent } from '../switch.ts';
import type { AriReply } from './ari_socket.ts';
import type { AmiMessage } from './ami_message.ts';
import type { CallEvent } from './call_event.ts';
import type { AriEvent } from './ari_event.ts';
import { backoffMs } from './backoff.ts';
import { HeardCalls } from './heard_calls.ts';
import { isAnswered, liveCalls } from './live_calls.ts';
import { SwitchLost } from '../lost.ts';
import type { AsteriskSwitchOptions } from './options.ts';
import { NO_ATTEMPT, accountCode, checkedDevice, continuation, origination } from './plan.ts';
import type { Continuation } from './plan.ts';
import { RecordTail } from './record_tail.ts';
import { registeredPhones } from './registered_phones.ts';
import { Session } from './session.ts';

/** The names of trunks begin so, and no device's does. */
const TRUNK = 'trunk-';
const TRUNK_ADDRESSES = { Action: 'SorceryMemoryCachePopulate', Cache: 'res_pjsip/identify' };

/** That ring at once. */
const PHONES_MAX = 20;

/** Fails to compile when a prompt of the port has no sound, or a sound no prompt. */
const PROMPT_CONTEXT = (prompt: Prompt & keyof typeof PROMPT_SOUNDS): string => `${REFUSAL_CONTEXT_PREFIX}${prompt}`;

/** Plain calls on one Asterisk: authorised over ARI, bridged by the dialplan, re-armed over AMI, settled from the CDR file. */
export class AsteriskSwitch implements Switch {
  readonly #options: AsteriskSwitchOptions;
  readonly #listeners: ((event: SwitchEvent) => void)[] = [];
  readonly #heard = new HeardCalls();
  #session: Session | null = null;
  #tail: RecordTail | null = null;
  #reconnect: NodeJS.Timeout | null = null;
  #attempt = 0;
  #closed = false;
  readonly #isCarrier: (address: string) => boolean;

  /** @param isCarrier whether a carrier may be at that IP address: no phone is. */
  constructor(options: AsteriskSwitchOptions, isCarrier: (address: string) => boolean) {
    this.#options = options;
    this.#isCarrier = isCarrier;
  }

  get healthy(): boolean {
    return this.#session !== null;
  }

  onEvent(listener: (event: SwitchEvent) => void): void {
    this.#listeners.push(listener);
  }

  async connect(record_position: string | null): Promise<void> {
    this.#tail = new RecordTail(this.#options.cdr_file, record_position, {
      record: (record) => this.#tell({ type: 'recorded', record }),
      problem: (error) => this.#options.problem(error),
    });
    await this.#tail.start();
    await this.#open();
  }

  async bridge(channel_id: string, plan: BridgePlan): Promise<Reach> {
    const { target } = plan;
    const phones = target.kind === 'devices' ? await this.#phonesOf(target.devices) : [];
    return await this.#continue(channel_id, continuation(plan, phones));
  }

  async refuse(channel_id: string, refusal: Refusal): Promise<Reach> {
    if (refusal.prompt === null) return await this.hangUp(channel_id, refusal.cause);
    return await this.#continue(channel_id, {
      context: PROMPT_CONTEXT(refusal.prompt),
      extension: String(refusal.cause),
      variables: [
        {
          name: 'CHANNEL(accountcode)',
          value: accountCode({ call_id: refusal.call_id, attempt: NO_ATTEMPT, help_code: null }),
        },
      ],
    });
  }

  /** A channel that cannot even be made, as there is no such trunk, is told like one that reached nobody. */
  async speak(call: SpokenCall): Promise<void> {
    const { channel_id, call_id } = call;
    const { uri, body } = origination(call);
    const { ari } = this.#live();
    // Known before it is there: its end can be told before the request is answered.
    this.#heard.found(channel_id, channel_id);
    const { status } = await ari.request('POST', uri, body);
    if (status >= 200 && status < 300) return;
    const at_ms = await this.#live().clock();
    const failure = { cause: 0, sip_status: null, responded: false, unreachable: true, timed_out: false };
    this.#hear({ type: 'unspoken', channel_id, name: channel_id, call_id, attempt: 1, failure, at_ms });
    this.#hear({ type: 'gone', channel_id, cause: 0, at_ms });
  }

  /** On the B channel: `L()` armed that one, and the same on the A channel has no effect. */
  async armDeadline(_channel_id: string, b_channel_id: string, remaining_ms: number): Promise<Reach> {
    // Zero would disarm it: what is already over ends in a millisecond.
    const seconds = (Math.max(1, Math.round(remaining_ms)) / 1000).toFixed(3);
    const { message } = await this.#live().ami.action({
      Action: 'Setvar',
      Channel: b_channel_id,
      Variable: 'TIMEOUT(absolute)',
      Value: seconds,
    });
    return changed(message);
  }

  /** The whisper channel runs in the dialplan, plays and hangs up by itself: nothing is left when we die meanwhile. */
  async warn(channel_id: string): Promise<Reach> {
    const query = new URLSearchParams({ spy: 'none', whisper: 'out', app: STASIS_APP });
    return reach(
      await this.#live().ari.request('POST', `channels/${encodeURIComponent(channel_id)}/snoop?${query.toString()}`),
    );
  }

  async hangUp(channel_id: string, cause: number): Promise<Reach> {
    return reach(
      await this.#live().ari.request('DELETE', `channels/${encodeURIComponent(channel_id)}?reason_code=${cause}`),
    );
  }

  async list(): Promise<readonly LiveCall[]> {
    const session = this.#live();
    const channels = await session.channels();
    this.#heard.listed(new Set(channels.map((channel) => channel.get('Uniqueid') ?? '')));
    const calls = liveCalls(channels, (id) => this.#heard.get(id));
    return await Promise.all(calls.map((call) => this.#withAnswerTime(session, call)));
  }

  async clock(): Promise<{ now_ms: number }> {
    return { now_ms: await this.#live().clock() };
  }

  /** The switch would serve a revoked device from its cache for a day. */
  async forgetDevice(username: string | null): Promise<void> {
    const { ami } = this.#live();
    const action =
      username === null
        ? { Action: 'SorceryMemoryCacheExpire' }
        : { Action: 'SorceryMemoryCacheExpireObject', Object: username };
    for (const kind of ['endpoint', 'auth', 'aor']) {
      // The object may not be cached, which is as good: no reply but a lost connection matters.
      await ami.action({ ...action, Cache: `res_pjsip/${kind}` });
    }
    // Left to itself it reads the addresses of trunks again after a call that it judged by the old ones.
    if (username?.startsWith(TRUNK) === true) await ami.action(TRUNK_ADDRESSES);
  }

  /** Showing a trunk reads its endpoint, its address and its login through the cache, which keeps them. */
  async knowTrunks(trunks: readonly string[]): Promise<void> {
    const { ami } = this.#live();
    for (const trunk of trunks) await ami.action({ Action: 'PJSIPShowEndpoint', Endpoint: trunk });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#reconnect !== null) clearTimeout(this.#reconnect);
    const session = this.#session;
    this.#session = null;
    session?.close();
    await this.#tail?.stop();
  }

  #live(): Session {
    if (this.#session === null) throw new SwitchLost('The switch is not connected.');
    return this.#session;
  }

  /**
   * All requests go over AMI, which finds the channel by its name and carries them out in their order, so the last need not
   * wait for the first. ARI's own request for a variable looks at every channel that is up and hands it to the channel's
   * thread, one request after another: a queue on a busy switch.
   */
  async #continue(id: string, { context, extension, variables }: Continuation): Promise<Reach> {
    const { ami } = this.#live();
    const Channel = this.#heard.get(id)?.name ?? id;
    const replies = await Promise.all([
      ...variables.map(({ name, value }) => ami.action({ Action: 'Setvar', Channel, Variable: name, Value: value })),
      ami.action({ Action: 'Redirect', Channel, Context: context, Exten: extension, Priority: '1' }),
    ]);
    return replies.some(({ message }) => changed(message) === 'gone') ? 'gone' : 'done';
  }

  /** As peers of `Dial`. A device that nobody is registered as has none. */
  async #phonesOf(devices: readonly string[]): Promise<readonly string[]> {
    const { ami } = this.#live();
    const phones = await Promise.all(
      devices.map(async (device) => {
        const { list } = await ami.action({ Action: 'PJSIPShowEndpoint', Endpoint: checkedDevice(device) });
        const { peers, refused } = registeredPhones(device, list, this.#isCarrier);
        if (refused > 0) {
          const why = 'a Contact that is no phone of the sender: a name, a carrier, or what is no URI of a phone';
          this.#options.problem(new Error(`${device} is not called at ${refused} of its registrations, ${why}.`));
        }
        return peers;
      }),
    );
    return phones.flat().slice(0, PHONES_MAX);
  }

  async #withAnswerTime(session: Session, call: LiveCall): Promise<LiveCall> {
    if (!isAnswered(call) || call.answered_at_ms !== null) return call;
    const { channel_id, b_channel_id } = call;
    const name = this.#heard.get(channel_id)?.name ?? channel_id;
    const { message } = await session.ami.action({ Action: 'Getvar', Channel: name, Variable: 'CDR(answer,u)' });
    const seconds = Number(message.get('Value') ?? '0');
    if (!(seconds > 0)) return call;
    const answered_at_ms = Math.round(seconds * 1000);
    this.#heard.found(channel_id, name, { b_channel_id, answered_at_ms });
    return { ...call, answered_at_ms };
  }

  async #open(): Promise<void> {
    let opened: Session | null = null;
    this.#heard.clear();
    const session = await Session.open(
      this.#options,
      {
        whisper: (event) => this.#whisper(event),
        call: (event) => this.#hear(event),
      },
      (reason) => this.#lost(opened, reason),
    );
    opened = session;
    const present = await session.channels();
    if (session.closed) throw new SwitchLost('The switch closed the connection while it was asked for its channels.');
    const names = new Map(present.map((channel) => [channel.get('Uniqueid'), channel.get('Channel')]));
    for (const { channel_id } of liveCalls(present, () => undefined))
      // One that began while the list was on its way was heard of already.
      if (this.#heard.get(channel_id) === undefined) this.#heard.found(channel_id, names.get(channel_id) ?? channel_id);
    this.#session = session;
    this.#attempt = 0;
    this.#tell({ type: 'connected' });
  }

  #lost(session: Session | null, reason: string): void {
    if (this.#closed || session === null || session !== this.#session) return;
    this.#session = null;
    this.#tell({ type: 'disconnected', reason });
    this.#later();
  }

  #later(): void {
    const random = (): number => randomInt(1_000_000) / 1_000_000;
    const wait_ms = backoffMs(this.#attempt++, this.#options.reconnect_ms, random);
    this.#reconnect = setTimeout(() => {
      this.#open().catch((error: unknown) => {
        if (this.#closed) return;
        this.#options.problem(error instanceof Error ? error : new Error(String(error)));
        this.#later();
      });
    }, wait_ms);
  }

  /** A snoop channel begins in Stasis, and nothing else does. */
  #whisper({ channel }: AriEvent): void {
    const where = `context=${WARNING_CONTEXT}&extension=s&priority=1`;
    this.#live()
      .ari.request('POST', `channels/${encodeURIComponent(channel.id)}/continue?${where}`)
      .catch((error: unknown) => this.#options.problem(error instanceof Error ? error : new Error(String(error))));
  }

  #hear(event: CallEvent): void {
    const told = this.#heard.take(event);
    if (told !== null) this.#tell(told);
  }

  #tell(event: SwitchEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

/** The outcome of a change to one channel over AMI. */
function changed(message: AmiMessage): Reach {
  if (message.get('Response') === 'Success') return 'done';
  if (/no such channel|channel does not exist|channel not up/iu.test(message.get('Message') ?? '')) return 'gone';
  throw new Error(`The switch refused to change a channel: ${message.get('Message') ?? 'no reason given'}`);
}

/** 404: no such channel. 409: it is leaving, or was continued already; either way it does not wait for us any more. */
function reach({ status, body }: AriReply): Reach {
  if (status >= 200 && status < 300) return 'done';
  if (status === 404 || status === 409 || status === 412) return 'gone';
  throw new Error(`The switch refused a request: ${status} ${body}`);
}
