import { factsOf } from '../smsc/read_log.ts';
import { TextClient } from '../world/text_client.ts';
import type { Texter, TextWorld } from '../world/text_world.ts';
import { moneyWords } from '../../domain/money/money_words.ts';
import type { Narrator } from './narrator.ts';
import { textFrom, textInState } from './text_verdict.ts';
import type { TextKind, TextRecord, TextVerdict } from './text_verdict.ts';

export interface TextStage {
  world: TextWorld;
  tell: Narrator;
}

export interface TextSceneVerdict {
  messages: readonly TextVerdict[];
  faults: readonly string[];
}

const PERSON = '+447700900123';
/** Two segments of UCS-2, as its last word is beyond the first 70 characters and emoji need two units each. */
const LONG = 'Zażółć gęślą jaźń! Привет, мир! Γειά σου Κόσμε! 你好,世界!😀 This is one text and no more than one.';

/** A number that sends and receives: to a person, from a person, and what STOP does. The verdict is the carrier's log and SQL. */
export async function textScenes({ world, tell }: TextStage): Promise<TextSceneVerdict> {
  const texter = await world.texter({ balance_micros: 1_000_000n });
  const client = new TextClient(world.gateway.url, texter.api_key);
  const scene: Scene = { world, tell, texter, client, messages: [], faults: [] };
  await outgoing(scene);
  await incoming(scene);
  await stopped(scene);
  await withoutMoney(scene);
  return { messages: scene.messages, faults: scene.faults };
}

interface Scene extends TextStage {
  texter: Texter;
  client: TextClient;
  messages: TextVerdict[];
  faults: string[];
}

async function outgoing({ world, tell, texter, client, messages, faults }: Scene): Promise<void> {
  tell.chapter(
    'Texts from a virtual number',
    `From ${texter.number} to ${PERSON}, over SMPP; the price is by the segment.`,
  );
  for (const [kind, text] of [
    ['mt', 'Hello from Letsdial'],
    ['mt_long_unicode', LONG],
  ] as const) {
    const reply = await client.send({ from: texter.number, to: PERSON, text });
    tell.say(`${text.length} characters are accepted as ${reply.segments} segment(s) of ${reply.encoding}`);
    const record = await textInState(world.pool, reply.id, 'delivered');
    tell.say(`the carrier's receipt says that the text arrived`);
    tell.show([priceLine(record)]);
    messages.push(verdictOf(kind, record));
    const parts = (await factsOf(world.carrier('alpha').log_file, 'submit')).slice(-record.segments);
    if (parts.length !== record.segments) faults.push(`${kind}: the carrier saw ${parts.length} part(s).`);
    if (record.charged_micros !== BigInt(record.segments) * 40_000n) faults.push(`${kind}: the price is wrong.`);
  }
  const [, long] = messages;
  if ((long?.segments ?? 0) < 2) faults.push('mt_long_unicode: it took one segment.');
}

async function incoming({ world, tell, texter, messages, faults }: Scene): Promise<void> {
  tell.chapter('Texts to the number', 'A person answers, and then writes a long text whose parts come out of order.');
  for (const [kind, from, text, split] of [
    ['mo', '+447700900124', 'Thanks, got it', {}],
    ['mo_long', '+447700900125', LONG.repeat(2), { parts: 'udh8', order: 'reversed' }],
  ] as const) {
    await world.carrier('alpha').carrier.sendMo({ from, to: texter.number, text, ...split });
    const record = await textFrom(world.pool, texter.account_id, from);
    tell.say(
      `${record.segments} part(s) from ${from} are one text of ${record.body.length} characters, kept and then acknowledged`,
    );
    if (record.body !== text) faults.push(`${kind}: what arrived is not what was sent.`);
    messages.push(verdictOf(kind, record));
  }
}

async function stopped({ world, tell, texter, client, messages, faults }: Scene): Promise<void> {
  tell.chapter('STOP', 'Whoever says so hears nothing more from this number, whatever its holder sends.');
  const from = '+447700900126';
  await world.carrier('alpha').carrier.sendMo({ from, to: texter.number, text: 'Stop!' });
  const record = await textFrom(world.pool, texter.account_id, from);
  messages.push(verdictOf('stop', record));
  const reply = await client.send({ from: texter.number, to: from, text: 'One more offer' });
  tell.say(`a text to ${from} is refused: ${reply.detail}`);
  if (reply.status !== 403) faults.push(`stop: a text after STOP was answered with ${reply.status}.`);
}

async function withoutMoney({ world, tell, messages, faults }: Scene): Promise<void> {
  tell.chapter('A text without money', 'Two texts on a wallet with money for one.');
  const poor = await world.texter({ balance_micros: 50_000n });
  const client = new TextClient(world.gateway.url, poor.api_key);
  const wish = { from: poor.number, to: PERSON, text: 'Hello' };
  const [paid, refused] = [await client.send(wish), await client.send(wish)];
  tell.say(
    `the first costs ${moneyWords(BigInt(paid.price.net_micros), 'EUR')}; the second is refused: ${refused.detail}`,
  );
  if (refused.status !== 402) faults.push(`refused: a text without money was answered with ${refused.status}.`);
  messages.push({ kind: 'refused', segments: 0, charged_micros: 0n, state: 'refused' });
}

function priceLine({ segments, rate_micros_per_segment, charged_micros, destination }: TextRecord): string {
  const each = moneyWords(rate_micros_per_segment ?? 0n, 'EUR');
  return `${destination ?? ''}: ${segments} × ${each} = ${moneyWords(charged_micros, 'EUR')}`;
}

function verdictOf(kind: TextKind, { segments, charged_micros, state }: TextRecord): TextVerdict {
  return { kind, segments, charged_micros, state };
}
