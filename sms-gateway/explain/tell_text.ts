import { indent, section } from '../../domain/telling/layout.ts';
import { timesIn } from '../../domain/telling/times.ts';
import type { Times } from '../../domain/telling/times.ts';
import { tellArrival } from './tell_arrival.ts';
import { tellPrice, tellTextBill, tellTextLedger } from './tell_charge.ts';
import { tellCourse } from './tell_course.ts';
import { tellDeliveries } from './tell_deliveries.ts';
import type { TextStory } from './text_story.ts';
import { classWords } from './text_words.ts';

/** One text as one story, a line an element: what happened and why, what it cost and how that follows. */
export function tellText(story: TextStory): string[] {
  const times = timesIn(story.time_zone);
  const { accepted_at, body, contradictions } = story;
  return [
    `Text ${story.direction === 'mt' ? 'out' : 'in'} ${story.message_id}`,
    ...indent([...parties(story), `${times.day(accepted_at)}, times in ${story.time_zone}.`]),
    ...section('What it says', body === null ? [] : body.split('\n')),
    ...(story.direction === 'mt' ? tellOutgoing(story, times) : section('What happened', tellArrival(story, times))),
    ...section('What the customer was told', tellDeliveries(story, times)),
    ...section('This does not add up. Please report it', contradictions),
  ];
}

function parties({ sender, recipient, rate, client_ref, class: of_class }: TextStory): string[] {
  const where = rate === null || rate.destination === recipient ? '' : `, ${rate.destination}`;
  const named = client_ref === null ? '' : ` Its sender calls it ${client_ref}.`;
  return [`From ${sender} to ${recipient}${where}.${named}`, classWords(of_class)].filter((line) => line !== '');
}

function tellOutgoing(story: TextStory, times: Times): string[] {
  return [
    ...section('What happened', tellCourse(story, times)),
    ...section('Which way, and why', tellWay(story, times)),
    ...section('The price', tellPrice(story, times)),
    ...section('The bill', tellTextBill(story)),
    ...section('In the books', tellTextLedger(story)),
  ];
}

/** The carriers in the order in which they are tried, and which of them were. */
function tellWay({ considered, events }: TextStory, times: Times): string[] {
  const lists = considered.flatMap(({ at, carriers, passed_over }, n) => [
    n === 0 ? 'The cheapest first, by what a text that arrives costs:' : `Looked at again at ${times.clock(at)}:`,
    ...indent(carriers),
    ...passed_over.map((name) => `${name} was passed over: it was away, or had no bind that takes a text like this.`),
  ]);
  const tried = events
    .filter(({ kind }) => kind === 'submitted' || kind === 'refused' || kind === 'throttled' || kind === 'in_doubt')
    .flatMap(({ carrier }) => carrier ?? []);
  const turns = tried.filter((name, n) => name !== tried[n - 1]);
  return [...lists, ...(turns.length === 0 ? [] : [`Tried: ${turns.join(', then ')}.`])];
}
