import { newTag } from './call.ts';
import type { IncomingCall } from './incoming_call.ts';
import type { Sound } from './tone.ts';

/** What a carrier does with one call. `pause` ends early, with false, when the call has ended or the carrier was closed. */
export type Script = (call: IncomingCall, pause: (ms: number) => Promise<boolean>) => Promise<void> | void;

/** Rings, answers `answer_after_ms` after the INVITE, and hangs up `talk_ms` after the answer where that is given. */
export function answer(
  options: { ring_after_ms?: number; answer_after_ms?: number; talk_ms?: number; sound?: Sound } = {},
): Script {
  return async (call, pause) => {
    const { ring_after_ms = 0, answer_after_ms = 0, talk_ms, sound } = options;
    call.trying();
    if (ring_after_ms > 0 && !(await pause(ring_after_ms))) return;
    call.ring();
    const rest_ms = answer_after_ms - ring_after_ms;
    if (rest_ms > 0 && !(await pause(rest_ms))) return;
    if (!(await call.answer())) return;
    if (sound !== undefined) call.say(sound);
    if (talk_ms !== undefined && (await pause(talk_ms))) await call.bye();
  };
}

/** Rings until the caller gives up, or refuses with `then_status` after `ring_ms`. */
export function ring(options: { ring_ms?: number; then_status?: number } = {}): Script {
  return async (call, pause) => {
    call.trying();
    call.ring();
    if (options.ring_ms !== undefined && (await pause(options.ring_ms))) call.reject(options.then_status ?? 480);
  };
}

/** A 183 with sound for `early_ms`, then an answer, or a refusal with `then_status`. */
export function earlyMedia(options: { early_ms: number; then_status?: number; sound?: Sound }): Script {
  return async (call, pause) => {
    call.trying();
    await call.progress();
    if (options.sound !== undefined) call.say(options.sound);
    if (!(await pause(options.early_ms))) return;
    if (options.then_status === undefined) await call.answer();
    else call.reject(options.then_status);
  };
}

/** 404, 486, 503, 603 … with the Q.850 cause in a Reason header where given. */
export function refuse(status: number, options: { cause?: number; text?: string; after_ms?: number } = {}): Script {
  return async (call, pause) => {
    call.trying();
    if (options.after_ms !== undefined && !(await pause(options.after_ms))) return;
    call.reject(status, options);
  };
}

/** 302 to another address: a caller that follows it could be sent anywhere. */
export function redirect(contact_uri: string): Script {
  return (call) => call.reject(302, { headers: [{ name: 'contact', value: `<${contact_uri}>` }] });
}

/** Not a word: as if nobody were there, though the packets arrive. */
export function silent(): Script {
  return (call) => {
    call.manners.on_cancel = 'answer_but_go_on';
  };
}

/** 100, then not a word. */
export function tryingThenSilent(): Script {
  return (call) => call.trying();
}

/** The race of RFC 3261 9.1: the CANCEL is answered, and so is the call, `late_ms` after it. */
export function answerAfterCancel(late_ms = 0): Script {
  return async (call, pause) => {
    call.manners.on_cancel = 'answer_but_go_on';
    call.trying();
    call.ring();
    await call.cancelled(600_000);
    if (late_ms > 0) await pause(late_ms);
    await call.answer();
  };
}

/** Several early dialogs, as a proxy that forks sends them; the last one answers. */
export function forkedRinging(forks = 3, answer_after_ms = 100): Script {
  return async (call, pause) => {
    call.trying();
    for (let fork = 1; fork < forks; fork += 1) call.ring(180, { to_tag: newTag() });
    call.ring();
    if (await pause(answer_after_ms)) await call.answer();
  };
}

/** Two 200 OK with different To tags: the caller must keep one and let the other go. */
export function forkedAnswer(): Script {
  return async (call) => {
    call.trying();
    call.ring();
    await call.answer();
    await call.answerAsFork();
  };
}

/** Answers, then offers the session anew. */
export function reinvite(options: { after_ms: number; hold?: boolean; sdp?: string }): Script {
  return async (call, pause) => {
    call.trying();
    await call.answer();
    await call.acked();
    if (!(await pause(options.after_ms))) return;
    const { hold, sdp } = options;
    await call.reinvite({ direction: hold === true ? 'sendonly' : 'sendrecv', ...(sdp === undefined ? {} : { sdp }) });
  };
}

/** Answers and never says BYE; what it does with ours is chosen. */
export function neverBye(on_bye: 'ignore' | 'keep_open' = 'ignore'): Script {
  return async (call) => {
    call.manners.on_bye = on_bye;
    call.trying();
    await call.answer();
  };
}

/** Answers as the refresher of a session timer and refreshes `times` times (RFC 4028). */
export function sessionTimer(options: {
  session_expires_s: number;
  refresh_every_ms: number;
  times: number;
  method: 'INVITE' | 'UPDATE';
}): Script {
  return async (call, pause) => {
    const expires = { name: 'session-expires', value: `${options.session_expires_s};refresher=uas` };
    call.trying();
    await call.answer({ headers: [expires, { name: 'supported', value: 'timer' }] });
    await call.acked();
    const headers = [{ ...expires, value: `${options.session_expires_s};refresher=uac` }];
    for (let time = 0; time < options.times && (await pause(options.refresh_every_ms)); time += 1) {
      if (options.method === 'INVITE') await call.reinvite({ headers });
      else await call.requestInDialog('UPDATE', { headers });
    }
  };
}

/** Answers with a codec nobody offered. */
export function unknownCodec(): Script {
  const sdp = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    'm=audio 40000 RTP/AVP 99',
    'a=rtpmap:99 nonsense/16000',
    '',
  ];
  return answerWithSdp(sdp.join('\r\n'));
}

export function garbageSdp(): Script {
  return answerWithSdp('v=zero\r\n\u0001\u0002m=audio banana\r\nc=IN IP9 nowhere\r\n');
}

export function answerWithSdp(sdp: string): Script {
  return async (call) => {
    call.trying();
    await call.answer({ sdp });
  };
}
