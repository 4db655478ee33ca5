import { moneyWords } from '../../domain/money/money_words.ts';
import type { Times } from '../../domain/telling/times.ts';
import type { AttemptStory, GrantStory, Story } from './story.ts';
import { blameWords, refusalWords, resultWords, secondsWords, statusWords } from './words.ts';

interface Moment {
  at_ms: number;
  words: string;
}

/** What happened, moment by moment. */
export function tellTimeline(story: Story, times: Times): string[] {
  const moments: Moment[] = [
    { at_ms: story.started_at.getTime(), words: 'The call arrives.' },
    ...story.grants.map((grant) => grantMoment(grant, story)),
    ...story.attempts.flatMap((attempt) => attemptMoments(attempt, story)),
    ...answerMoment(story),
    endMoment(story),
  ];
  // What happened in the same millisecond stays in the order of the list above, which is that of cause and effect.
  const order = moments.map((moment, n) => ({ ...moment, n })).sort((a, b) => a.at_ms - b.at_ms || a.n - b.n);
  return order.map(({ at_ms, words }) => `${times.clock(new Date(at_ms))}  ${words}`);
}

function grantMoment(grant: GrantStory, { currency }: Story): Moment {
  const money = moneyWords(grant.micros, currency);
  const pack = grant.pack_seconds > 0 ? ` and ${secondsWords(grant.pack_seconds)} of the minute pack` : '';
  const words =
    grant.no === 1
      ? `Hold ${grant.no}: ${money}${pack} put aside for the first ${secondsWords(grant.seconds)}.`
      : `Hold ${grant.no}, a renewal: ${money}${pack} put aside for ${secondsWords(grant.seconds)} more.`;
  return { at_ms: grant.at.getTime(), words };
}

function attemptMoments(attempt: AttemptStory, story: Story): Moment[] {
  const moments: Moment[] = [
    { at_ms: attempt.started_at_ms, words: `Attempt ${attempt.attempt}: ${towards(attempt, story)}.` },
  ];
  if (attempt.ringing_at_ms !== null) {
    const after_ms = Math.max(0, Math.round(attempt.ringing_at_ms - story.started_at.getTime()));
    moments.push({ at_ms: attempt.ringing_at_ms, words: `It rings, ${after_ms} ms after the call arrived.` });
  }
  if (attempt.ended_at_ms !== null) moments.push({ at_ms: attempt.ended_at_ms, words: failureWords(attempt) });
  return moments;
}

function towards(attempt: AttemptStory, story: Story): string {
  if (attempt.mailbox === true) return `the mailbox of ${story.callee ?? 'the number'}`;
  if (attempt.carrier !== null) return `over carrier ${attempt.carrier} (${attempt.trunk_id ?? 'no trunk'})`;
  return attempt.trunk_id === null ? `the phones of ${story.callee ?? 'the number'}` : `over ${attempt.trunk_id}`;
}

function failureWords(attempt: AttemptStory): string {
  const who = attempt.carrier ?? 'The other side';
  const cause = attempt.cause === null || attempt.cause === 0 ? '' : ` (cause ${attempt.cause})`;
  const said =
    attempt.sip_status === null
      ? `${who} gave no final answer${cause}`
      : `${who} says ${statusWords(attempt.sip_status)}${cause}`;
  return `${said}${attempt.blame === null ? '' : `: ${blameWords(attempt.blame)}`}.`;
}

function answerMoment({ answered_at }: Story): Moment[] {
  return answered_at === null
    ? []
    : [{ at_ms: answered_at.getTime(), words: 'Answered. The seconds count from here.' }];
}

function endMoment(story: Story): Moment {
  const { state, ended_at, deadline_at, result, refusal, blame, cause } = story;
  if (ended_at === null || result === null) {
    const at_ms = deadline_at?.getTime() ?? story.started_at.getTime();
    const words =
      state === 'talking'
        ? 'The call still goes on. Unless more is put aside before, the switch ends it here.'
        : 'The call still rings. What is put aside lasts to this moment at most.';
    return { at_ms, words };
  }
  const at_ms = ended_at.getTime();
  if (refusal !== null) return { at_ms, words: `Refused: ${refusalWords(refusal)} (cause ${cause ?? 0}).` };
  if (result === 'answered') return { at_ms, words: `The call ends (cause ${cause ?? 0}).` };
  return {
    at_ms,
    words: `${resultWords(result)}: ${blameWords(blame)} (cause ${cause ?? 0}). What was put aside goes back.`,
  };
}
