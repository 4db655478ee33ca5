import { indent, section } from '../../domain/telling/layout.ts';
import { timesIn } from '../../domain/telling/times.ts';
import type { Story } from './story.ts';
import { tellBill, tellLedger, tellRate } from './tell_bill.ts';
import { tellTimeline } from './tell_timeline.ts';
import { refusalWords } from './words.ts';

const directions: Readonly<Record<Story['direction'], string>> = {
  outbound: 'Call out',
  inbound: 'Call in',
  emergency: 'Call for help',
};

/** One call as one story, a line an element: what happened and why, what it cost and how that follows. */
export function tellCall(story: Story): string[] {
  const times = timesIn(story.time_zone);
  return [
    `${directions[story.direction]} ${story.call_id}${story.leg_id === story.call_id ? '' : `, charged leg ${story.leg_id}`}`,
    ...indent([parties(story), `${times.day(story.started_at)}, times in ${story.time_zone}.`]),
    ...section('What happened', tellTimeline(story, times)),
    ...section('Which way, and why', tellRouting(story)),
    ...section('The price', tellRate(story)),
    ...section(story.state === 'over' ? 'The bill' : 'The bill, were it to end now', tellBill(story)),
    ...(story.state === 'over' ? section('In the books', tellLedger(story)) : []),
    ...(story.contradictions.length === 0
      ? []
      : section('This does not add up. Please report it', story.contradictions)),
  ];
}

function parties(story: Story): string {
  const from = story.caller ?? (story.direction === 'inbound' ? 'a withheld number' : 'no number');
  const device = story.device === null ? '' : ` (phone ${story.device})`;
  const to = story.callee ?? story.dialled;
  const dialled = story.dialled === to ? '' : `, dialled as ${story.dialled}`;
  const where = story.destination === null || story.destination === to ? '' : `, ${story.destination}`;
  return `From ${from}${device} to ${to}${where}${dialled}.`;
}

function tellRouting({ routing, refusal, facts, attempts }: Story): string[] {
  const known = Object.entries(facts).map(
    ([name, value]) =>
      `${name.replaceAll('_', ' ')}: ${name === 'because' ? refusalWords(String(value)) : factWords(value)}`,
  );
  const why = refusal === null ? [] : [`The call went nowhere: ${refusalWords(refusal)}.`, ...known];
  const names = attempts.map((attempt) => attempt.carrier).filter((name) => name !== null);
  const tried = names.length === 0 ? [] : [`Tried: ${names.join(', then ')}.`];
  return [...why, ...routing, ...tried];
}

function factWords(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}
