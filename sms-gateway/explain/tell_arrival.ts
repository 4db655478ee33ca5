import type { Times } from '../../domain/telling/times.ts';
import type { TextStory } from './text_story.ts';

/** How a text came in, for whom, and which keyword in it was obeyed. */
export function tellArrival(story: TextStory, times: Times): string[] {
  const { accepted_at, carrier, segments, account_id, recipient } = story;
  const parts = segments === 1 ? '' : ` in ${segments} parts`;
  return [
    `${times.clock(accepted_at)}  It came over ${carrier ?? 'a carrier'}${parts} and was stored before the carrier was told so.`,
    account_id === null
      ? `Nobody held ${recipient}: it is kept for the operator.`
      : `Account ${account_id} held ${recipient}: it is theirs.`,
    ...keywordLines(story),
    'A text that comes in costs nothing.',
  ];
}

function keywordLines({ keyword, account_id, sender, recipient }: TextStory): string[] {
  if (keyword === null) return [];
  const word = keyword.toUpperCase();
  if (account_id === null) return [`It says ${word}, but there is nobody whose texts that could be about.`];
  switch (keyword) {
    case 'stop':
      return [`It says ${word}, and that was obeyed: texts from ${recipient} to ${sender} are refused until a START.`];
    case 'start':
      return [`It says ${word}, and that was obeyed: texts from ${recipient} to ${sender} are sent again.`];
    case 'help':
      return [`It asks for ${word}.`];
  }
}
