import type { Times } from '../../domain/telling/times.ts';
import type { TextStory } from './text_story.ts';

/** How a text came in, for whom, and which keyword in it was obeyed. */
export function tellArrival(story: TextStory, times: Times): string[] {
  const { accepted_at, carrier, segments } = story;
  const parts = segments === 1 ? '' : ` in ${segments} parts`;
  return [
    `${times.clock(accepted_at)}  It came over ${carrier ?? 'a carrier'}${parts} and was stored before the carrier was told so.`,
    ...holderLines(story, times),
    ...keywordLines(story),
    'A text that comes in costs nothing.',
  ];
}

function holderLines({ message_id, account_id, recipient, stray }: TextStory, times: Times): string[] {
  const nobody = `Nobody held ${recipient}`;
  if (stray === null) {
    return [
      account_id === null
        ? `${nobody}: it is kept for the operator.`
        : `Account ${account_id} held ${recipient}: it is theirs.`,
    ];
  }
  const why = stray.reason === null ? '' : ` Why: “${stray.reason}”.`;
  const decided = `${times.clock(stray.decided_at)}  `;
  if (stray.copy_id === message_id) {
    return [
      `${nobody} then, and it was kept for the operator as ${stray.message_id}.`,
      `${decided}It was handed on.${why}`,
    ];
  }
  const outcome =
    stray.copy_id === null
      ? 'Somebody dealt with it, and nobody was given it.'
      : `It was handed on to account ${stray.account_id ?? ''}, which held the number by then, as ${stray.copy_id}.`;
  return [`${nobody}: it was kept for the operator.`, `${decided}${outcome}${why}`];
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
